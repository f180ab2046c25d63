#pragma once

#include "sim/engine/timeline.hpp"
#include "sim/lower/lower.hpp"
#include "sim/report/metrics.hpp"

namespace orrery {

/// The chain of tasks that sets the step time, over all ranks, booked by cause like the waterfall of one
/// rank. It has no gap, so there is no bubble in it and it sums to the step. SIM_CHECK: the run was done.
[[nodiscard]] Waterfall account_critical_path(const LoweredStep& step, const Timeline& timeline);

}  // namespace orrery
