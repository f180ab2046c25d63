#include "planner/report_runs.hpp"

#include <algorithm>
#include <cmath>
#include <future>
#include <set>

#include "sim/base/check.hpp"
#include "sim/base/work_control.hpp"
#include "sim/hw/curve_rates.hpp"
#include "sim/simulate.hpp"

namespace orrery {
namespace {

/// Simulates all; two at a time.
std::vector<StepOutcome> run_all(const std::vector<Scenario>& scenarios) {
  std::vector<StepOutcome> out(scenarios.size());
  const WorkControl* const control = current_control();
  const auto work = [&](std::size_t first) {
    const ControlScope scope(control);
    for (std::size_t i = first; i < scenarios.size(); i += 2) out[i] = step_outcome(scenarios[i]);
  };
  std::future<void> other = std::async(std::launch::async, work, std::size_t{1});
  work(0);
  other.get();
  return out;
}

struct Change {
  StepInput input;
  Scenario low, high;
  bool has_low = true;
};

/// The share of a tier's rate that large transfers reach, a tenth less and more.
Change of_tier(const Scenario& s, Tier ClusterProfile::*tier, const char* key, const char* what) {
  const Sourced& share = (s.cluster.*tier).efficiency;
  Change c{.input = {.key = key,
                     .what = what,
                     .unit = "share",
                     .source = share.source + "; range assumed: 10 %",
                     .kind = to_text(share.origin),
                     .low = share.value * 0.9,
                     .value = share.value,
                     .high = std::min(1.0, share.value * 1.1)},
           .low = s,
           .high = s};
  (c.low.cluster.*tier).efficiency.value = c.input.low;
  (c.high.cluster.*tier).efficiency.value = c.input.high;
  return c;
}

Change of_scale_out(const Scenario& s) {
  Change c = of_tier(s, &ClusterProfile::scale_out, "cluster.scale_out.efficiency",
                     "share of the NIC's rate that large transfers reach");
  // The all-to-all kernels have measured rates of their own; they follow the network.
  const auto scale = [](Curve& curve, double factor) {
    std::vector<std::vector<double>> points = curve.points();
    for (std::vector<double>& point : points) point[1] *= factor;
    curve = Curve(std::move(points));
  };
  const double v = c.input.value;
  for (auto [scenario, factor] : {std::pair{&c.low, c.input.low / v}, {&c.high, c.input.high / v}}) {
    scale(scenario->cluster.expert_all_to_all.dispatch_bytes_per_s, factor);
    scale(scenario->cluster.expert_all_to_all.combine_bytes_per_s, factor);
  }
  return c;
}

Change of_scale_up(const Scenario& s) {
  return of_tier(s, &ClusterProfile::scale_up, "cluster.scale_up.efficiency",
                 "share of the node's links that large transfers reach");
}

Change of_gemm_rate(const Scenario& s) {
  Change c{.input = {.key = "gpu.operators.flops_per_s",
                     .what = "rates of matrix products and attention, all together",
                     .unit = "factor",
                     .source = "curves of the profile " + s.cluster.gpu.name + "; range assumed: 5 %",
                     .kind = "fitted",
                     .low = 0.95,
                     .value = 1,
                     .high = 1.05},
           .low = s,
           .high = s};
  for (auto [scenario, factor] : {std::pair{&c.low, 0.95}, {&c.high, 1.05}}) {
    for (OperatorCurve& curve : scenario->cluster.gpu.operators) {
      if (curve.form != CurveForm::kBandwidth) scale_rates(curve, factor);
    }
  }
  return c;
}

Change of_memory_rate(const Scenario& s) {
  Change c{.input = {.key = "gpu.operators.bytes_per_s",
                     .what = "rates of memory-bound kernels, all together",
                     .unit = "factor",
                     .source = "curves of the profile " + s.cluster.gpu.name + "; range assumed: 10 %",
                     .kind = "measured",
                     .low = 0.9,
                     .value = 1,
                     .high = 1.1},
           .low = s,
           .high = s};
  for (auto [scenario, factor] : {std::pair{&c.low, c.input.low}, {&c.high, c.input.high}}) {
    for (OperatorCurve& curve : scenario->cluster.gpu.operators) {
      curve.bytes_per_s *= factor;
      if (curve.form == CurveForm::kBandwidth && curve.origin == Origin::kAssumed) c.input.kind = "assumed";
    }
  }
  return c;
}

Change of_routing(const Scenario& s) {
  Change c{.input = {.key = "routing.max_over_mean",
                     .what = "rows of the busiest expert-parallel rank over the mean",
                     .unit = "ratio",
                     .source = "largest count of the training trace, deepseek-ai/profile-data @4496024",
                     .kind = "measured",
                     .low = 1,
                     .value = 1,
                     .high = 1.126},
           .low = s,
           .high = s,
           .has_low = false};
  c.high.routing.kind = Routing::Kind::kSkewed;
  c.high.routing.max_over_mean = 1.126;
  return c;
}

std::vector<StepInput> step_inputs(const Scenario& s, const Metrics& m) {
  std::vector<Change> changes{of_gemm_rate(s), of_memory_rate(s)};
  if (s.layout.tp * s.layout.cp > 1 && s.cluster.gpus_per_node > 1) changes.push_back(of_scale_up(s));
  if (s.gpus > s.cluster.gpus_per_node) changes.push_back(of_scale_out(s));
  if (s.model.moe && s.layout.ep > 1 && s.routing.kind == Routing::Kind::kBalanced)
    changes.push_back(of_routing(s));
  std::vector<Scenario> scenarios;
  for (const Change& c : changes) {
    if (c.has_low) scenarios.push_back(c.low);
    scenarios.push_back(c.high);
  }
  const std::vector<StepOutcome> results = run_all(scenarios);
  std::vector<StepInput> out;
  std::size_t next = 0;
  for (Change& c : changes) {
    const auto ratio = [&](double otherwise) {
      const StepOutcome& r = results[next++];
      return r.infeasible ? otherwise : r.time_s / m.step_time_s;
    };
    if (c.has_low) c.input.step_ratio_at_low = ratio(1.0);
    c.input.step_ratio_at_high = ratio(1.0);
    out.push_back(std::move(c.input));
  }
  return out;
}

/// Data-parallel sizes that divide the batch, each the nearest to a quarter, half, one and a half, two and
/// four times the scenario's; of two equally near ones the smaller.
std::vector<std::int64_t> other_replicas(const Scenario& s) {
  const std::int64_t own = s.gpus / (s.layout.tp * s.layout.cp * s.layout.pp);
  const std::int64_t sequences = s.training.global_batch_size / s.layout.microbatch_size;
  std::set<std::int64_t> found;
  for (const double factor : {0.25, 0.5, 1.5, 2.0, 4.0}) {
    const double wanted = static_cast<double>(own) * factor;
    std::int64_t best = 0;
    for (std::int64_t dp = 1; dp <= sequences; ++dp) {
      if (sequences % dp != 0) continue;
      if (best == 0 ||
          std::abs(static_cast<double>(dp) - wanted) < std::abs(static_cast<double>(best) - wanted))
        best = dp;
    }
    if (best > 0 && best != own) found.insert(best);
  }
  return {found.begin(), found.end()};
}

std::vector<GpuPoint> gpu_points(const Scenario& s) {
  std::vector<Scenario> scenarios;
  for (const std::int64_t dp : other_replicas(s)) {
    scenarios.push_back(s);
    scenarios.back().gpus = dp * s.layout.tp * s.layout.cp * s.layout.pp;
    scenarios.back().layout.dp = 0;
  }
  const std::vector<StepOutcome> results = run_all(scenarios);
  std::vector<GpuPoint> out;
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    const StepOutcome& r = results[i];
    out.push_back({.gpus = scenarios[i].gpus,
                   .infeasible = r.infeasible ? r.infeasible->text : std::string{},
                   .step_s = r.time_s,
                   .step_tokens = r.tokens});
  }
  return out;
}

}  // namespace

ReportRuns report_runs(const Scenario& scenario, const Metrics& metrics, bool search) {
  SIM_CHECK(!metrics.infeasible, "a report is about a layout that runs");
  const WorkControl* const control = current_control();
  std::future<std::vector<Lever>> levers = std::async(std::launch::async, [&] {
    const ControlScope scope(control);
    return try_levers(scenario, metrics);
  });
  ReportRuns out;
  out.step_inputs = step_inputs(scenario, metrics);
  out.gpu_points = gpu_points(scenario);
  out.levers = levers.get();
  if (search) out.alternatives = search_alternatives(scenario, 2);
  return out;
}

}  // namespace orrery
