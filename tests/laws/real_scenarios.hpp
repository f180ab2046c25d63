#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "sim/model/zoo.hpp"
#include "sim/simulate.hpp"
#include "tests/support/deepseek_v3.hpp"

namespace orrery::test {

inline Scenario on_cluster(const char* model, const char* cluster, std::int64_t gpus) {
  Scenario s;
  s.model_ref = model;
  s.model = load_model(model, {}).spec;
  s.cluster_ref = cluster;
  s.cluster = load_cluster(cluster, {{std::filesystem::path(ORRERY_SOURCE_DIR) / "hwprofiles"}});
  s.gpus = gpus;
  s.training.sequence_length = 4096;
  s.training.tokens = 1e12;
  return s;
}

/// Real models on shipped profiles, contention and all, with fewer microbatches than in earnest. The cut into
/// stages is written down, so that a change of speed cannot move it.
inline std::vector<Scenario> real_scenarios() {
  Scenario v3 = on_cluster("deepseek-v3", "h800-sxm-ib400", kV3Gpus);
  v3.layout = v3_layout();
  v3.layout.stage_layers = {4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 1};
  v3.training = v3_training();
  v3.training.global_batch_size = 128 * 64;

  Scenario folded = v3;  // the same as a V over 8 ranks, all messages beside compute
  folded.layout.pp = 8;
  folded.layout.vpp = 2;
  folded.layout.schedule = "dualpipev";
  folded.layout.messages = MessageRule::kAsync;
  folded.training.global_batch_size = 256 * 32;

  Scenario dense = on_cluster("llama-3-8b", "h100-sxm-ib400", 64);
  dense.layout.tp = 2;
  dense.layout.sequence_parallel = true;
  dense.layout.pp = 4;
  dense.layout.stage_layers = {8, 8, 8, 8};
  dense.training.global_batch_size = 8 * 32;

  Scenario interleaved = dense;
  interleaved.layout.vpp = 2;
  interleaved.layout.schedule = "interleaved-1f1b";
  interleaved.layout.messages = MessageRule::kAsync;
  interleaved.layout.stage_layers.assign(8, 4);

  Scenario split = dense;
  split.layout.schedule = "zb-h1";
  split.layout.zero_stage = 2;
  return {v3, folded, dense, interleaved, split};
}

inline std::string name_of(const Scenario& s) {
  return s.model.name + " " + s.layout.schedule;
}

/// Metrics of a scenario that is known to fit.
inline Metrics measured(const Scenario& s) {
  Metrics m = simulate(s).metrics;
  EXPECT_FALSE(m.infeasible) << name_of(s) << ": " << m.infeasible->text;
  return m;
}

}  // namespace orrery::test
