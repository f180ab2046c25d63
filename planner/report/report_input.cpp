#include "planner/report/report_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

void demand_inputs(const RunQuestion& q, const Scenario& s, const RunData& data, const std::string& place) {
  std::vector<std::string> missing;
  const GpuPrice* gpu = data.prices.find(s.cluster.gpu.name);
  if (!q.has_tokens)
    missing.emplace_back("training.tokens (tokens of the whole run, such as --tokens 14.8T)");
  if (!q.has_rent) {
    missing.push_back("economics.usd_per_gpu_hour (rent" +
                      (gpu == nullptr
                           ? std::string(")")
                           : fmt::format("; the market of {}: {:g} to {:g} USD, middle {:g})", gpu->name,
                                         gpu->rent_usd_per_hour.low, gpu->rent_usd_per_hour.high,
                                         gpu->rent_usd_per_hour.value)));
  }
  if (!q.has_energy_price)
    missing.push_back(fmt::format("economics.usd_per_kwh (electricity; US {:g} to {:g} USD)",
                                  data.prices.usd_per_kwh.low, data.prices.usd_per_kwh.high));
  if (!q.has_pue)
    missing.emplace_back("economics.pue (power of the building over that of the machines, 1.1 to 1.6)");
  if (!s.economics.grid && !s.economics.co2_g_per_kwh)
    missing.emplace_back("economics.grid (such as US, or economics.co2_g_per_kwh)");
  if (!q.has_machines) {
    missing.push_back(fmt::format("economics.server_usd (price of a node: {}/prices.json has no '{}')",
                                  data.place, s.cluster.gpu.name));
  } else if (gpu == nullptr) {
    missing.push_back(fmt::format("an entry '{}' in {}/prices.json (CO2 of making the machines)",
                                  s.cluster.gpu.name, data.place));
  }
  if (missing.empty()) return;
  std::string text =
      "a report needs figures that the scenario does not give; add them to it or give them with "
      "--set KEY=VALUE:";
  for (const std::string& line : missing) text += "\n  " + line;
  throw InputError(place, text);
}

/// National averages from clean to coal, the world's mean and the scenario's own.
std::vector<RegionRow> regions_of(const RunQuestion& q, const Scenario& s, const RunData& data) {
  std::vector<std::string> names{"SE", "FR", "CA", "UK", "US", "DE", "world", "JP", "CN", "IN", "PL"};
  const std::string own = s.economics.grid.value_or("");
  if (!own.empty() && std::find(names.begin(), names.end(), own) == names.end()) names.push_back(own);
  std::vector<RegionRow> rows;
  const auto add = [&](const std::string& name, const std::string& note, double grams,
                       std::optional<double> water, bool is_own) {
    RunInputs v = q.values;
    v.g_per_kwh = grams;
    v.water_offsite_l_per_kwh = water.value_or(0);
    rows.push_back({.name = name,
                    .note = note,
                    .g_per_kwh = grams,
                    .carbon = *training_run(q, v).carbon,
                    .water_known = water.has_value(),
                    .own = is_own});
  };
  for (const std::string& name : names) {
    const auto grid =
        std::find_if(data.grids.begin(), data.grids.end(), [&](const Grid& g) { return g.name == name; });
    if (grid == data.grids.end()) continue;
    const bool is_own = name == own;
    std::optional<double> water;
    if (grid->water_offsite_l_per_kwh) water = grid->water_offsite_l_per_kwh->value;
    add(name, grid->g_per_kwh.note, is_own ? q.values.g_per_kwh : grid->g_per_kwh.value, water, is_own);
  }
  if (own.empty()) add("this scenario", "", q.values.g_per_kwh, std::nullopt, true);
  std::stable_sort(rows.begin(), rows.end(), [](const RegionRow& a, const RegionRow& b) {
    return a.carbon.total_t() < b.carbon.total_t();
  });
  return rows;
}

/// Days in which the result was computed with other data than the report's.
void demand_same_run(const Metrics& m, const TrainingRun& run, const std::string& place) {
  if (!m.run.days || std::abs(*m.run.days / run.days - 1.0) < 1e-6) return;
  throw InputError(
      place + "#/run/days",
      fmt::format("found {:.6g}, but its step and this program's data give {:.6g} days; make the "
                  "result again with this program",
                  *m.run.days, run.days));
}

}  // namespace

ReportInput report_input(Scenario scenario, Metrics metrics, ReportRuns runs, const RunData& data,
                         const std::vector<PublishedRun>& published, const std::string& place) {
  ReportInput in;
  in.question = run_question(metrics, scenario, data);
  demand_inputs(in.question, scenario, data, place);
  in.run = training_run(in.question);
  if (in.run.goodput.useful < kLeastGoodput)
    throw InputError(place,
                     fmt::format("the job fails every {:.3g} s and makes no progress, goodput {:.2g}; see "
                                 "reliability.failures_per_node_day and reliability.restart_s",
                                 in.run.goodput.mtbf_s, in.run.goodput.useful));
  demand_same_run(metrics, in.run, place);
  in.ranges = outcome_ranges(in.question, in.sampling);
  in.tornado = tornado(in.question, runs.step_inputs, Outcome::kRentUsd);
  in.tornado_owned = tornado(in.question, runs.step_inputs, Outcome::kOwnedUsd);
  in.break_even_usd_per_gpu_hour = break_even_usd_per_gpu_hour(in.run);
  in.break_even_utilisation = break_even_utilisation(in.run, in.question.values.utilisation);
  in.regions = regions_of(in.question, scenario, data);
  for (const GpuPoint& point : runs.gpu_points) {
    if (!point.infeasible.empty()) continue;
    Scenario other = scenario;
    other.gpus = point.gpus;
    Metrics step;
    step.step_time_s = point.step_s;
    step.step_tokens = point.step_tokens;
    in.gpu_runs.push_back(training_run(run_question(step, other, data)));
  }
  for (const PublishedRun& p : published) {
    if (is_about(p, scenario)) in.published.emplace_back(p, compare(p, metrics, scenario));
  }
  in.model_error = data.model_error.of(scenario.cluster.gpu.name);
  in.data_place = data.place;
  in.runs = std::move(runs);
  in.scenario = std::move(scenario);
  in.metrics = std::move(metrics);
  return in;
}

}  // namespace orrery
