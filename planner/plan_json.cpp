#include "planner/plan_json.hpp"

#include <cmath>

#include "sim/base/fields.hpp"

namespace orrery {
namespace {

Json layout_json(const PlanReport& report, const Found& f) {
  Scenario s = scenario_of(report, f);
  Json layout = Json::parse(to_json_text(s)).at("layout");
  layout["stage_layers"] = f.stage_layers;
  layout["precision"] = to_text(f.precision);
  const Derived d = derive(f.layout, report.scenario.training, report.scenario.gpus);
  layout["dp"] = d.dp;
  return layout;
}

Json figures_json(const PlanReport& report, const Found& f) {
  const Meter meter(report.scenario, "plan", report.scale);
  const Training& t = report.scenario.training;
  Json out{{"step_time_s", f.figures.step_s}, {"memory_bytes", f.figures.memory_bytes}};
  out["days"] = t.tokens > 0 ? Json(meter.value(Metric::kDays, f.figures)) : Json(nullptr);
  const bool usd = t.tokens > 0 && report.scenario.economics.usd_per_gpu_hour;
  out["goodput"] = report.scale.failures ? Json(report.scale.useful) : Json(nullptr);
  out["usd"] = usd ? Json(meter.value(Metric::kUsd, f.figures)) : Json(nullptr);
  return out;
}

Json points_json(const PlanReport& report, const std::vector<Found>& points) {
  Json list = Json::array();
  for (const Found& f : points)
    list.push_back({{"layout", layout_json(report, f)}, {"figures", figures_json(report, f)}});
  return list;
}

}  // namespace

std::string plan_json(const PlanReport& r, const ProgramInfo& program, double elapsed_s) {
  Json out{{"schema", "orrery.plan/1"},
           {"program", {{"version", program.version}, {"commit", program.commit}}},
           {"scenario", Json::parse(to_json_text(r.scenario))},
           {"objective", r.objective.text}};
  out["constraints"] = Json::array();
  for (const Constraint& c : r.constraints) out["constraints"].push_back(c.text);
  for (const auto& [key, values] : r.space) out["space"][key] = values;
  if (r.found()) {
    const Found& best = r.search.best.front();
    Json result = Json::parse(result_json(r.metrics.front(), scenario_of(r, best), program));
    out["best"] = {{"layout", layout_json(r, best)}, {"result", std::move(result)}};
  } else {
    out["best"] = nullptr;
  }
  out["top"] = points_json(r, r.search.best);
  out["front"] = points_json(r, r.front);
  out["front_metrics"] = Json::array();
  for (const Metric m : r.front_metrics) out["front_metrics"].push_back(info_of(m).name);
  out["front_complete"] = r.front_complete;
  Json infeasible = Json::object();
  std::int64_t late = 0;
  std::int64_t all = 0;
  for (const auto& [reason, n] : r.search.infeasible) {
    infeasible[reason] = n;
    all += n;
  }
  // A layout that only its evaluation finds infeasible stands under its reason, not under simulated.
  late = r.search.bounded + r.search.evaluated + all - r.search.candidates;
  const std::int64_t simulated = r.search.complete ? r.search.evaluated - late : r.search.evaluated;
  out["counts"] = {{"candidates", r.search.candidates},
                   {"infeasible", infeasible},
                   {"bounded", r.search.bounded},
                   {"simulated", simulated},
                   {"operator_level", r.search.simulated}};
  if (!r.search.complete)
    out["counts"]["undecided"] = r.search.candidates - r.search.bounded - r.search.evaluated - all;
  const bool finite = std::isfinite(r.search.lower_bound);
  out["optimality"] = {{"proven", r.search.complete && r.found()},
                       {"lower_bound", finite ? Json(r.search.lower_bound) : Json(nullptr)},
                       {"objective", r.found() ? Json(r.search.best.front().objective) : Json(nullptr)}};
  if (r.own) {
    out["own_layout"] = {{"step_time_s", r.own->step_time_s}, {"memory_bytes", r.own->memory_peak}};
  } else {
    out["own_layout"] = nullptr;
  }
  out["auto_schedule"] =
      r.auto_step_s ? Json{{"step_time_s", *r.auto_step_s}, {"how", r.auto_how}} : Json(nullptr);
  out["flips"] = Json::array();
  for (const Flip& f : r.flips) out["flips"].push_back({{"input", f.input}, {"factor", f.factor}});
  out["flips_tried"] = r.flips_tried;
  out["robustness"] = r.robustness ? Json{{"draws", r.robustness->draws},
                                          {"best_stays", r.robustness->best_stays},
                                          {"worst_regret", r.robustness->worst_regret}}
                                   : Json(nullptr);
  out["nearest"] = r.nearest;
  out["elapsed_s"] = elapsed_s;
  return out.dump(2) + "\n";
}

}  // namespace orrery
