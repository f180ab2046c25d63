#pragma once

#include <chrono>
#include <string>

namespace orrery::gui {

/// Time that work has taken, pauses left out. For one thread.
class WorkClock {
 public:
  void start();
  void pause();
  void resume();
  [[nodiscard]] double seconds() const;

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point since_ = Clock::now();
  double before_ = 0;
  bool running_ = false;
};

/// Seconds left at the pace so far; below 0: not to be told yet, since too little is done or known.
[[nodiscard]] double seconds_left(double done, double total, double seconds);
/// "about 3 min left at this pace"; empty where that cannot be told yet.
[[nodiscard]] std::string left_text(double done, double total, double seconds);

}  // namespace orrery::gui
