#include "planner/alternatives.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "planner/candidate.hpp"
#include "planner/objective.hpp"
#include "planner/plan.hpp"
#include "planner/search.hpp"
#include "planner/search_space.hpp"
#include "sim/base/check.hpp"
#include "sim/base/fields.hpp"
#include "sim/layout/layout.hpp"

namespace orrery {
namespace {

constexpr std::size_t kMostPoints = 200;

/// What nothing in `points`, fastest first, undercuts in both.
std::vector<PlanPoint> front_of(const std::vector<PlanPoint>& points) {
  std::vector<PlanPoint> front;
  for (const PlanPoint& p : points) {
    if (front.empty() || p.memory_bytes < front.back().memory_bytes) front.push_back(p);
  }
  return front;
}

SearchSpace space_around(const Scenario& s) {
  SearchSpace space = default_space(s);
  for (const char* key : {"tp", "cp", "ep", "etp", "zero", "mbs", "recompute", "offload", "precision", "sp",
                          "sms", "placement"})
    pin(space, key, s, "report");
  const std::int64_t pp = s.layout.pp;
  std::set<std::int64_t> ranks{pp, 2 * pp};
  if (pp % 2 == 0) ranks.insert(pp / 2);
  space.pp.assign(ranks.begin(), ranks.end());
  const std::set<std::int64_t> stages{1, 2, s.layout.vpp};
  space.vpp.assign(stages.begin(), stages.end());
  return space;
}

std::string text_of(const Scenario& s, const Layout& layout) {
  return layout_text(layout, derive(layout, s.training, s.gpus));
}

/// The same layout whatever order its stages hold layers in.
bool same(const Layout& a, const Layout& b) {
  return a.tp == b.tp && a.cp == b.cp && a.pp == b.pp && a.vpp == b.vpp && a.ep == b.ep && a.etp == b.etp &&
         a.zero_stage == b.zero_stage && a.microbatch_size == b.microbatch_size && a.schedule == b.schedule &&
         a.sequence_parallel == b.sequence_parallel && a.recompute.policy == b.recompute.policy &&
         a.offload == b.offload;
}

}  // namespace

Alternatives search_alternatives(const Scenario& scenario, std::size_t threads) {
  Alternatives out;
  try {
    refuse_unknown_settings(scenario.layout);
    const SearchSpace space = space_around(scenario);
    const Goal goal{.level = parse_objective("step", "report").levels.front(), .constraints = {}};
    SearchOptions options;
    options.threads = threads;
    options.top = kMostPoints;
    options.seed = scenario.layout;
    const SearchResult found = search_layouts(scenario, space, goal, options);
    out.space = describe(space);
    out.candidates = found.candidates;
    out.proven = found.complete;
    out.front_complete = found.complete && found.bounded == 0;
    for (const Found& f : found.best)
      out.points.push_back({.layout = text_of(scenario, f.layout),
                            .step_s = f.figures.step_s,
                            .memory_bytes = f.figures.memory_bytes,
                            .own = same(f.layout, scenario.layout)});
  } catch (const InputError& e) {
    out.why_none = e.what();
  }
  out.front = front_of(out.points);
  return out;
}

namespace {

/// What a plan and a report must have in common: the question without layout, prices and rates.
Json question_of(Json scenario) {
  for (const char* key : {"layout", "economics", "reliability", "name", "description"}) scenario.erase(key);
  if (scenario.contains("training")) scenario["training"].erase("tokens");
  return scenario;
}

const Json& member(const Json& json, const char* key, const std::string& place) {
  const auto it = json.find(key);
  if (it == json.end())
    throw InputError(place, fmt::format("'{}' is missing, expected an answer of 'orrery plan'", key));
  return *it;
}

double figure_of(const Json& figures, const char* key, const std::string& place) {
  const Json& value = member(figures, key, place);
  if (!value.is_number() || !(value.get<double>() > 0))
    throw InputError(place + "/" + key, fmt::format("found {}, expected a positive number", value.dump()));
  return value.get<double>();
}

std::vector<PlanPoint> points_of(const Json& list, const Json& plan_scenario, const std::string& place,
                                 const Scenario& scenario, const LoadContext& context) {
  if (!list.is_array()) throw InputError(place, "expected a list [ ... ]");
  std::vector<PlanPoint> points;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string where = fmt::format("{}/{}", place, i);
    if (!list[i].is_object()) throw InputError(where, "expected an object { ... }");
    Json layout = member(list[i], "layout", where);
    const Json& figures = member(list[i], "figures", where);
    if (!layout.is_object() || !figures.is_object()) throw InputError(where, "expected objects { ... }");
    const std::string precision = layout.value("precision", std::string{});
    layout.erase("precision");
    Json whole = plan_scenario;
    whole["layout"] = layout;
    const Scenario s = parse_scenario(whole.dump(), where + "/layout", context, {});
    const bool usual = precision.empty() || precision == to_text(scenario.training.precision);
    points.push_back({.layout = text_of(s, s.layout) + (usual ? "" : ", precision " + precision),
                      .step_s = figure_of(figures, "step_time_s", where + "/figures"),
                      .memory_bytes = figure_of(figures, "memory_bytes", where + "/figures"),
                      .own = usual && same(s.layout, scenario.layout)});
  }
  std::stable_sort(points.begin(), points.end(),
                   [](const PlanPoint& a, const PlanPoint& b) { return a.step_s < b.step_s; });
  return points;
}

}  // namespace

Alternatives read_alternatives(std::string_view text, const std::string& place, const Scenario& scenario,
                               const LoadContext& context) {
  const Json plan = parse_json(std::string(text), place);
  const std::string schema = plan.is_object() ? plan.value("schema", std::string{}) : std::string{};
  if (schema != "orrery.plan/1")
    throw InputError(
        place + "#/schema",
        fmt::format("found '{}', expected 'orrery.plan/1', what 'orrery plan --format json' writes", schema));
  const Json& asked = member(plan, "scenario", place + "#");
  if (!asked.is_object()) throw InputError(place + "#/scenario", "expected an object { ... }");
  const Json theirs = question_of(asked);
  const Json ours = question_of(Json::parse(to_json_text(scenario)));
  for (const auto& [key, value] : ours.items()) {
    if (!theirs.contains(key) || theirs.at(key) != value)
      throw InputError(place + "#/scenario/" + key,
                       "the plan is of another question than the report; plan the report's scenario again");
  }
  Alternatives out;
  out.source = place;
  out.points = points_of(member(plan, "top", place + "#"), asked, place + "#/top", scenario, context);
  if (out.points.empty()) throw InputError(place + "#/top", "the plan found no layout, nothing to compare");
  std::vector<PlanPoint> both = out.points;
  if (plan.contains("front")) {
    std::vector<PlanPoint> more = points_of(plan.at("front"), asked, place + "#/front", scenario, context);
    both.insert(both.end(), more.begin(), more.end());
  }
  std::stable_sort(both.begin(), both.end(), [](const PlanPoint& a, const PlanPoint& b) {
    return a.step_s != b.step_s ? a.step_s < b.step_s : a.memory_bytes < b.memory_bytes;
  });
  out.front = front_of(both);
  const Json& counts = member(plan, "counts", place + "#");
  if (counts.is_object() && counts.contains("candidates") && counts.at("candidates").is_number_integer())
    out.candidates = counts.at("candidates").get<std::int64_t>();
  const Json& optimality = member(plan, "optimality", place + "#");
  out.proven = optimality.is_object() && optimality.value("proven", false) &&
               plan.value("objective", std::string{}) == "step";
  if (plan.contains("space") && plan.at("space").is_object()) {
    for (const auto& [key, value] : plan.at("space").items())
      out.space.emplace_back(key, value.is_string() ? value.get<std::string>() : value.dump());
  }
  return out;
}

}  // namespace orrery
