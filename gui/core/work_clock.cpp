#include "gui/core/work_clock.hpp"

#include <fmt/format.h>

#include <cmath>

namespace orrery::gui {

void WorkClock::start() {
  since_ = Clock::now();
  before_ = 0;
  running_ = true;
}

void WorkClock::pause() {
  before_ = seconds();
  running_ = false;
}

void WorkClock::resume() {
  if (running_) return;
  since_ = Clock::now();
  running_ = true;
}

double WorkClock::seconds() const {
  if (!running_) return before_;
  return before_ + std::chrono::duration<double>(Clock::now() - since_).count();
}

double seconds_left(double done, double total, double seconds) {
  constexpr double kSoonest = 0.5;
  if (done <= 0 || done > total || seconds < kSoonest) return -1;
  return seconds * (total - done) / done;
}

std::string left_text(double done, double total, double seconds) {
  const double left = seconds_left(done, total, seconds);
  if (left < 0) return {};
  if (left < 90) return fmt::format("about {:.0f} s left at this pace", std::ceil(left));
  if (left < 90 * 60) return fmt::format("about {:.0f} min left at this pace", std::ceil(left / 60));
  return fmt::format("about {:.1f} h left at this pace", left / 3600);
}

}  // namespace orrery::gui
