#pragma once

#include "calibrate/sweep/standard_plan.hpp"

namespace orrery {

/// Cases of the same classes and kernels as the standard plan at sizes that it does not have, for checking a
/// profile: every case of it with each free size times 2^u, u uniform in (-1, 1), rounded to what kernels ask
/// for and kept within bounds (the source has the table). What describes the model - head dimensions, heads,
/// experts, page - stays. Only classes that a profile predicts: products, attention and memory-bound kernels,
/// no sustained runs. The same seed gives the same cases on every machine.
[[nodiscard]] std::vector<Case> held_out_plan(const std::vector<ModelSpec>& models,
                                              const PlanOptions& options, std::uint64_t seed);

}  // namespace orrery
