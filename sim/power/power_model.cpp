#include "sim/power/power_model.hpp"

#include <algorithm>
#include <cmath>

namespace orrery {

PowerEstimate estimate_power(const std::vector<RankActivity>& ranks, const ClusterProfile& cluster,
                             std::int64_t gpus) {
  const PowerFigures& p = cluster.gpu.power;
  const auto per_flop = [&](const char* precision, const char* fallback) {
    auto it = p.joules_per_flop.find(precision);
    if (it == p.joules_per_flop.end()) it = p.joules_per_flop.find(fallback);
    return it == p.joules_per_flop.end() ? 0.0 : it->second.value;
  };
  PowerEstimate out;
  for (const RankActivity& r : ranks) {
    const double joules = r.bf16_flops * per_flop("bf16", "fp16") + r.fp8_flops * per_flop("fp8", "bf16") +
                          r.memory_bytes * p.joules_per_byte.value;
    const double watts = std::min(p.cap_w.value, p.communication_floor_w.value + joules / r.seconds);
    out.gpu_mean += Watts{watts / static_cast<double>(ranks.size())};
  }
  // A node draws its overhead whether all of its GPUs take part or not.
  const auto count = static_cast<double>(gpus);
  const double nodes = std::ceil(count / static_cast<double>(cluster.gpus_per_node));
  out.cluster_mean = out.gpu_mean * count + Watts{cluster.node_overhead_w.value} * nodes;
  out.node_mean = out.cluster_mean / nodes;
  return out;
}

}  // namespace orrery
