#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>

namespace orrery {

enum class Receipt { kDone, kClosed, kLate };

/// One end of a pair of sockets over which texts of any length go. Closed with the value.
class Channel {
 public:
  explicit Channel(int socket = -1) : socket_(socket) {}
  Channel(Channel&& other) noexcept;
  Channel& operator=(Channel&& other) noexcept;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel();

  [[nodiscard]] bool send(const std::string& text);  ///< false when the other end is gone
  /// Waits for a text; without `seconds` for ever.
  [[nodiscard]] Receipt receive(std::string& text, std::optional<double> seconds = std::nullopt);
  [[nodiscard]] bool readable() const;  ///< a text has begun to arrive, or the other end is gone
  void close();

 private:
  int socket_;
};

/// A process that was forked from this one and shares nothing with it but a channel, so that a crash, a
/// kernel that never ends and a device that is lost stay there. It dies with its parent.
class ChildProcess {
 public:
  ChildProcess() = default;
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();

  /// Forks; `life` runs in the child, which ends with it. Empty if all is well, else the reason.
  [[nodiscard]] std::string start(const std::function<void(Channel&)>& life);
  [[nodiscard]] bool running() const { return child_ >= 0; }
  [[nodiscard]] Channel& channel() { return channel_; }
  /// Kills the child and waits a little for it; one that hangs inside a driver is left behind.
  void stop();
  /// After its end of the channel was closed: "ended with code 0", "was ended by signal 9 (Killed)".
  [[nodiscard]] std::string how_it_ended();

 private:
  Channel channel_;
  pid_t child_ = -1;
};

}  // namespace orrery
