#include "planner/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "planner/training_run.hpp"
#include "sim/base/check.hpp"
#include "sim/base/work_control.hpp"
#include "sim/simulate.hpp"

namespace orrery {
namespace {

/// Runs the levels of a lexicographic objective one after the other; each but the last becomes a constraint.
SearchResult search_levels(const PlanRequest& r, const Meter& meter) {
  std::vector<Constraint> constraints = r.constraints;
  SearchResult result;
  for (std::size_t i = 0; i < r.objective.levels.size(); ++i) {
    const Objective::Level& level = r.objective.levels[i];
    const bool last = i + 1 == r.objective.levels.size();
    SearchOptions options{.threads = r.threads,
                          .top = last ? r.top : 1,
                          .seed = r.scenario.layout,
                          .stop = r.stop,
                          .progress = r.progress};
    result = search_layouts(r.scenario, r.space,
                            {.level = level, .constraints = constraints, .scale = scale_of(r)}, options);
    if (last || result.best.empty() || !result.complete) break;
    // Levels before the last are single metrics: a sum has no limit of its own.
    if (level.terms.size() != 1)
      throw InputError("--objective",
                       fmt::format("'{}': only the last level may be a sum", r.objective.text));
    const Metric metric = level.terms.front().metric;
    const bool more = info_of(metric).more_is_better;
    const double best = meter.value(metric, result.best.front().figures);
    const double slack = 1 + level.tolerance + 1e-12;
    constraints.push_back(
        {.metric = metric,
         .at_most = !more,
         .limit = more ? best / slack : best * slack,
         .text = fmt::format("{} within {:g} % of the best", info_of(metric).name, 100 * level.tolerance)});
  }
  return result;
}

void demand_inputs(const PlanRequest& r, const Meter& meter) {
  for (const Objective::Level& level : r.objective.levels) {
    for (const Objective::Term& term : level.terms) meter.demand(term.metric);
  }
  for (const Constraint& c : r.constraints) meter.demand(c.metric);
  for (const Metric m : r.front) meter.demand(m);
}

/// Simulated, with the run around the step.
Metrics run_of(const PlanRequest& r, const Scenario& s) {
  Metrics m = simulate(s).metrics;
  if (r.run_data) complete_run(m, s, *r.run_data);
  return m;
}

void add_own(const PlanRequest& r, PlanReport& report) {
  try {
    const Metrics own = run_of(r, r.scenario);
    report.own_verdict = own.infeasible;
    if (!own.infeasible) report.own = own;
  } catch (const InputError&) {
    // A profile without a curve for the scenario's own settings: the search says so if it matters.
  }
}

void add_auto(PlanReport& report) {
  Scenario s = scenario_of(report, report.search.best.front());
  s.layout.schedule = "auto";
  if (s.layout.pp == 1) return;
  const SimResult found = simulate(s);
  if (found.metrics.infeasible) return;
  report.auto_step_s = found.metrics.step_time_s;
  report.auto_how = found.schedule->name;
}

/// What follows the search.
void complete_report(const PlanRequest& r, PlanReport& report) {
  add_own(r, report);
  for (const Found& f : report.search.best) report.metrics.push_back(run_of(r, scenario_of(report, f)));
  const bool stopped = r.stop && r.stop();
  if (!report.found()) {
    if (!stopped) report.nearest = nearest_changes(r);
    return;
  }
  if (!r.front.empty() && !stopped) {
    report.front_metrics = r.front;
    report.front = find_front(r, report.search, report.front_complete);
  }
  if (stopped) return;
  if (r.auto_schedule) add_auto(report);
  if (r.sensitivity && report.search.best.size() > 1) {
    report.flips = find_flips(scenario_of(report, report.search.best[0]),
                              scenario_of(report, report.search.best[1]), report.flips_tried);
    std::vector<Scenario> layouts;
    for (const Found& f : report.search.best) layouts.push_back(scenario_of(report, f));
    report.robustness = robustness_of(layouts, r.threads);
  }
}

}  // namespace

RunScale scale_of(const PlanRequest& r) {
  return r.run_data ? run_scale(r.scenario, *r.run_data) : run_scale(r.scenario);
}

Scenario scenario_of(const PlanReport& report, const Found& found) {
  Scenario s = report.scenario;
  s.layout = found.layout;
  s.training.precision = found.precision;
  return s;
}

void refuse_unknown_settings(const Layout& l) {
  const Layout usual;
  const auto refuse = [](const char* key) {
    throw InputError(key, "the search of layouts does not know this setting; leave it out");
  };
  if (l.messages == MessageRule::kRendezvous) refuse("layout.messages");
  if (l.optimizer_sync != usual.optimizer_sync) refuse("layout.optimizer_sync");
  if (l.weight_gradients != usual.weight_gradients) refuse("layout.weight_gradients");
  if (l.live_microbatches != usual.live_microbatches) refuse("layout.live_microbatches");
  if (l.mtp_stage != usual.mtp_stage) refuse("layout.mtp_stage");
}

PlanReport plan_layouts(const PlanRequest& r) {
  refuse_unknown_settings(r.scenario.layout);
  const Meter meter(r.scenario, "--objective", scale_of(r));
  demand_inputs(r, meter);
  check_contradictions(r.constraints, meter, "--constraint");
  PlanReport report;
  report.scenario = r.scenario;
  report.scale = scale_of(r);
  report.space = describe(r.space);
  report.objective = r.objective;
  report.constraints = r.constraints;
  report.search = search_levels(r, meter);
  try {
    complete_report(r, report);
  } catch (const Stopped&) {
    if (!r.stop || !r.stop()) throw;
  }
  return report;
}

}  // namespace orrery
