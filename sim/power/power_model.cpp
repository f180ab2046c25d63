#include "sim/power/power_model.hpp"

#include <algorithm>

namespace orrery {
namespace {

double per_flop(const PowerFigures& figures, bool fp8) {
  const auto& known = figures.joules_per_flop;
  for (const char* name : {fp8 ? "fp8" : "bf16", fp8 ? "bf16" : "fp16"}) {
    if (const auto it = known.find(name); it != known.end()) return it->second.value;
  }
  return 0.0;
}

double value_or_zero(const std::optional<Sourced>& figure) {
  return figure ? figure->value : 0.0;
}

}  // namespace

double joules(const Activity& a, const PowerFigures& p) {
  return a.flops * per_flop(p, a.fp8) + a.memory_bytes * p.joules_per_byte.value +
         a.scale_up_bytes * value_or_zero(p.scale_up_joules_per_byte) +
         a.scale_out_bytes * value_or_zero(p.scale_out_joules_per_byte);
}

StaticPower static_power(const ClusterProfile& cluster, double nodes, double gpus, double switches,
                         double links) {
  const double transceivers = std::max(0.0, 2.0 * links - gpus);
  return {.nodes = Watts{cluster.node_overhead_w.value * nodes},
          .network = Watts{switches * value_or_zero(cluster.switch_w) +
                           transceivers * value_or_zero(cluster.transceiver_w)}};
}

}  // namespace orrery
