#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/engine/sharing.hpp"
#include "sim/engine/sim_time.hpp"

namespace orrery {

/// Lanes that slow each other down while they run together.
using GroupId = Index<struct GroupTag>;

inline constexpr TaskId kNoTask{-1};
inline constexpr GroupId kNoGroup{-1};

/// What a run reads of a task, side by side in memory.
struct TaskCore {
  SimTime duration = {};  ///< when running alone
  ResourceId lane = {};
  TaskId next_in_lane = kNoTask;      ///< kNoTask at the end of the lane
  std::uint32_t successor_begin = 0;  ///< the successors end where those of the next task begin
  std::uint16_t slowdown_row = 0;
  std::uint8_t kind = 0;
};
static_assert(sizeof(TaskCore) == 24);

/// The arrays of a frozen graph. Subscripts: task id, lane id, or offsets into the flat lists.
struct TaskGraphColumns {
  // One entry per task, in the order of creation.
  std::vector<TaskCore> core;            ///< and one more, for the end of the last successors
  std::vector<TaskId> previous_in_lane;  ///< kNoTask at the head of the lane
  std::vector<std::uint32_t> blockers;   ///< dependencies, + 1 if a task precedes it in the lane
  std::vector<NameId> name;
  std::vector<std::int32_t> tag;  ///< the maker's own number; -1 when none
  // Flat lists with tasks + 1 (lanes + 1) offsets; each list keeps the order in which it was added.
  std::vector<TaskId> successor;
  std::vector<std::uint32_t> predecessor_begin;
  std::vector<TaskId> predecessor;
  std::vector<std::uint32_t> lane_begin;
  std::vector<TaskId> lane_task;
  // One entry per lane, group or name.
  std::vector<NameId> lane_name;
  std::vector<GroupId> lane_group;
  std::vector<std::uint8_t> lane_position;  ///< place in the group = bit in the mask of busy lanes
  std::vector<std::vector<ResourceId>> group_lanes;
  std::vector<std::string> text;
  SlowdownTable slowdowns;
  bool coupled = false;  ///< some task with work and a row other than 0 has a neighbour lane
};

/// Tasks on lanes with dependencies between them: what the engine runs. Made by TaskGraphBuilder, then
/// frozen; a handle to shared constant arrays, so copies are cheap and a Timeline can keep its graph.
///
/// A lane runs its tasks one at a time in the order of their creation (a CUDA stream): a task starts
/// when its lane's earlier tasks and all its dependencies have ended. About 60 bytes per task.
class TaskGraph {
 public:
  TaskGraph();  ///< no tasks, no lanes
  explicit TaskGraph(std::shared_ptr<const TaskGraphColumns> columns) : columns_(std::move(columns)) {}

  [[nodiscard]] const TaskGraphColumns& columns() const { return *columns_; }

  [[nodiscard]] std::size_t task_count() const { return columns_->name.size(); }
  [[nodiscard]] std::size_t lane_count() const { return columns_->lane_name.size(); }
  [[nodiscard]] std::size_t group_count() const { return columns_->group_lanes.size(); }
  [[nodiscard]] std::size_t dependency_count() const { return columns_->successor.size(); }
  [[nodiscard]] bool coupled() const { return columns_->coupled; }

  [[nodiscard]] SimTime duration(TaskId t) const { return columns_->core[t.at()].duration; }
  [[nodiscard]] ResourceId lane(TaskId t) const { return columns_->core[t.at()].lane; }
  [[nodiscard]] TaskId next_in_lane(TaskId t) const { return columns_->core[t.at()].next_in_lane; }
  [[nodiscard]] TaskId previous_in_lane(TaskId t) const { return columns_->previous_in_lane[t.at()]; }
  [[nodiscard]] std::uint8_t kind(TaskId t) const { return columns_->core[t.at()].kind; }
  [[nodiscard]] std::int32_t tag(TaskId t) const { return columns_->tag[t.at()]; }
  [[nodiscard]] std::uint16_t slowdown_row(TaskId t) const { return columns_->core[t.at()].slowdown_row; }
  [[nodiscard]] NameId name_id(TaskId t) const { return columns_->name[t.at()]; }
  [[nodiscard]] std::string_view name(TaskId t) const { return text(name_id(t)); }
  [[nodiscard]] std::string_view text(NameId n) const { return columns_->text[n.at()]; }

  /// Tasks that depend on `t`, and those `t` depends on; the order of the lane is not in these lists.
  [[nodiscard]] std::span<const TaskId> successors(TaskId t) const {
    const std::uint32_t begin = columns_->core[t.at()].successor_begin;
    return {columns_->successor.data() + begin, columns_->core[t.at() + 1].successor_begin - begin};
  }
  [[nodiscard]] std::span<const TaskId> predecessors(TaskId t) const {
    return row(columns_->predecessor, columns_->predecessor_begin, t.at());
  }

  /// Tasks of a lane in the order in which it runs them.
  [[nodiscard]] std::span<const TaskId> lane_tasks(ResourceId l) const {
    return row(columns_->lane_task, columns_->lane_begin, l.at());
  }
  [[nodiscard]] std::string_view lane_name(ResourceId l) const { return text(columns_->lane_name[l.at()]); }
  [[nodiscard]] GroupId lane_group(ResourceId l) const { return columns_->lane_group[l.at()]; }
  [[nodiscard]] std::span<const ResourceId> group_lanes(GroupId g) const {
    return columns_->group_lanes[g.at()];
  }

 private:
  static std::span<const TaskId> row(const std::vector<TaskId>& list, const std::vector<std::uint32_t>& begin,
                                     std::size_t i) {
    return {list.data() + begin[i], begin[i + 1] - begin[i]};
  }

  std::shared_ptr<const TaskGraphColumns> columns_;
};

}  // namespace orrery
