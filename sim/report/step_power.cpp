#include "sim/report/step_power.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "sim/layout/rank_map.hpp"
#include "sim/network/fabric.hpp"
#include "sim/power/power_model.hpp"
#include "sim/power/power_trace.hpp"

namespace orrery {
namespace {

bool is_kernel(const CostedItem& item) {
  return item.kind == TaskKind::kCompute || item.kind == TaskKind::kRecompute ||
         item.kind == TaskKind::kOptimizer;
}

Activity activity_of(const CostedItem& item) {
  if (is_kernel(item)) {
    return {.flops = item.flops,
            .fp8 = item.op_class.find("fp8") != std::string::npos,
            .memory_bytes = item.bytes};
  }
  // A transfer reads what it sends and writes what it receives; what does not leave by the NIC takes NVLink.
  return {.memory_bytes = 2.0 * item.bytes,
          .scale_up_bytes = std::max(0.0, item.bytes - item.scale_out_bytes),
          .scale_out_bytes = item.scale_out_bytes};
}

/// How many GPUs of each pipeline rank the nodes hold, each different mix once.
std::map<std::vector<int>, std::int64_t> node_mixes(const Scenario& s) {
  const RankMap map(s.layout, s.gpus, s.cluster.gpus_per_node);
  std::map<std::vector<int>, std::int64_t> mixes;
  std::vector<int> mix(static_cast<std::size_t>(s.layout.pp), 0);
  for (std::int64_t gpu = 0; gpu < s.gpus; ++gpu) {
    ++mix[static_cast<std::size_t>(map.coordinates(GpuId(static_cast<std::int32_t>(gpu))).pp)];
    if ((gpu + 1) % s.cluster.gpus_per_node != 0 && gpu + 1 != s.gpus) continue;
    ++mixes[mix];
    std::fill(mix.begin(), mix.end(), 0);
  }
  return mixes;
}

double node_peak(const Scenario& s, const PowerTrace& trace) {
  double peak = 0;
  for (const auto& [mix, nodes] : node_mixes(s)) {
    for (std::size_t b = 0; b < trace.rank_w.front().size(); ++b) {
      double watts = s.cluster.node_overhead_w.value;
      for (std::size_t r = 0; r < mix.size(); ++r) {
        if (mix[r] > 0) watts += mix[r] * trace.rank_w[r][b];
      }
      peak = std::max(peak, watts);
    }
  }
  return peak;
}

}  // namespace

Power step_power(const Scenario& s, const LoweredStep& step, const Timeline& timeline, double step_time_s,
                 double step_tokens) {
  std::vector<double> joules_by_item;
  joules_by_item.reserve(step.items.size());
  const auto kernels = std::make_unique<bool[]>(step.items.size());
  for (const CostedItem& item : step.items) {
    kernels[joules_by_item.size()] = is_kernel(item);
    joules_by_item.push_back(joules(activity_of(item), s.cluster.gpu.power));
  }
  const PowerTrace trace = power_trace({.timeline = timeline,
                                        .item_by_task = step.item_by_task,
                                        .joules_by_item = joules_by_item,
                                        .is_kernel_by_item = {kernels.get(), step.items.size()},
                                        .ranks = step.ranks,
                                        .lanes_per_rank = kLaneCount,
                                        .figures = s.cluster.gpu.power});
  const double gpus = static_cast<double>(s.gpus);
  const double nodes = std::ceil(gpus / static_cast<double>(s.cluster.gpus_per_node));
  const Fabric fabric = fabric_of(s.cluster, s.gpus);
  const StaticPower rest = static_power(s.cluster, nodes, gpus, static_cast<double>(fabric.switches),
                                        static_cast<double>(fabric.links));
  Power out;
  const double floor = s.cluster.gpu.power.communication_floor_w.value;
  const double overlap = to_seconds(timeline.makespan).value / step_time_s;
  const double mean_w =
      overlap == 1.0 ? trace.mean_w
                     : std::min(s.cluster.gpu.power.cap_w.value, floor + (trace.mean_w - floor) * overlap);
  out.gpu_mean_w = mean_w;
  out.gpu_peak_w = trace.peak_w;
  out.node_mean_w = (mean_w * gpus + rest.nodes.value) / nodes;
  out.node_peak_w = node_peak(s, trace);
  out.nodes_overhead_w = rest.nodes.value;
  if (s.cluster.switch_w || fabric.switches == 0) out.network_w = rest.network.value;
  out.cluster_mean_w = mean_w * gpus + rest.nodes.value + rest.network.value;
  out.bin_s = trace.bin_s;
  out.gpu_by_bin_w = trace.mean_by_bin();
  for (const double watts : out.gpu_by_bin_w) {
    out.node_by_bin_w.push_back((watts * gpus + rest.nodes.value) / nodes);
    out.cluster_by_bin_w.push_back(watts * gpus + rest.nodes.value + rest.network.value);
  }
  const double highest = *std::max_element(out.gpu_by_bin_w.begin(), out.gpu_by_bin_w.end());
  out.cluster_peak_w = highest * gpus + rest.nodes.value + rest.network.value;
  out.rank_by_bin_w = trace.rank_w;
  out.capped_share = trace.capped_share;
  out.cap_stretch = trace.cap_stretch;
  out.step_j = *out.cluster_mean_w * step_time_s;
  out.per_token_j = *out.step_j / step_tokens;
  return out;
}

}  // namespace orrery
