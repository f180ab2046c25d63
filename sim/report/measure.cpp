#include "sim/report/measure.hpp"

#include <algorithm>

#include "sim/base/work_control.hpp"
#include "sim/layout/rank_map.hpp"
#include "sim/lower/step_window.hpp"
#include "sim/report/critical_path_account.hpp"
#include "sim/report/link_load.hpp"
#include "sim/report/step_accounts.hpp"
#include "sim/report/step_power.hpp"
#include "sim/workload/flops.hpp"

namespace orrery {
namespace {

constexpr double kSecondsPerDay = 86400.0;

void add_memory(const Measured& in, Metrics& out) {
  out.memory_capacity = in.scenario.cluster.gpu.memory_bytes.value;
  for (std::size_t r = 0; r < in.memory.size(); ++r) {
    const RankMemory& m = in.memory[r];
    out.memory.push_back({.rank = static_cast<std::int64_t>(r),
                          .weights = m.weights,
                          .gradients = m.gradients,
                          .optimizer = m.optimizer,
                          .activations = m.activations,
                          .buffers = m.buffers,
                          .reserve = m.reserve,
                          .total = m.total(),
                          .live_microbatches = m.peak_microbatches,
                          .host = m.host});
    out.memory_peak = std::max(out.memory_peak, m.total());
  }
}

Breakdown mean_of(const std::vector<RankAccount>& accounts) {
  Breakdown mean;
  const double n = static_cast<double>(accounts.size());
  for (const RankAccount& a : accounts) {
    const Breakdown& b = a.times.breakdown;
    mean.forward += b.forward / n;
    mean.backward_input += b.backward_input / n;
    mean.backward_weight += b.backward_weight / n;
    mean.forward_backward += b.forward_backward / n;
    mean.bubble += b.bubble / n;
    mean.optimizer += b.optimizer / n;
    mean.other += b.other / n;
  }
  return mean;
}

std::string extras_of(const Measured& in, const StageUnits& stage) {
  std::string text;
  std::size_t heads = 0;
  std::size_t mtp = 0;
  for (std::size_t u : stage.units) {
    const UnitKind kind = in.workload.units[u].kind;
    if (kind == UnitKind::kEmbedding) text = "embedding";
    heads += kind == UnitKind::kHead ? 1 : 0;
    mtp += kind == UnitKind::kMtp ? 1 : 0;
  }
  const auto add = [&](const std::string& more) { text += (text.empty() ? "" : " + ") + more; };
  if (heads > 0) add("head");
  if (mtp > 0) add(mtp == 1 ? "MTP module" : std::to_string(mtp) + " MTP modules");
  return text;
}

std::vector<GroupRow> groups_of(const Scenario& s) {
  const RankMap map(s.layout, s.gpus, s.cluster.gpus_per_node);
  std::vector<GroupRow> rows;
  for (Axis axis : {Axis::kTp, Axis::kCp, Axis::kPp, Axis::kDp, Axis::kEtp, Axis::kEp, Axis::kExpertDp}) {
    const bool expert = axis == Axis::kEtp || axis == Axis::kEp || axis == Axis::kExpertDp;
    if (expert && !s.model.moe) continue;
    const GroupSpan span = map.span(GpuId{0}, axis);
    const char* tier = span.size == 1      ? "none"
                       : span.nodes == 1   ? "scale-up"
                       : span.per_node > 1 ? "both"
                                           : "scale-out";
    rows.push_back({.axis = to_text(axis),
                    .size = span.size,
                    .groups = s.gpus / span.size,
                    .per_node = span.per_node,
                    .nodes = span.nodes,
                    .tier = tier});
  }
  return rows;
}

Throughput throughput_of(const Measured& in, double step_s, double tokens) {
  const Scenario& s = in.scenario;
  Throughput t;
  t.tokens_per_s = tokens / step_s;
  t.tokens_per_day = t.tokens_per_s * kSecondsPerDay;
  t.tokens_per_s_per_gpu = t.tokens_per_s / static_cast<double>(s.gpus);
  const auto tflops = [&](bool causal) {
    return model_flops_per_token(s.model, s.training.sequence_length, causal).value * t.tokens_per_s_per_gpu /
           1e12;
  };
  t.model_tflops_per_gpu_causal = tflops(true);
  t.model_tflops_per_gpu_noncausal = tflops(false);
  const auto peak = s.cluster.gpu.peak_flops_per_s.find("bf16");
  if (peak != s.cluster.gpu.peak_flops_per_s.end()) {
    t.mfu_causal = t.model_tflops_per_gpu_causal * 1e12 / peak->second.value;
    t.mfu_noncausal = t.model_tflops_per_gpu_noncausal * 1e12 / peak->second.value;
  }
  return t;
}

double work_in_steps(const Breakdown& b) {
  return b.forward + b.backward_input + b.backward_weight + b.forward_backward;
}

/// What the rank has less to do in its steps than the busiest one, as far as it waits between them: no order
/// of work could remove it.
void set_imbalance(const std::vector<RankAccount>& accounts, const Breakdown& own, Waterfall& w) {
  double busiest = 0;
  for (const RankAccount& a : accounts) busiest = std::max(busiest, work_in_steps(a.times.breakdown));
  w.imbalance = std::min(w.bubble, busiest - work_in_steps(own));
  w.bubble -= *w.imbalance;
}

std::optional<double> ideal_compute(const RankAccount& a, const GpuProfile& gpu) {
  const auto seconds = [&](double flops, const char* precision) -> std::optional<double> {
    if (flops == 0) return 0.0;
    const auto peak = gpu.peak_flops_per_s.find(precision);
    if (peak == gpu.peak_flops_per_s.end()) return std::nullopt;
    return flops / peak->second.value;
  };
  const double bf16 = a.flops - a.fp8_flops - a.recomputed_bf16_flops;
  const std::optional<double> plain = seconds(bf16, "bf16");
  const std::optional<double> low = seconds(a.fp8_flops - a.recomputed_fp8_flops, "fp8");
  return plain && low ? std::optional<double>(*plain + *low) : std::nullopt;
}

Run run_of(const Measured& in, const Metrics& m) {
  const Scenario& s = in.scenario;
  Run run;
  run.tokens = s.training.tokens;
  const double per_token_s = m.step_time_s / m.step_tokens;
  run.gpu_hours_per_trillion_tokens = 1e12 * per_token_s * static_cast<double>(s.gpus) / 3600.0;
  if (s.training.tokens <= 0) return run;
  run.days = s.training.tokens * per_token_s / kSecondsPerDay;
  run.gpu_hours = *run.days * 24.0 * static_cast<double>(s.gpus);
  if (s.economics.usd_per_gpu_hour) run.usd = *run.gpu_hours * *s.economics.usd_per_gpu_hour;
  run.ideal_days = run.days;
  run.ideal_gpu_hours = run.gpu_hours;
  run.ideal_usd = run.usd;
  if (m.power.cluster_mean_w && s.economics.pue) {
    run.energy_mwh = *m.power.cluster_mean_w * *s.economics.pue * *run.days * 24.0 / 1e6;
  }
  return run;
}

}  // namespace

double optimizer_traffic(const MemoryRules& rules) {
  return rules.gradient_bytes + 2.0 * rules.moment_bytes + 2.0 * rules.master_bytes + 2.0;
}

Metrics measure(const Measured& in, const LoweredStep& step, const Timeline& timeline) {
  Metrics m;
  m.tasks = static_cast<std::int64_t>(step.graph.task_count());
  const StepPeriod period = step_period(step, timeline);
  m.step_time_s = to_seconds(period.length).value;
  m.step_tokens =
      static_cast<double>(in.scenario.training.global_batch_size * in.scenario.training.sequence_length);
  const std::vector<RankAccount> accounts = account_ranks(step, timeline);
  const auto slowest = accounts.begin() + static_cast<std::ptrdiff_t>(period.longest_rank);
  m.slowest_rank = slowest->times.rank;
  m.breakdown = slowest->times.breakdown;
  m.waterfall = slowest->waterfall;
  set_imbalance(accounts, slowest->times.breakdown, m.waterfall);
  m.ideal_compute_s = ideal_compute(*slowest, in.scenario.cluster.gpu);
  check_control();
  if (step.barrier) m.critical_path = account_critical_path(step, timeline);
  check_control();
  m.mean_breakdown = mean_of(accounts);
  for (const RankAccount& a : accounts) m.ranks.push_back(a.times);
  for (std::size_t i = 0; i < in.workload.stages.size(); ++i) {
    const StageUnits& stage = in.workload.stages[i];
    m.stages.push_back({.stage = static_cast<std::int64_t>(i),
                        .first_layer = stage.first_layer,
                        .layers = stage.layers,
                        .extras = extras_of(in, stage)});
  }
  add_stage_means(step, timeline, m.stages);
  m.groups = groups_of(in.scenario);
  m.links = link_load(step);
  m.throughput = throughput_of(in, m.step_time_s, m.step_tokens);
  add_memory(in, m);
  check_control();
  m.power = step_power(in.scenario, step, timeline, m.step_time_s, m.step_tokens);
  m.run = run_of(in, m);
  m.assumptions = list_assumptions(in, &step);
  return m;
}

Metrics infeasible_metrics(const Measured& in, const Infeasible& reason) {
  Metrics m;
  m.infeasible = reason;
  add_memory(in, m);
  m.assumptions = list_assumptions(in, nullptr);
  return m;
}

}  // namespace orrery
