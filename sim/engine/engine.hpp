#pragma once

#include "sim/engine/observer.hpp"
#include "sim/engine/task_graph.hpp"
#include "sim/engine/timeline.hpp"

namespace orrery {

/// How a run finds the times. Both ways give the same times to the picosecond.
enum class RunPath {
  kAuto,    ///< relaxation when no lane slows another and nobody watches, else events
  kEvents,  ///< always through the event queue
};

struct RunOptions {
  Observer* observer = nullptr;  ///< not owned; null costs nothing
  RunPath path = RunPath::kAuto;
};

/// Runs the graph from time 0. A task starts as soon as it is at the head of its lane, the lane is free
/// and all its dependencies have ended; while it runs, sharing.hpp says how its neighbours stretch it.
/// Stops when every task has run, or in a deadlock, which is a result and not an error.
///
/// Order within one instant, in rounds: all tasks that end now end, in the order of their lanes' ids;
/// then all tasks that have become free start, in the order of their lanes' ids; tasks of zero duration
/// among them end in the next round of the same instant. New slowdowns take effect once the last round is
/// over. So no time depends on the order in which equal times were found, and an observer sees one order.
[[nodiscard]] Timeline run(const TaskGraph& graph, const RunOptions& options = {});

}  // namespace orrery
