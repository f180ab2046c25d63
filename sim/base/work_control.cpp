#include "sim/base/work_control.hpp"

namespace orrery {
namespace {

thread_local const WorkControl* current = nullptr;

}  // namespace

void WorkControl::stop() {
  state_ = kStop;
  state_.notify_all();
}

void WorkControl::pause() {
  int running = kRun;
  state_.compare_exchange_strong(running, kPause);
}

void WorkControl::resume() {
  int paused = kPause;
  if (state_.compare_exchange_strong(paused, kRun)) state_.notify_all();
}

void WorkControl::reset() {
  state_ = kRun;
  state_.notify_all();
}

void WorkControl::hold() const {
  state_.wait(kPause);
  if (stopped()) throw Stopped{};
}

ControlScope::ControlScope(const WorkControl* control) : before_(current) {
  current = control;
}

ControlScope::~ControlScope() {
  current = before_;
}

const WorkControl* current_control() {
  return current;
}

}  // namespace orrery
