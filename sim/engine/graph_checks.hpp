#pragma once

#include <vector>

#include "sim/engine/sim_time.hpp"
#include "sim/engine/task_graph.hpp"
#include "sim/engine/timeline.hpp"

namespace orrery {

// All checks see two kinds of edges: dependencies, and the order of tasks in a lane.

/// Tasks of one cycle, each before the next and the last before the first; empty when there is none.
/// A graph deadlocks exactly when it has a cycle.
[[nodiscard]] std::vector<TaskId> find_cycle(const TaskGraph& graph);

/// Longest path by solo durations: no schedule on these lanes can be faster. SIM_CHECK: no cycle.
[[nodiscard]] SimTime longest_path_length(const TaskGraph& graph);

/// A chain of tasks without a gap from time 0 to the makespan: each starts the moment its predecessor in
/// the chain ends, and waited for it.
struct CriticalPath {
  std::vector<TaskId> tasks;  ///< in the order of time
  SimTime length;             ///< = makespan, slowdowns included
};

/// Ties: the chain ends with the lowest task id among those that end last; going back, the task before in
/// the lane is preferred, then dependencies in the order they were added. SIM_CHECK: the run was done.
[[nodiscard]] CriticalPath critical_path(const TaskGraph& graph, const Timeline& timeline);

}  // namespace orrery
