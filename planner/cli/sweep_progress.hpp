#pragma once

#include <chrono>
#include <string>

#include "planner/sweep/run_sweep.hpp"

namespace orrery::cli {

/// Catches Ctrl-C (SIGINT) and SIGTERM while it lives: the first one lets a sweep end in order, the second
/// ends the program at once with exit code 130.
class Interruption {
 public:
  Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;
  ~Interruption();
  [[nodiscard]] static bool happened();
  /// It was SIGTERM: a batch system waits for a second or so before it kills.
  [[nodiscard]] static bool is_urgent();
};

/// "~3 min", "~2 h 10 min"; vague on purpose.
[[nodiscard]] std::string about_duration(double seconds);
/// "[312/9840] 41 feasible, best usd 5,130,000 USD (item 17), ~2 min left"; `objective` is a position in
/// `sweep_metrics`.
[[nodiscard]] std::string progress_line(const SweepProgress& now, std::size_t objective, double elapsed_s);

/// Tells a person how a sweep goes: on a terminal one line that changes, elsewhere a line every 10 seconds.
class ProgressPrinter final : public SweepObserver {
 public:
  ProgressPrinter(bool quiet, std::size_t objective);
  void progress(const SweepProgress& now) override;
  void notice(const std::string& line) override;
  [[nodiscard]] bool stop() const override { return Interruption::happened(); }
  [[nodiscard]] bool abandon() const override;
  /// Takes the changing line away.
  void clear();
  [[nodiscard]] double elapsed_s() const;

 private:
  using Clock = std::chrono::steady_clock;
  bool quiet_;
  bool terminal_;
  std::size_t objective_;
  Clock::time_point began_ = Clock::now();
  Clock::time_point shown_ = began_;
  mutable Clock::time_point interrupted_{};
  bool line_there_ = false;
};

}  // namespace orrery::cli
