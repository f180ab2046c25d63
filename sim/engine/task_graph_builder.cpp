#include "sim/engine/task_graph_builder.hpp"

#include <limits>

#include "sim/base/check.hpp"
#include "sim/base/work_control.hpp"

namespace orrery {

namespace {

/// Turns the counts in begin[1..] into offsets.
void accumulate(std::vector<std::uint32_t>& begin) {
  for (std::size_t i = 1; i < begin.size(); ++i) begin[i] += begin[i - 1];
}

}  // namespace

TaskGraphBuilder::TaskGraphBuilder() {
  intern("");
}

void TaskGraphBuilder::reserve(std::size_t tasks, std::size_t dependencies) {
  columns_.core.reserve(tasks + 1);
  columns_.name.reserve(tasks);
  columns_.tag.reserve(tasks);
  dependencies_.reserve(dependencies);
}

NameId TaskGraphBuilder::intern(std::string_view text) {
  if (const auto found = name_of_.find(text); found != name_of_.end()) return found->second;
  const NameId id{columns_.text.size()};
  columns_.text.emplace_back(text);
  name_of_.emplace(text, id);
  return id;
}

GroupId TaskGraphBuilder::add_group() {
  columns_.group_lanes.emplace_back();
  return GroupId{columns_.group_lanes.size() - 1};
}

ResourceId TaskGraphBuilder::add_lane(std::string_view name, GroupId group) {
  const ResourceId lane{columns_.lane_name.size()};
  std::size_t position = 0;
  if (group != kNoGroup) {
    SIM_CHECK(group.at() < columns_.group_lanes.size(), "a lane needs an existing group");
    auto& lanes = columns_.group_lanes[group.at()];
    SIM_CHECK(lanes.size() < kMaxGroupLanes, "a group has at most 8 lanes");
    position = lanes.size();
    lanes.push_back(lane);
  }
  columns_.lane_name.push_back(intern(name));
  columns_.lane_group.push_back(group);
  columns_.lane_position.push_back(static_cast<std::uint8_t>(position));
  return lane;
}

void TaskGraphBuilder::freeze_lanes() {
  TaskGraphColumns& c = columns_;
  const std::size_t tasks = task_count();
  const std::size_t lanes = c.lane_name.size();
  c.previous_in_lane.resize(tasks);
  c.blockers.resize(tasks);
  c.lane_begin.assign(lanes + 1, 0);
  std::vector<TaskId> last(lanes, kNoTask);
  for (std::size_t t = 0; t < tasks; ++t) {
    const std::size_t lane = c.core[t].lane.at();
    const TaskId previous = last[lane];
    c.previous_in_lane[t] = previous;
    if (previous != kNoTask) c.core[previous.at()].next_in_lane = TaskId{t};
    c.blockers[t] = previous != kNoTask ? 1 : 0;
    last[lane] = TaskId{t};
    ++c.lane_begin[lane + 1];
  }
  accumulate(c.lane_begin);
  std::vector<std::uint32_t> fill(c.lane_begin.begin(), c.lane_begin.end() - 1);
  c.lane_task.resize(tasks);
  for (std::size_t t = 0; t < tasks; ++t) c.lane_task[fill[c.core[t].lane.at()]++] = TaskId{t};
}

void TaskGraphBuilder::freeze_dependencies() {
  TaskGraphColumns& c = columns_;
  const std::size_t tasks = task_count();
  SIM_CHECK(tasks < (std::size_t{1} << 31) && dependencies_.size() < (std::size_t{1} << 32),
            "ids and offsets have 32 bits");
  // Counted one place further on, so that filling moves begin[i + 1] from the start of row i to its end.
  std::vector<std::uint32_t> successor_begin(tasks + 2, 0);
  c.predecessor_begin.assign(tasks + 2, 0);
  for (const Dependency& d : dependencies_) {
    ++successor_begin[d.before.at() + 2];
    ++c.predecessor_begin[d.after.at() + 2];
  }
  for (std::size_t t = 0; t < tasks; ++t) c.blockers[t] += c.predecessor_begin[t + 2];
  accumulate(successor_begin);
  accumulate(c.predecessor_begin);
  c.successor.resize(dependencies_.size());
  c.predecessor.resize(dependencies_.size());
  for (const Dependency& d : dependencies_) {
    c.successor[successor_begin[d.before.at() + 1]++] = d.after;
    c.predecessor[c.predecessor_begin[d.after.at() + 1]++] = d.before;
  }
  c.predecessor_begin.pop_back();
  c.core.resize(tasks + 1);
  for (std::size_t t = 0; t <= tasks; ++t) c.core[t].successor_begin = successor_begin[t];
}

void TaskGraphBuilder::check_work() {
  __extension__ using Wide = __int128;
  TaskGraphColumns& c = columns_;
  Wide work = 0;
  for (const TaskCore& task : c.core) {
    work += task.duration.ps;
    if (task.slowdown_row == 0) continue;
    SIM_CHECK(task.slowdown_row < c.slowdowns.size(), "a task's slowdown row is in the table");
    const GroupId group = c.lane_group[task.lane.at()];
    c.coupled |= task.duration.ps > 0 && group != kNoGroup && c.group_lanes[group.at()].size() > 1;
  }
  // The makespan is at most the sum of all stretched work, plus what rounding adds: less than one stretched
  // ps per change of a factor, and a start or an end changes at most seven.
  const Wide slack = static_cast<Wide>(task_count() + 1) << 20;
  SIM_CHECK(((work * c.slowdowns.largest()) >> 16) + slack < std::numeric_limits<std::int64_t>::max(),
            "the work of all tasks together exceeds 106 days of picoseconds");
}

TaskGraph TaskGraphBuilder::freeze() && {
  check_work();
  freeze_lanes();
  check_control();
  freeze_dependencies();
  dependencies_ = {};
  return TaskGraph{std::make_shared<const TaskGraphColumns>(std::move(columns_))};
}

}  // namespace orrery
