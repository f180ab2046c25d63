#pragma once

#include <vector>

#include "sim/engine/sim_time.hpp"
#include "sim/engine/task_graph.hpp"

namespace orrery::bench {

struct BaselineTimes {
  std::vector<SimTime> start;
  std::vector<SimTime> end;
  SimTime makespan;
};

/// The textbook event loop over the same arrays: a `std::priority_queue` of (time, sequence, task),
/// counters of open dependencies, one FIFO per lane. Knows no slowdowns, no observer, no deadlock report.
[[nodiscard]] BaselineTimes run_baseline(const TaskGraph& graph);

}  // namespace orrery::bench
