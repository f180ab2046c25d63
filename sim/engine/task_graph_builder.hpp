#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sim/engine/task_graph.hpp"

namespace orrery {

/// What a new task is made of.
struct TaskSpec {
  ResourceId lane = {};
  SimTime duration = {};           ///< when running alone, >= 0; 0 makes a join or a marker
  std::uint8_t kind = 0;           ///< the maker's own classes, meaningless to the engine
  NameId name = {};                ///< from intern(); the empty text when left out
  std::int32_t tag = -1;           ///< the maker's own number, e.g. an action's index
  std::uint16_t slowdown_row = 0;  ///< row of the table given to set_slowdowns()
};

/// Collects lanes, tasks and dependencies and freezes them into a TaskGraph. Wrong ids, negative
/// durations and a task that depends on itself are broken invariants (SIM_CHECK).
class TaskGraphBuilder {
 public:
  TaskGraphBuilder();

  void reserve(std::size_t tasks, std::size_t dependencies);

  /// Number of a text; equal texts share one.
  NameId intern(std::string_view text);

  GroupId add_group();

  /// At most kMaxGroupLanes lanes to a group; their positions follow the order of creation.
  ResourceId add_lane(std::string_view name, GroupId group = kNoGroup);

  /// Appends a task to its lane.
  TaskId add_task(const TaskSpec& spec) {
    const std::size_t id = columns_.name.size();
    SIM_CHECK(spec.lane.at() < columns_.lane_name.size(), "a task needs an existing lane");
    SIM_CHECK(spec.duration.ps >= 0, "a task's duration is not negative");
    SIM_CHECK(spec.name.at() < columns_.text.size(), "a task's name comes from intern()");
    columns_.core.push_back(
        {.duration = spec.duration, .lane = spec.lane, .slowdown_row = spec.slowdown_row, .kind = spec.kind});
    columns_.name.push_back(spec.name);
    columns_.tag.push_back(spec.tag);
    return TaskId{id};
  }

  /// `after` starts no earlier than `before` ends. Both exist already, in any order of creation.
  void add_dependency(TaskId before, TaskId after) {
    SIM_CHECK(before.at() < columns_.name.size(), "a dependency names an existing task");
    SIM_CHECK(after.at() < columns_.name.size(), "a dependency names an existing task");
    SIM_CHECK(before != after, "a task cannot wait for itself");
    dependencies_.push_back({before, after});
  }

  void set_slowdowns(SlowdownTable table) { columns_.slowdowns = std::move(table); }

  [[nodiscard]] std::size_t task_count() const { return columns_.name.size(); }

  /// Checks rows and the sum of all work (it bounds every time, so the engine cannot overflow), builds
  /// the flat lists in one counting pass each. The builder is used up.
  [[nodiscard]] TaskGraph freeze() &&;

 private:
  struct Dependency {
    TaskId before;
    TaskId after;
  };
  struct TextHash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  void freeze_lanes();
  void freeze_dependencies();
  void check_work();

  TaskGraphColumns columns_;
  std::vector<Dependency> dependencies_;
  std::unordered_map<std::string, NameId, TextHash, std::equal_to<>> name_of_;  ///< looked up, never walked
};

}  // namespace orrery
