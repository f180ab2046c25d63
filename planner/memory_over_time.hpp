#pragma once

#include <cstdint>
#include <vector>

#include "sim/simulate.hpp"

namespace orrery {

/// What one pipeline rank's GPU holds over the step: `fixed` (weights, gradients, optimizer, buffers,
/// reserve) all the time, activations from `t_ps[i]` to the next point. The highest point is the result's
/// peak of that rank: both walk the schedule by the rules of sim/lower/memory.hpp.
struct MemoryOverTime {
  double fixed = 0;                ///< bytes
  std::vector<std::int64_t> t_ps;  ///< ascending, begins with 0
  std::vector<double> activations;
  [[nodiscard]] double peak() const;
};

/// One entry per pipeline rank. A forward's activations count from its start, what a backward frees counts
/// until its end. The result is the scenario's and feasible.
[[nodiscard]] std::vector<MemoryOverTime> memory_over_time(const Scenario& scenario, const SimResult& result);

}  // namespace orrery
