#pragma once

#include <cstdint>
#include <vector>

#include "sim/base/units.hpp"
#include "sim/hw/cluster.hpp"

namespace orrery {

/// What one GPU did in a step.
struct RankActivity {
  double seconds = 0;
  double bf16_flops = 0;
  double fp8_flops = 0;
  double memory_bytes = 0;
};

struct PowerEstimate {
  Watts gpu_mean;      ///< mean over the GPUs and the step
  Watts node_mean;     ///< mean over the nodes: their GPUs in use plus the overhead of a whole node
  Watts cluster_mean;  ///< all nodes together
};

/// Mean board power = floor + (FLOPs * J/FLOP + bytes * J/byte) / time, at most the cap. The floor is the
/// power of a GPU that waits or issues small kernels. Source of the form: docs/models/power.md. Known error:
/// no link energy, no time resolution; the cap's effect on clocks is in the sustained kernel rates, not here.
[[nodiscard]] PowerEstimate estimate_power(const std::vector<RankActivity>& ranks,
                                           const ClusterProfile& cluster, std::int64_t gpus);

}  // namespace orrery
