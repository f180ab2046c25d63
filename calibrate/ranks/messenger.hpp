#pragma once

#include <memory>
#include <string>

namespace orrery {

/// Short texts between the processes that a launcher (mpirun, srun) started together. A send never waits for
/// the other side, who may be gone; texts between two processes keep their order.
class Messenger {
 public:
  struct Letter {
    int from = 0;
    std::string text;
  };
  Messenger() = default;
  Messenger(const Messenger&) = delete;
  Messenger& operator=(const Messenger&) = delete;
  virtual ~Messenger() = default;

  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;
  virtual void send(int to, std::string text) = 0;
  [[nodiscard]] virtual bool receive(Letter& out) = 0;  ///< false when there is none now
  /// Tries for `seconds` to get everything out.
  virtual void flush(double seconds) = 0;
  /// A process was lost, so the group cannot end in order: the program has to end by itself, without the
  /// destructors of the library.
  virtual void give_up() = 0;
  [[nodiscard]] virtual bool given_up() const = 0;
};

/// Empty where this program can talk to other processes, else the reason why not.
[[nodiscard]] std::string messenger_missing();

/// Joins the processes that were started together. When one of them does not come within `patience_s`, the
/// start of the library never returns; this process then writes `late` to standard error and ends with code
/// 5.
[[nodiscard]] std::unique_ptr<Messenger> join_messenger(double patience_s, const std::string& late);

}  // namespace orrery
