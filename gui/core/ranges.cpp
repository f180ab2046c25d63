#include "gui/core/ranges.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "planner/uncertainty.hpp"

namespace orrery::gui {
namespace {

constexpr const char* kPercentiles = "P10 to P90";

void add_step_ranges(const Metrics& m, const RunData& data, const Scenario& scenario, Ranges& out) {
  if (!m.step_time_p10_s || !m.step_time_p90_s || m.step_time_s <= 0) return;
  const ModelError::Entry& error = data.model_error.of(scenario.cluster.gpu.name);
  const std::string source = fmt::format("measured over computed step time of {} published runs ({}): {}",
                                         error.runs, error.gpu, error.measured_over_computed.source);
  out["step"] = {*m.step_time_p10_s, *m.step_time_p90_s, kPercentiles, source};
  const auto inverse = [&](double at_centre) {
    return FigureRange{at_centre * m.step_time_s / *m.step_time_p90_s,
                       at_centre * m.step_time_s / *m.step_time_p10_s, kPercentiles, source};
  };
  out["throughput"] = inverse(m.throughput.tokens_per_s_per_gpu);
  out["mfu"] = inverse(m.throughput.mfu_causal);
}

void add_power_range(const Metrics& m, const RunData& data, const Scenario& scenario, Ranges& out) {
  if (!m.power.gpu_mean_w) return;
  const Ranged& error = data.model_error.power_above_idle;
  const double idle = scenario.cluster.gpu.power.idle_w.value;
  const double cap = scenario.cluster.gpu.power.cap_w.value;
  const auto at = [&](double factor) { return std::min(cap, idle + (*m.power.gpu_mean_w - idle) * factor); };
  out["power"] = {at(error.low), at(error.high), "low to high",
                  "power above idle, real over computed: " + error.source};
}

}  // namespace

Ranges headline_ranges(const RunView& run, const RunData& data) {
  Ranges out;
  if (!run.feasible()) return out;
  const Metrics& m = run.metrics();
  add_step_ranges(m, data, run.scenario(), out);
  add_power_range(m, data, run.scenario(), out);
  if (!m.run.days) return out;
  const Sampling sampling;
  const std::string source = fmt::format("{} samples of all inputs of the run over their ranges, seed {}",
                                         sampling.samples, sampling.seed);
  for (const OutcomeRange& range : outcome_ranges(run_question(m, run.scenario(), data), sampling)) {
    if (range.outcome == Outcome::kDays) out["days"] = {range.p10, range.p90, kPercentiles, source};
    if (range.outcome == Outcome::kRentUsd) out["money"] = {range.p10, range.p90, kPercentiles, source};
  }
  return out;
}

}  // namespace orrery::gui
