#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sim/scenario.hpp"
#include "tests/support/toy.hpp"

/// Whole scenarios on the toy cluster, small enough to run by the hundred.
namespace orrery::test {

/// The sizes that fit the four layers of the toy models.
struct ToySchedule {
  const char* name;
  std::int64_t pp = 4;
  std::int64_t vpp = 1;
};

[[nodiscard]] inline const std::vector<ToySchedule>& toy_schedules() {
  static const std::vector<ToySchedule> kAll{
      {"gpipe"},      {"1f1b"},    {"1f1b", 1, 1}, {"interleaved-1f1b", 2, 2}, {"zb-h1"}, {"zb-h2"},
      {"zb-v", 2, 2}, {"chimera"}, {"dualpipe"},   {"dualpipev", 2, 2}};
  return kAll;
}

/// `microbatches` a step through each pipeline; 8 data-parallel replicas of every stage; with experts, these
/// over the 8 replicas.
[[nodiscard]] inline Scenario toy_scenario(ModelSpec model, const ToySchedule& schedule,
                                           std::int64_t microbatches = 16) {
  Scenario s;
  s.model_ref = model.name;
  s.model = std::move(model);
  s.cluster_ref = "toy";
  s.cluster = toy_cluster();
  s.gpus = 8 * schedule.pp;
  s.layout.pp = schedule.pp;
  s.layout.vpp = schedule.vpp;
  s.layout.ep = s.model.moe ? 8 : 1;
  s.layout.schedule = schedule.name;
  s.training.global_batch_size = 8 * microbatches;
  s.training.sequence_length = 4096;
  s.training.tokens = 1e12;
  return s;
}

[[nodiscard]] inline std::vector<ModelSpec> toy_models() {
  return {toy_dense(), toy_moe(), toy_mla()};
}

/// Every schedule with every toy model.
[[nodiscard]] inline std::vector<Scenario> toy_scenarios() {
  std::vector<Scenario> all;
  for (const ModelSpec& model : toy_models()) {
    for (const ToySchedule& schedule : toy_schedules()) all.push_back(toy_scenario(model, schedule));
  }
  return all;
}

/// "toy-moe dualpipe 4x1": for failure messages.
[[nodiscard]] inline std::string label(const Scenario& s) {
  return s.model.name + " " + s.layout.schedule + " " + std::to_string(s.layout.pp) + "x" +
         std::to_string(s.layout.vpp);
}

}  // namespace orrery::test
