#include "planner/table_power.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "planner/table_case.hpp"
#include "planner/table_model.hpp"
#include "sim/simulate.hpp"

namespace orrery {
namespace {

constexpr std::int64_t kMicrobatches = 64;
constexpr double kEnoughMemory = 1e13;

bool trains_adapters(const PublishedRow& row) {
  const std::vector<std::string> words = lower_words(row.model + " " + row.notes);
  return std::find(words.begin(), words.end(), "lora") != words.end();
}

/// All weights in place of adapters.
void stand_in(Scenario& s) {
  const std::int64_t replicas = s.gpus / (s.layout.tp * s.layout.cp * s.layout.pp);
  s.training.global_batch_size = replicas * s.layout.microbatch_size * kMicrobatches;
  s.cluster.gpu.memory_bytes.value = kEnoughMemory;
  s.assumed.push_back({"adapters", "all weights", "low-rank adapters are not simulated"});
  s.assumed.push_back({"memory", "enough", "that of all weights"});
  s.assumed.push_back({"gbs", std::to_string(s.training.global_batch_size), "the optimizer hardly counts"});
}

PowerOutcome run_row(const PublishedRow& row, const ProfileFolders& folders) {
  PowerOutcome out{.row = row, .skip = {}, .inputs = {}, .measured_w = *row.value};
  std::variant<Scenario, Skip> read = table_scenario(row, folders);
  if (const Skip* skip = std::get_if<Skip>(&read)) {
    out.skip = *skip;
    return out;
  }
  auto& scenario = std::get<Scenario>(read);
  if (trains_adapters(row)) stand_in(scenario);
  out.inputs = inputs_text(scenario);
  const Metrics metrics = simulate(scenario).metrics;
  if (metrics.infeasible) {
    const bool memory = metrics.infeasible->reason == Reason::kMemory;
    out.skip = Skip{memory ? SkipReason::kMemory : SkipReason::kLayout, metrics.infeasible->text};
  } else if (metrics.power.node_mean_w) {
    out.computed_w = *metrics.power.node_mean_w;
  }
  return out;
}

}  // namespace

std::vector<PowerOutcome> validate_power(const std::vector<PublishedRow>& rows,
                                         const ProfileFolders& folders) {
  std::vector<PowerOutcome> out;
  for (const PublishedRow& row : rows) {
    const bool watts = row.unit == "W" || row.unit.starts_with("W ");
    if (row.metric == "avg_node_power_reported" && watts && row.value && *row.value > 0)
      out.push_back(run_row(row, folders));
  }
  return out;
}

}  // namespace orrery
