#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "sim/engine/event_queue.hpp"
#include "sim/engine/task_graph.hpp"

namespace orrery {

/// The running tasks of every group and the work they have left: the equations of sharing.hpp. Call
/// begin() and finish() as tasks start and end, and settle() once the instant is over.
class LaneGroups {
 public:
  explicit LaneGroups(const TaskGraph& graph) : c_(graph.columns()), state_(graph.group_count()) {
    changed_.reserve(state_.size());
    for (std::size_t g = 0; g < state_.size(); ++g) {
      const auto lanes = graph.group_lanes(GroupId{g});
      for (std::size_t p = 0; p < lanes.size(); ++p) state_[g].lane[p] = lanes[p];
    }
  }

  /// The task with work starts on its lane. Returns the end that holds unless the group changes again
  /// within this instant.
  SimTime begin(TaskId task, ResourceId lane, SimTime now) {
    const SimTime work = c_.core[task.at()].duration;
    const GroupId g = c_.lane_group[lane.at()];
    if (g == kNoGroup) return now + work;
    Group& group = state_[g.at()];
    const std::size_t p = c_.lane_position[lane.at()];
    const SlowdownRow& row = c_.slowdowns.row(c_.core[task.at()].slowdown_row);
    group.row[p] = row.data();
    group.work[p] = work;
    group.since[p] = now;
    group.factor[p] = row[group.busy & ~bit(p)];
    group.busy |= bit(p);
    mark(group, g);
    return now + time_left(work, group.factor[p]);
  }

  void finish(ResourceId lane) {
    const GroupId g = c_.lane_group[lane.at()];
    if (g == kNoGroup) return;
    Group& group = state_[g.at()];
    group.busy &= ~bit(c_.lane_position[lane.at()]);
    mark(group, g);
  }

  /// Re-times the tasks whose slowdown differs from the one in force; equal ones are left alone, so that
  /// an instant in which a lane goes from one task to the next rounds nothing in its neighbours.
  void settle(SimTime now, LaneQueue& queue) {
    for (const GroupId g : changed_) {
      Group& group = state_[g.at()];
      group.changed = false;
      for (unsigned left = group.busy; left != 0; left &= left - 1) {
        const auto p = static_cast<std::size_t>(std::countr_zero(left));
        const Slowdown factor = group.row[p][group.busy & ~bit(p)];
        if (factor == group.factor[p]) continue;
        group.work[p] = group.work[p] - work_done(now - group.since[p], group.factor[p]);
        group.since[p] = now;
        group.factor[p] = factor;
        queue.set(group.lane[p], now + time_left(group.work[p], factor));
      }
    }
    changed_.clear();
  }

 private:
  struct Group {
    unsigned busy = 0;     ///< bit p: the lane at position p runs a task with work
    bool changed = false;  ///< stands in changed_
    std::array<Slowdown, kMaxGroupLanes> factor{};
    std::array<SimTime, kMaxGroupLanes> since{};  ///< when factor was last set
    std::array<SimTime, kMaxGroupLanes> work{};   ///< solo work left at `since`
    std::array<const Slowdown*, kMaxGroupLanes> row{};
    std::array<ResourceId, kMaxGroupLanes> lane{};
  };

  static unsigned bit(std::size_t position) { return 1U << position; }

  void mark(Group& group, GroupId g) {
    if (group.changed) return;
    group.changed = true;
    changed_.push_back(g);
  }

  const TaskGraphColumns& c_;
  std::vector<Group> state_;
  std::vector<GroupId> changed_;
};

}  // namespace orrery
