#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "sim/base/suggest.hpp"
#include "sim/base/units_text.hpp"
#include "sim/hw/host_rules.hpp"
#include "sim/layout/data_parallel.hpp"
#include "sim/report/measure.hpp"
#include "sim/workload/blocks.hpp"

namespace orrery {
namespace {

class List {
 public:
  void number(std::string name, const Sourced& s, std::string unit) {
    add(std::move(name), fmt::format("{}", s.value), std::move(unit), to_text(s.origin),
        s.source + ", " + s.date);
  }
  void add(std::string name, std::string value, std::string unit, std::string kind, std::string source) {
    rows.push_back({std::move(name), std::move(value), std::move(unit), std::move(kind), std::move(source)});
  }
  std::vector<Assumption> rows;
};

std::string rate_of(const OperatorCurve& c) {
  switch (c.form) {
    case CurveForm::kGemmTile: return fmt::format("{:g}", c.flops_per_s);
    case CurveForm::kBandwidth: return fmt::format("{:g}", c.bytes_per_s);
    case CurveForm::kSequence: return fmt::format("{:g}", c.flops_per_s_by_sequence.points().back()[1]);
    case CurveForm::kGemmKernel: return fmt::format("{:g}", c.gemm_kernel.flops_per_s);
    case CurveForm::kAttentionKernel: return fmt::format("{:g}", c.attention_kernel.flops_per_s);
  }
  return "";
}

template <class Fitted>
std::string fit_source(const Fitted& c) {
  std::string source = c.source + ", " + c.date;
  if (c.median_error) source += fmt::format("; median fit error {:.1f} %", 100.0 * *c.median_error);
  return source;
}

void add_curves(const Measured& in, const LoweredStep& step, List& list) {
  std::set<std::string> used;
  for (const CostedItem& item : step.items) used.insert(item.op_class);
  for (const std::string& name : used) {
    const OperatorCurve* c = in.scenario.cluster.gpu.find(name);
    if (c == nullptr) continue;
    const bool own = c->op_class == name;
    std::string source = (own ? "" : "as " + c->op_class + ": ") + fit_source(*c);
    if (!c->correction.empty()) source += "; times corrected by " + join(c->correction.sizes);
    list.add("operators." + name, rate_of(*c), c->form == CurveForm::kBandwidth ? "B/s" : "FLOP/s",
             own ? to_text(c->origin) : to_text(Origin::kAssumed), source);
  }
  for (const Contention& c : in.scenario.cluster.gpu.contention) {
    const bool applies = std::any_of(used.begin(), used.end(),
                                     [&](const std::string& name) { return name.rfind(c.op_class, 0) == 0; });
    if (applies) list.number("contention." + c.op_class, c.slowdown, "factor");
  }
}

/// Says by how much curves are scaled because the links are not those of the measurement.
void add_link_scale(const std::string& name, LinkScale scale, List& list) {
  constexpr double kSame = 1e-9;
  if (std::abs(scale.rate - 1) > kSame)
    list.add(name + ".rate", fmt::format("{:.4g}", scale.rate), "x the measured", "assumed",
             "the links of this scenario are not those of the measurement: rates in proportion");
  if (std::abs(scale.latency - 1) > kSame)
    list.add(name + ".latency", fmt::format("{:.4g}", scale.latency), "x the measured", "assumed",
             "latency of the tier inside the node over that of the measurement");
}

/// Curves of collectives that a step can have.
void add_collectives(const ClusterProfile& c, bool all_to_all, List& list) {
  if (!c.collectives) return;
  for (const std::string& operation : collective_names()) {
    const std::vector<const CollectiveCurve*> curves = c.collectives->of(operation);
    if (curves.empty() || (operation == "all-to-all" && !all_to_all)) continue;
    std::string gpus;
    for (const CollectiveCurve* curve : curves)
      gpus += (gpus.empty() ? "" : ", ") + std::to_string(curve->gpus);
    list.add("collectives." + operation, gpus, "GPUs of a node", to_text(curves.back()->origin),
             fit_source(*curves.back()));
    if (curves.back()->gpus < c.gpus_per_node)
      list.add("collectives." + operation + ".larger_groups", std::to_string(curves.back()->gpus),
               "GPUs measured at most", "assumed", "more GPUs of a node: the same rate, latency as log n");
  }
  add_link_scale("collectives", link_scale(c, *c.collectives), list);
}

void add_exchange(const ClusterProfile& c, const char* name, const std::optional<ExchangeCurve>& curve,
                  double rate, List& list) {
  if (!curve) return;
  const std::string key = std::string("expert_all_to_all.in_node_") + name;
  list.add(key, fmt::format("{} to {}", curve->least_sms, curve->most_sms), "SMs", to_text(curve->origin),
           fit_source(*curve));
  add_link_scale(key, link_scale(c, *curve, rate), list);
}

void add_network(const ClusterProfile& c, bool experts, TokenDispatcher dispatcher, List& list) {
  list.number("scale_up.bytes_per_s", c.scale_up.bytes_per_s, "B/s per GPU and direction");
  list.number("scale_up.efficiency", c.scale_up.efficiency, "share");
  list.number("scale_out.bytes_per_s", c.scale_out.bytes_per_s, "B/s per GPU and direction");
  list.number("scale_out.efficiency", c.scale_out.efficiency, "share");
  list.number("oversubscription", c.oversubscription, "ratio");
  const bool library = dispatcher == TokenDispatcher::kAllToAll;
  add_collectives(c, experts && library, list);
  if (!experts || library) return;
  const ExpertAllToAll& a = c.expert_all_to_all;
  list.add("expert_all_to_all", a.kernel, "", to_text(a.origin), a.source + ", " + a.date);
  add_exchange(c, "dispatch", a.in_node_dispatch, a.nvlink_dispatch_bytes_per_s, list);
  add_exchange(c, "combine", a.in_node_combine, a.nvlink_combine_bytes_per_s, list);
  list.number("expert_all_to_all.notify_dispatch_s", a.notify_dispatch_s, "s");
  list.number("expert_all_to_all.notify_cached_s", a.notify_cached_s, "s");
  list.number("expert_all_to_all.notify_combine_s", a.notify_combine_s, "s");
}

void add_stack(const Scenario& s, List& list) {
  if (s.stack.name.empty()) return;
  list.add("stack", s.stack.name, "", "given", s.stack.about);
  const StackKernels* k = s.stack.find(s.cluster.gpu.name);
  if (k == nullptr) {
    list.add("stack.kernels", "the profile's", "", "assumed",
             s.stack.name + " has no figures for kernels of " + s.cluster.gpu.name);
    return;
  }
  for (const StackKernels::Factor& f : k->kernel_time)
    list.number("stack.kernel_time" + (f.op_class.empty() ? "" : "." + f.op_class), f.factor,
                "x the profile's");
}

void add_sharding(const Layout& layout, List& list) {
  if (layout.zero_stage < 2) return;
  const DataParallelPlan plan = data_parallel_plan(layout);
  const bool beside = plan.reduce == DataTraffic::kEveryUse;
  const bool given = layout.overlap_grad_reduce || layout.overlap_param_gather;
  list.add("zero.overlap", beside ? "beside the work" : "between kernels", "", given ? "given" : "assumed",
           beside ? "gradients leave and weights arrive one unit ahead, as PyTorch's FSDP prefetches"
                  : "kernels wait for weights and gradients to move");
}

void add_offload(const Scenario& s, List& list) {
  if (s.layout.offload == Offload{}) return;
  const ClusterProfile& c = s.cluster;
  list.number("host_link_bytes_per_s", c.host_link_bytes_per_s, "B/s");
  list.number("host_memory_bytes", *c.host_memory_bytes, "B");
  list.add("offload.host_memory", fmt::format("{:g}", kUsableHostMemory), "of the host's memory", "assumed",
           "may hold what is offloaded");
  list.add("offload.copy_latency_s", fmt::format("{:g}", kHostCopyLatency_s), "s", "assumed",
           "of every copy");
  if (s.layout.offload.optimizer) {
    list.number("host_memory_bytes_per_s", *c.host_memory_bytes_per_s, "B/s");
    list.add("offload.host_update", fmt::format("{:g}", kReachedHostBandwidth), "of the host's bandwidth",
             "assumed", "gradients, update and weights one after the other");
  }
  if (s.layout.offload.activations)
    list.add("offload.activations", "every layer but the last before the head", "", "assumed",
             copies_share_port(c) ? "one layer ahead; copies and NIC share the GPU's PCIe port"
                                  : "one layer ahead, on a link of the host's own");
}

void add_windows(const Scenario& s, List& list) {
  const std::int64_t window = s.model.sliding_window;
  if (window == 0 || window >= s.training.sequence_length) return;
  const std::string where = fmt::format("{} of {} layers", s.model.window_layers(), s.model.layers);
  if (s.training.attention == AttentionKernel::kUnfused) {
    list.add("attention.window", "masked", "", "assumed", where + ": unfused attention computes every score");
    return;
  }
  list.add("attention.window", std::to_string(window), "keys", "given", "the model: " + where);
  if (s.layout.cp > 1)
    list.add("attention.window.exchange", "all keys and values", "", "assumed",
             "context parallelism moves what full attention needs");
}

void add_rules(const Measured& in, List& list) {
  const MemoryRules& r = in.rules;
  const Scenario& s = in.scenario;
  const bool fp8 = is_fp8(s.training.precision);
  list.add("memory.weight_bytes", fmt::format("{:g}", r.weight_bytes), "B/parameter", "assumed",
           fp8 ? "BF16 weights and one quantised FP8 copy" : "BF16 weights");
  const bool fp32 = s.training.gradients == GradientFormat::kFp32;
  list.add("memory.gradient_bytes", fmt::format("{:g}", r.gradient_bytes), "B/parameter",
           fp32 ? "published" : "given",
           fp32 ? "FP32 accumulation, arXiv 2412.19437, 3.3.2" : "scenario: summed up and reduced in BF16");
  list.add("memory.moment_bytes", fmt::format("{:g}", r.moment_bytes), "B/parameter",
           r.moment_bytes < 8 ? "published" : "assumed",
           r.moment_bytes < 8 ? "BF16 Adam moments, arXiv 2412.19437, 3.3.3" : "FP32 Adam moments");
  list.add("memory.master_bytes", fmt::format("{:g}", r.master_bytes), "B/parameter", "published",
           "FP32 master weights, arXiv 2412.19437, 3.3.3");
  list.add("memory.reserve",
           fmt::format("{:g} x 10^9 + {:g} %", r.reserve_bytes / 1e9, 100 * r.reserve_share),
           "B, of capacity", "assumed", "context, libraries and fragmentation");
  list.add("routing",
           s.routing.kind == Routing::Kind::kBalanced
               ? "balanced"
               : fmt::format("busiest rank {:g} x mean", s.routing.max_over_mean),
           "", "given", "scenario; balanced routing has no slow expert rank");
  const LossBytes loss = loss_bytes(s.training.loss);
  list.add("loss.bytes_per_logit", fmt::format("{:g}", loss.forward + loss.backward), "B", "assumed",
           s.training.loss == LossKernel::kFused
               ? "one fused kernel over BF16 logits (training.loss)"
               : "unfused cross-entropy over FP32 logits, passes counted as torch runs it; a fused kernel "
                 "moves 10 (training.loss)");
  list.add("messages", message_rule_names()[static_cast<std::size_t>(s.layout.messages)], "", "published",
           "blocking: deepseek-ai/DualPipe dualpipe.py @3da1bbe waits for its messages before the next step");
  add_windows(s, list);
  add_sharding(s.layout, list);
  add_offload(s, list);
  list.add("stragglers", "none", "", "assumed", "in the simulated step all GPUs run at the profile's rates");
  if (in.communication_sms > 0) {
    list.add("layout.communication_sms", std::to_string(in.communication_sms), "SMs",
             s.layout.communication_sms >= 0 ? "given" : "published",
             s.layout.communication_sms >= 0
                 ? "scenario"
                 : "all-to-all kernels of the cluster profile; arXiv 2412.19437, 3.2.2");
  }
  if (s.layout.stage_layers.empty() && !in.workload.stages.empty() && s.layout.pp * s.layout.vpp > 1) {
    std::string counts;
    for (const StageUnits& stage : in.workload.stages)
      counts += (counts.empty() ? "" : " ") + std::to_string(stage.layers);
    list.add("layout.stage_layers", counts, "layers", "assumed",
             "balanced by computed time; the smallest slowest stage");
  }
}

}  // namespace

std::vector<Assumption> list_assumptions(const Measured& in, const LoweredStep* step) {
  List list;
  const Scenario& s = in.scenario;
  for (const Scenario::Assumed& a : s.assumed) list.add(a.name, a.value, "", "assumed", a.why);
  if (s.economics.usd_per_gpu_hour)
    list.add("economics.usd_per_gpu_hour", fmt::format("{:g}", *s.economics.usd_per_gpu_hour), "USD", "given",
             "scenario");
  if (s.economics.pue)
    list.add("economics.pue", fmt::format("{:g}", *s.economics.pue), "ratio", "given", "scenario");
  add_stack(s, list);
  add_rules(in, list);
  const GpuProfile& gpu = s.cluster.gpu;
  list.number("gpu.sm_count", gpu.sm_count, "SMs");
  list.number("gpu.memory_bytes", gpu.memory_bytes, "B");
  list.number("gpu.hbm_bytes_per_s", gpu.hbm_bytes_per_s, "B/s");
  for (const auto& [name, number] : gpu.peak_flops_per_s) {
    if (name == "bf16") list.number("gpu.peak_flops_per_s.bf16 (base of MFU)", number, "FLOP/s");
  }
  list.number("gpu.host_launch_s", gpu.host_launch_s, "s/kernel");
  add_network(s.cluster, s.layout.ep > 1, s.layout.moe_dispatcher, list);
  if (step != nullptr) add_curves(in, *step, list);
  list.number("power.communication_floor_w", gpu.power.communication_floor_w, "W");
  if (gpu.power.kernel_w) list.number("power.kernel_w", *gpu.power.kernel_w, "W");
  list.number("power.joules_per_byte", gpu.power.joules_per_byte, "J/B");
  for (const auto& [name, number] : gpu.power.joules_per_flop)
    list.number("power.joules_per_flop." + name, number, "J/FLOP");
  const auto link = [&](const char* name, const std::optional<Sourced>& figure, const char* unit) {
    if (figure) {
      list.number(name, *figure, unit);
    } else {
      list.add(name, "not counted", unit, "assumed", "the profile has no figure");
    }
  };
  link("power.scale_up_joules_per_byte", gpu.power.scale_up_joules_per_byte, "J/B");
  link("power.scale_out_joules_per_byte", gpu.power.scale_out_joules_per_byte, "J/B");
  list.number("power.node_overhead_w", s.cluster.node_overhead_w, "W");
  link("power.switch_w", s.cluster.switch_w, "W");
  link("power.transceiver_w", s.cluster.transceiver_w, "W");
  return list.rows;
}

}  // namespace orrery
