#pragma once

#include "sim/engine/timeline.hpp"
#include "sim/lower/lower.hpp"
#include "sim/report/metrics.hpp"
#include "sim/scenario.hpp"

namespace orrery {

/// Power of GPUs, nodes and cluster over the simulated step. All replicas of a pipeline rank do the same at
/// the same time; a node's trace is the sum of the ranks that its GPUs belong to. Energy is at the machines,
/// without PUE.
/// Where steps overlap (`step_time_s` shorter than the timeline) the means are those of the period, the trace
/// that of one step alone.
[[nodiscard]] Power step_power(const Scenario& scenario, const LoweredStep& step, const Timeline& timeline,
                               double step_time_s, double step_tokens);

}  // namespace orrery
