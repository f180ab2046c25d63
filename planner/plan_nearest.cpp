#include <fmt/format.h>

#include <algorithm>

#include "planner/plan.hpp"
#include "sim/base/units_text.hpp"

namespace orrery {
namespace {

std::string value_text(Metric metric, double value) {
  switch (metric) {
    case Metric::kMemory:
    case Metric::kHeadroom: return to_text(Bytes{value});
    case Metric::kPower: return to_text(Watts{value});
    case Metric::kStep: return to_text(Seconds{value});
    case Metric::kUsd: return count_text(value) + " USD";
    default: return fmt::format("{:.4g} {}", value, info_of(metric).unit);
  }
}

SearchResult best_of(const PlanRequest& r, const Goal& goal, const SearchSpace& space) {
  return search_layouts(r.scenario, space, goal,
                        {.threads = r.threads, .top = 1, .seed = r.scenario.layout, .stop = r.stop});
}

}  // namespace

std::vector<std::string> nearest_changes(const PlanRequest& r) {
  std::vector<std::string> lines;
  const Meter meter(r.scenario, "plan", scale_of(r));
  Objective::Level step;
  step.terms.emplace_back();
  // Each limit of the user's in turn: the best that the others leave.
  for (std::size_t i = 0; i < r.constraints.size(); ++i) {
    const Metric metric = r.constraints[i].metric;
    if (metric == Metric::kPower || metric == Metric::kGpus) continue;
    std::vector<Constraint> others = r.constraints;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    const bool wants_less = r.constraints[i].at_most;
    if (wants_less == info_of(metric).more_is_better) continue;
    Goal goal;
    goal.scale = scale_of(r);
    goal.level.terms.push_back({.metric = metric});
    goal.constraints = std::move(others);
    const SearchResult found = best_of(r, goal, r.space);
    if (found.best.empty()) continue;
    lines.push_back(fmt::format(
        "{} instead of '{}': {}", value_text(metric, meter.value(metric, found.best.front().figures)),
        r.constraints[i].text,
        layout_text(found.best.front().layout,
                    derive(found.best.front().layout, r.scenario.training, r.scenario.gpus))));
  }
  if (!lines.empty()) return lines;
  // Each list of the space that was narrowed, opened to its default.
  const SearchSpace whole = default_space(r.scenario);
  const auto rows = describe(r.space);
  const auto defaults = describe(whole);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].second == defaults[i].second) continue;
    SearchSpace space = r.space;
    std::string values = defaults[i].second;
    std::replace(values.begin(), values.end(), ' ', ',');
    const std::size_t automatic = values.find("auto");
    if (automatic != std::string::npos) values.replace(automatic, 4, "-1");
    restrict_space(space, rows[i].first, values, "space");
    const SearchResult found =
        best_of(r, {.level = step, .constraints = r.constraints, .scale = scale_of(r)}, space);
    if (found.best.empty()) continue;
    const Found& f = found.best.front();
    lines.push_back(
        fmt::format("{} left open: {:.4g} s a step with {}", rows[i].first, f.figures.step_s,
                    layout_text(f.layout, derive(f.layout, r.scenario.training, r.scenario.gpus))));
  }
  return lines;
}

}  // namespace orrery
