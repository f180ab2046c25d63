#pragma once

#include "sim/workload/blocks.hpp"
#include "sim/workload/stage_work.hpp"

namespace orrery {

/// Fills kept, deferred and working bytes of a transformer unit for one microbatch on one rank. What is kept
/// follows the recompute policy and the precision (arXiv 2412.19437, 3.3.3 for FP8); without FP8 it is the
/// usual set of a layer with a fused attention kernel (arXiv 2205.05198, section 4, minus the score matrix).
void set_activation_bytes(const BlockContext& c, bool moe, UnitWork& unit);

}  // namespace orrery
