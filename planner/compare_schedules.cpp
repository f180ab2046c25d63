#include "planner/compare_schedules.hpp"

#include <algorithm>

#include "sim/layout/check_layout.hpp"
#include "sim/lower/memory.hpp"
#include "sim/schedule/generators.hpp"
#include "sim/simulate.hpp"

namespace orrery {
namespace {

/// The scenario with another schedule and as many stages per rank.
Scenario with_schedule(const Scenario& scenario, const std::string& name, std::int64_t vpp) {
  Scenario other = scenario;
  other.layout.schedule = name;
  if (!find_generator(name).takes_live_limit) other.layout.live_microbatches = 0;
  other.layout.vpp = vpp;
  if (vpp != scenario.layout.vpp) other.layout.stage_layers.clear();
  return other;
}

/// Stages per rank: the scenario's where the schedule takes them, else its own default.
std::int64_t stages_per_rank(const Scenario& scenario, const GeneratorInfo& generator) {
  // Sizes that do not fit together fail alike with any number of stages, and have no count of microbatches.
  const Scenario one = with_schedule(scenario, generator.name, 1);
  if (check_layout(one.model, one.layout, one.training, one.gpus)) return generator.default_vpp;
  const Derived derived = derive(one.layout, one.training, one.gpus);
  const bool refused =
      check_schedule(generator.name, static_cast<int>(one.layout.pp), static_cast<int>(scenario.layout.vpp),
                     static_cast<int>(derived.microbatches))
          .has_value();
  return refused ? generator.default_vpp : scenario.layout.vpp;
}

std::optional<ScheduleMemory> memory_of(const Metrics& metrics, const Scenario& scenario) {
  if (metrics.memory.empty()) return std::nullopt;
  const double weight_bytes = memory_rules(scenario.training).weight_bytes;
  ScheduleMemory most;
  for (const RankMemoryRow& row : metrics.memory) {
    most.activations_bytes = std::max(most.activations_bytes, row.activations);
    most.live_microbatches = std::max(most.live_microbatches, row.live_microbatches);
    most.parameters = std::max(most.parameters, row.weights / weight_bytes);
    most.total_bytes = std::max(most.total_bytes, row.total);
  }
  return most;
}

ComparedSchedule compared(const Scenario& scenario, const std::string& name) {
  ComparedSchedule row;
  row.name = name;
  row.vpp = stages_per_rank(scenario, find_generator(name));
  const Scenario own = with_schedule(scenario, name, row.vpp);
  const SimResult result = simulate(own);
  row.infeasible = result.metrics.infeasible;
  row.memory = memory_of(result.metrics, own);
  if (row.infeasible) return row;
  row.step_time_s = result.metrics.step_time_s;
  row.bubble = mean_bubble(bubble_causes(*result.step, *result.timeline));
  row.bars = schedule_bars(*result.step, *result.timeline);
  return row;
}

}  // namespace

std::vector<std::string> schedule_names() {
  std::vector<std::string> names;
  for (const GeneratorInfo& generator : generators()) names.push_back(generator.name);
  return names;
}

std::vector<ComparedSchedule> compare_schedules(const Scenario& scenario,
                                                std::span<const std::string> names) {
  for (const std::string& name : names) (void)find_generator(name);  // a wrong name before any work
  std::vector<ComparedSchedule> rows;
  for (const std::string& name : names) rows.push_back(compared(scenario, name));
  return rows;
}

std::optional<std::size_t> fastest(std::span<const ComparedSchedule> rows) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].infeasible) continue;
    if (!best || rows[i].step_time_s < rows[*best].step_time_s) best = i;
  }
  return best;
}

}  // namespace orrery
