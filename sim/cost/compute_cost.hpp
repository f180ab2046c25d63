#pragma once

#include <cstdint>

#include "sim/base/units.hpp"
#include "sim/hw/gpu_profile.hpp"
#include "sim/workload/op.hpp"

namespace orrery {

/// Time of one op alone on `sms` SMs, and how much slower it runs while communication kernels work beside it.
struct OpCost {
  Seconds alone;
  double beside_communication = 1;  ///< factor >= 1
};

/// Evaluates the profile's curve of the op's class. Equations (docs/models/compute.md), S = `sms`:
///   gemm-tile   waves * 2*tm*tn*k / (rate/SMs) + output/(output rate * min(1, S/SMs));
///               waves = ceil(groups * ceil(m/tm) * ceil(n/tn) / S), best tile
///   bandwidth   bytes / (rate * min(1, S/SMs)^sm_exponent)
///   sequence    flops / (rate(sequence * window_share) * (S/SMs)^sm_exponent)
/// and the forms of kernel_time.hpp; those times and their overhead take the factor of the curve's
/// correction. A curve measured beside communication is divided by the class's contention factor to get
/// `alone`. More SMs than the measurement had are used by gemm-tile and sequence, but never to exceed the
/// device's HBM: those two take at least bytes / (0.9 * HBM). Where the owner has set a power cap C' below
/// the board's C, a kernel of J joules above the floor F, its own draw included, takes max(1, J / (C' - F) /
/// max(time, J / (C - F))) times as long: no factor at C' = C, monotone in C'. kernels * overhead is added
/// last. Errors: InputError naming profile and class when the profile has no curve for it.
[[nodiscard]] OpCost op_cost(const Op& op, const GpuProfile& gpu, std::int64_t sms);

}  // namespace orrery
