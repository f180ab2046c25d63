#include "sim/engine/relaxation.hpp"

#include <algorithm>

#include "sim/base/work_control.hpp"
#include "sim/engine/fetch_ahead.hpp"

namespace orrery {

namespace {

/// About a millisecond.
constexpr std::size_t kTasksBetweenChecks = 20'000;

/// The fixpoint by counting blockers down. Follows a lane as long as nothing blocks it, because its tasks
/// lie side by side in memory; heads of other lanes that became free wait on a small stack.
class Relaxation {
 public:
  explicit Relaxation(Timeline& timeline)
      : c_(timeline.graph.columns()), timeline_(timeline), blockers_(c_.blockers) {
    timeline.start.assign(blockers_.size(), SimTime{});
    timeline.end.assign(blockers_.size(), kNever);
    // At most one task of a lane is free at a time; one entry to spare, because free_ is written before it is
    // known whether the entry counts.
    free_.resize(c_.lane_name.size() + 1);
  }

  std::size_t run() {
    for (std::size_t lane = 0; lane + 1 < c_.lane_begin.size(); ++lane) {
      if (c_.lane_begin[lane] == c_.lane_begin[lane + 1]) continue;
      const TaskId head = c_.lane_task[c_.lane_begin[lane]];
      free_[free_count_] = head;
      free_count_ += blockers_[head.at()] == 0 ? 1 : 0;
    }
    while (free_count_ > 0) {
      check_control();
      const std::size_t pause = done_ + kTasksBetweenChecks;
      while (free_count_ > 0 && done_ < pause) follow_lane(free_[--free_count_]);
    }
    if (done_ < blockers_.size()) forget_blocked();
    return done_;
  }

 private:
  void follow_lane(TaskId task) {
    SimTime* const start = timeline_.start.data();
    SimTime end;
    while (true) {
      const std::size_t t = task.at();
      fetch_ahead(c_, task, start, timeline_.end.data(), blockers_.data());
      end = start[t] + c_.core[t].duration;
      timeline_.end[t] = end;
      ++done_;
      const std::uint32_t last = c_.core[t + 1].successor_begin;
      for (std::uint32_t i = c_.core[t].successor_begin; i < last; ++i) {
        const TaskId next = c_.successor[i];
        start[next.at()] = std::max(start[next.at()], end);
        free_[free_count_] = next;
        free_count_ += --blockers_[next.at()] == 0 ? 1 : 0;
      }
      task = c_.core[t].next_in_lane;
      if (task == kNoTask) break;
      start[task.at()] = std::max(start[task.at()], end);
      if (--blockers_[task.at()] != 0) break;
    }
    // Ends only grow along a lane, so the last one seen stands for all of them.
    timeline_.makespan = std::max(timeline_.makespan, end);
  }

  void forget_blocked() {
    for (std::size_t t = 0; t < blockers_.size(); ++t) {
      if (blockers_[t] != 0) timeline_.start[t] = kNever;
    }
  }

  const TaskGraphColumns& c_;
  Timeline& timeline_;
  std::vector<std::uint32_t> blockers_;  ///< dependencies and lane order still open
  std::vector<TaskId> free_;
  std::size_t free_count_ = 0;
  std::size_t done_ = 0;
};

}  // namespace

std::size_t relax(Timeline& timeline) {
  return Relaxation(timeline).run();
}

}  // namespace orrery
