#pragma once

#include <atomic>

namespace orrery {

/// Thrown out of work that was told to stop. No std::exception, so that those who turn every error into words
/// do not take it for one: nothing went wrong, and nobody waits for a result any more.
struct Stopped {};

/// Lets one thread pause, resume or stop what others compute. It changes no result: work ends as it would
/// have, or with `Stopped`. While a `ControlScope` lives, long computations of its thread look here every few
/// milliseconds, through `check_control`; `parallel_for` passes it on to its threads.
class WorkControl {
 public:
  /// For good, until `reset`.
  void stop();
  /// Until `resume`; a second pause counts no more than one. Nothing once stopped.
  void pause();
  void resume();
  void reset();
  [[nodiscard]] bool stopped() const { return state_.load(std::memory_order_relaxed) == kStop; }
  [[nodiscard]] bool paused() const { return state_.load(std::memory_order_relaxed) == kPause; }

  /// Waits while paused; throws Stopped once stopped.
  void check() const {
    if (state_.load(std::memory_order_relaxed) != kRun) hold();
  }

 private:
  static constexpr int kRun = 0, kPause = 1, kStop = 2;
  void hold() const;
  std::atomic<int> state_{kRun};
};

/// Puts what this thread computes under a control, which outlives it; null: under none. Scopes nest.
class ControlScope {
 public:
  explicit ControlScope(const WorkControl* control);
  ControlScope(const ControlScope&) = delete;
  ControlScope& operator=(const ControlScope&) = delete;
  ~ControlScope();

 private:
  const WorkControl* before_;
};

/// Control of this thread; null when there is none.
[[nodiscard]] const WorkControl* current_control();

/// A point at which work may be paused or stopped. Some nanoseconds; not for the innermost loops.
inline void check_control() {
  if (const WorkControl* control = current_control()) control->check();
}

}  // namespace orrery
