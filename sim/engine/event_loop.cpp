#include "sim/engine/event_loop.hpp"

#include <algorithm>

#include "sim/base/work_control.hpp"
#include "sim/engine/event_queue.hpp"
#include "sim/engine/fetch_ahead.hpp"
#include "sim/engine/lane_groups.hpp"

namespace orrery {

namespace {

/// About a millisecond.
constexpr std::size_t kTasksBetweenChecks = 20'000;

/// One compiled loop per combination, so that what is not asked for costs nothing.
///
/// Without an observer the rounds of an instant (engine.hpp) are merged: a task that becomes free starts at
/// once, and one of zero duration ends at once. No time can tell the difference, since all of it happens
/// at the same `now` and slowdowns change only after the instant.
template <bool kCoupled, bool kObserved>
class EventLoop {
 public:
  EventLoop(Timeline& timeline, Observer* observer)
      : c_(timeline.graph.columns()),
        core_(c_.core.data()),
        start_(timeline.start.data()),
        end_(timeline.end.data()),
        observer_(observer),
        queue_(std::max<std::size_t>(c_.lane_name.size(), 1)),
        groups_(timeline.graph),
        blockers_(c_.blockers),
        running_(c_.lane_name.size(), kNoTask),
        free_(c_.lane_name.size() + 1) {}

  /// Returns the number of tasks that ran.
  std::size_t run(SimTime& makespan) {
    for (std::size_t lane = 0; lane + 1 < c_.lane_begin.size(); ++lane) {
      if (c_.lane_begin[lane] == c_.lane_begin[lane + 1]) continue;
      const TaskId head = c_.lane_task[c_.lane_begin[lane]];
      free_if(head, blockers_[head.at()] == 0);
    }
    SimTime now;
    start_free(now);
    settle(now);
    while (queue_.time() != kNever) {
      check_control();
      // The inner loop knows nothing of it but a number that is in a register anyway.
      const std::size_t pause = done_ + kTasksBetweenChecks;
      while (queue_.time() != kNever && done_ < pause) {
        now = queue_.time();
        if constexpr (kObserved) {
          while (queue_.time() == now) end_task(queue_.lane(), now);
        } else {
          end_task(queue_.lane(), now);
        }
        start_free(now);
        settle(now);
      }
    }
    makespan = now;
    return done_;
  }

 private:
  /// Appends without a branch: the entry is written in any case and counts only if `free`. At most one task
  /// of a lane is free at a time, so one entry to spare is enough.
  void free_if(TaskId task, bool free) {
    free_[free_count_] = task;
    free_count_ += free ? 1 : 0;
  }

  /// Ends the lane's task and collects what that frees.
  void end_task(ResourceId lane, SimTime now) {
    const TaskId task = running_[lane.at()];
    if constexpr (kCoupled) {
      end_[task.at()] = now;
      if (!kObserved || core_[task.at()].duration.ps > 0) groups_.finish(lane);
    }
    if constexpr (kObserved) observer_->finished(task, now);
    queue_.clear(lane);
    release(task);
  }

  void release(TaskId task) {
    const TaskCore* const core = core_ + task.at();
    ++done_;
    const TaskId next = core->next_in_lane;
    if (next != kNoTask) free_if(next, --blockers_[next.at()] == 0);
    const TaskId* const last = c_.successor.data() + core[1].successor_begin;
    for (const TaskId* s = c_.successor.data() + core->successor_begin; s != last; ++s) {
      free_if(*s, --blockers_[s->at()] == 0);
    }
  }

  void start_free(SimTime now) {
    if constexpr (kObserved) {
      const auto by_lane = [this](TaskId a, TaskId b) { return core_[a.at()].lane < core_[b.at()].lane; };
      std::sort(free_.begin(), free_.begin() + static_cast<std::ptrdiff_t>(free_count_), by_lane);
      for (std::size_t i = 0; i < free_count_; ++i) start_task(free_[i], now);
      free_count_ = 0;
    } else {
      while (free_count_ > 0) start_task(free_[--free_count_], now);
    }
  }

  void start_task(TaskId task, SimTime now) {
    const TaskCore& core = core_[task.at()];
    fetch_ahead(c_, task, start_, end_, blockers_.data());
    start_[task.at()] = now;
    SimTime end = now + core.duration;
    if constexpr (!kCoupled) end_[task.at()] = end;
    if constexpr (kObserved) {
      observer_->started(task, now);
    } else if (core.duration.ps == 0) {
      end_[task.at()] = now;
      release(task);
      return;
    }
    running_[core.lane.at()] = task;
    if constexpr (kCoupled) {
      if (!kObserved || core.duration.ps > 0) end = groups_.begin(task, core.lane, now);
    }
    queue_.set(core.lane, end);
  }

  /// Slowdowns of groups that changed, once nothing more happens at `now`.
  void settle(SimTime now) {
    if constexpr (kCoupled) {
      if (queue_.time() != now) groups_.settle(now, queue_);
    }
  }

  const TaskGraphColumns& c_;
  const TaskCore* core_;
  SimTime* start_;
  SimTime* end_;
  Observer* observer_;
  LaneQueue queue_;
  LaneGroups groups_;
  std::vector<std::uint32_t> blockers_;  ///< by task: dependencies and lane order still open
  std::vector<TaskId> running_;          ///< by lane
  std::vector<TaskId> free_;             ///< tasks that nothing blocks any more
  std::size_t free_count_ = 0;
  std::size_t done_ = 0;
};

}  // namespace

std::size_t run_events(Timeline& timeline, Observer* observer) {
  timeline.start.assign(timeline.graph.task_count(), kNever);
  timeline.end.assign(timeline.graph.task_count(), kNever);
  SimTime& makespan = timeline.makespan;
  if (timeline.graph.coupled()) {
    return observer != nullptr ? EventLoop<true, true>(timeline, observer).run(makespan)
                               : EventLoop<true, false>(timeline, observer).run(makespan);
  }
  return observer != nullptr ? EventLoop<false, true>(timeline, observer).run(makespan)
                             : EventLoop<false, false>(timeline, observer).run(makespan);
}

}  // namespace orrery
