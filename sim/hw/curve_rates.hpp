#pragma once

#include "sim/hw/gpu_profile.hpp"

namespace orrery {

/// Makes kernels of a curve `factor` times as fast in what they compute and move, whatever its form: each
/// keeps its rates in a place of its own.
void scale_rates(OperatorCurve& curve, double factor);

}  // namespace orrery
