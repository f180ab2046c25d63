#include "planner/evaluate.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "sim/chunk_step.hpp"
#include "sim/schedule/generators.hpp"
#include "sim/simulate.hpp"

namespace orrery {
namespace {

bool about_energy(Metric m) {
  return m == Metric::kEnergy || m == Metric::kCarbon || m == Metric::kPower;
}

}  // namespace

Evaluator::Evaluator(const Scenario& scenario, const SearchSpace& space, const std::vector<Variant>& variants,
                     const Goal& goal)
    : scenario_(scenario),
      base_(scenario.layout),
      space_(space),
      variants_(variants),
      goal_(goal),
      meter_(scenario_, "plan", goal.scale) {
  for (const Objective::Term& term : goal.level.terms)
    needs_energy_ = needs_energy_ || about_energy(term.metric);
  for (const Constraint& c : goal.constraints) needs_energy_ = needs_energy_ || about_energy(c.metric);
  if (goal.frontier)
    needs_energy_ =
        needs_energy_ || about_energy(goal.frontier->first) || about_energy(goal.frontier->second);
}

Evaluated Evaluator::evaluate(const Candidate& candidate, double cut) {
  apply(space_, variants_, candidate, base_, scenario_);
  Evaluated out;
  Plan plan;
  const Layout& l = scenario_.layout;
  SIM_CHECK(plan_layout(scenario_, plan), "screened candidates keep the rules on sizes");
  const bool searched = variants_[candidate.variant].searched;
  if (searched) return evaluate_searched(cut);
  Schedule schedule = make_schedule(l.schedule, static_cast<int>(l.pp), static_cast<int>(l.vpp),
                                    static_cast<int>(plan.derived.microbatches));
  const bool pairs = overlaps(schedule);
  plan_schedule(scenario_, std::move(schedule), pairs, plan);
  if (plan.verdict) {
    out.infeasible = to_text(plan.verdict->reason);
    return out;
  }
  for (const StageUnits& stage : plan.workload.stages) out.stage_layers.push_back(stage.layers);
  for (const RankMemory& m : plan.memory)
    out.figures.memory_bytes = std::max(out.figures.memory_bytes, m.total());
  const ChunkStep chunk = chunk_step(scenario_, plan);
  out.figures.step_s = to_seconds(chunk.time).value;
  if (!needs_energy_) {
    out.objective = Objective::value(goal_.level, meter_, out.figures);
    if (out.objective >= cut) return out;
  }
  if (needs_energy_) {
    simulate_into(out);
  } else if (!chunk.exact) {
    out.operator_level = true;
    out.figures.step_s = step_seconds(scenario_, std::move(plan.schedule));
  }
  out.complete = true;
  judge(out);
  return out;
}

void Evaluator::judge(Evaluated& out) const {
  out.objective = Objective::value(goal_.level, meter_, out.figures);
  for (const Constraint& c : goal_.constraints) {
    if (!c.holds(meter_.value(c.metric, out.figures))) out.infeasible = "constraint";
  }
  if (goal_.frontier && goal_.frontier->beaten(meter_, out.figures)) out.infeasible = "constraint";
}

Evaluated Evaluator::evaluate_searched(double cut) {
  Evaluated out;
  const SimResult found = simulate(scenario_);
  if (found.metrics.infeasible) {
    out.infeasible = to_text(found.metrics.infeasible->reason);
    return out;
  }
  for (const StageRow& stage : found.metrics.stages) out.stage_layers.push_back(stage.layers);
  take(found.metrics, out);
  out.complete = true;
  judge(out);
  out.complete = out.objective < cut;
  return out;
}

std::optional<Evaluated> Evaluator::try_seed(const Candidate& candidate) {
  apply(space_, variants_, candidate, base_, scenario_);
  const Layout& l = scenario_.layout;
  const bool placed =
      space_.placement[candidate.placement] == LayerPlacement::kBalanced || !l.stage_layers.empty();
  Plan plan;
  if (!placed || !plan_layout(scenario_, plan)) return std::nullopt;
  if (check_schedule(l.schedule, static_cast<int>(l.pp), static_cast<int>(l.vpp),
                     static_cast<int>(plan.derived.microbatches)) ||
      !allowed(space_, scenario_, space_.placement[candidate.placement]))
    return std::nullopt;
  return evaluate(candidate, std::numeric_limits<double>::infinity());
}

void Evaluator::simulate_into(Evaluated& out) {
  const Metrics m = simulate(scenario_).metrics;
  SIM_CHECK(!m.infeasible, "what fits at chunk level fits at operator level");
  take(m, out);
}

void Evaluator::take(const Metrics& m, Evaluated& out) {
  out.operator_level = true;
  out.figures.step_s = m.step_time_s;
  out.figures.memory_bytes = m.memory_peak;
  out.figures.energy_j = m.power.step_j.value_or(0);
}

}  // namespace orrery
