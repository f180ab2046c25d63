#pragma once

#include <string>
#include <vector>

#include "sim/engine/sim_time.hpp"
#include "sim/engine/task_graph.hpp"

namespace orrery {

/// Why a run ended.
enum class StopReason {
  kDone,      ///< every task has run
  kDeadlock,  ///< no task runs and none can start: lane orders and dependencies contradict each other
};

/// A task at the head of its lane when a run stopped in a deadlock, and the unfinished tasks it waits for.
struct WaitingTask {
  TaskId task;
  std::vector<TaskId> on;
  bool operator==(const WaitingTask&) const = default;
};

/// What happened when: two columns beside the columns of the graph. A plan's outcome, never the plan.
struct Timeline {
  TaskGraph graph;
  std::vector<SimTime> start;  ///< by task; kNever if it did not run
  std::vector<SimTime> end;    ///< by task; kNever if it did not run
  SimTime makespan;            ///< end of the last task that ran
  StopReason stop = StopReason::kDone;
  std::vector<WaitingTask> waiting;  ///< by lane; empty when done

  /// Time lost to neighbours: (end - start) - duration, >= 0. The task has run.
  [[nodiscard]] SimTime extra(TaskId task) const {
    return end[task.at()] - start[task.at()] - graph.duration(task);
  }

  /// Time during which the lane ran a task.
  [[nodiscard]] SimTime busy(ResourceId lane) const;
};

/// The waiting set of a deadlock for people, one line per lane; empty when the run was done.
[[nodiscard]] std::string deadlock_text(const Timeline& timeline);

}  // namespace orrery
