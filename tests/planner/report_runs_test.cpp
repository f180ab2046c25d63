#include "planner/report_runs.hpp"

#include <gtest/gtest.h>

#include "planner/training_run.hpp"
#include "sim/simulate.hpp"
#include "tests/planner/v3_scenario.hpp"

namespace orrery {
namespace {

Metrics simulated(const Scenario& s) {
  return simulate(s).metrics;
}

const StepInput* find(const std::vector<StepInput>& inputs, const std::string& key) {
  for (const StepInput& i : inputs) {
    if (i.key == key) return &i;
  }
  return nullptr;
}

TEST(ReportRuns, TheRentOfDeepSeekV3HasTenInputsThatMoveIt) {
  const Scenario s = test::v3_scenario();
  const Metrics m = simulated(s);
  const std::vector<StepInput> inputs = report_runs(s, m, false).step_inputs;
  const RunQuestion q = run_question(m, s, load_run_data(ORRERY_SOURCE_DIR "/hwprofiles/economics"));
  EXPECT_EQ(tornado(q, inputs, Outcome::kRentUsd).size(), 10u);
  EXPECT_EQ(find(inputs, "cluster.scale_up.efficiency"), nullptr);  // neither tensor nor context parallel
}

// Curves of H800 have a rate and a table over sequences, those of H200 the forms of the fit: each keeps its
// rate in another place, and all have to be found.
TEST(ReportRuns, RatesMoveTheStepWhateverTheFormOfTheCurves) {
  for (const char* cluster : {"h800-sxm-ib400", "h200-sxm-ib400", "h100-sxm-ib400", "b200-sxm-ib400"}) {
    const std::vector<Override> o{{"model", "llama-3-8b", "test"},
                                  {"cluster.profile", cluster, "test"},
                                  {"cluster.gpus", "8", "test"},
                                  {"layout.tp", "2", "test"},
                                  {"layout.sequence_parallel", "true", "test"},
                                  {"layout.recompute", "full", "test"},
                                  {"training.global_batch_size", "8", "test"},
                                  {"training.sequence_length", "4096", "test"}};
    const Scenario s =
        parse_scenario("", "test", {.profiles = {.roots = {ORRERY_SOURCE_DIR "/hwprofiles"}}, .base = {}}, o);
    const Metrics m = simulated(s);
    ASSERT_FALSE(m.infeasible) << cluster << ": " << m.infeasible->text;
    const std::vector<StepInput> inputs = report_runs(s, m, false).step_inputs;
    for (const auto& [key, least] : {std::pair{"gpu.operators.flops_per_s", 0.02},
                                     {"gpu.operators.bytes_per_s", 0.002},
                                     {"cluster.scale_up.efficiency", 0.001}}) {
      const StepInput* input = find(inputs, key);
      ASSERT_NE(input, nullptr) << cluster << " " << key;
      EXPECT_GT(input->step_ratio_at_low, 1 + least) << cluster << " " << key;
      EXPECT_LT(input->step_ratio_at_high, 1 - least / 2) << cluster << " " << key;
    }
  }
}

// A batch of 512 goes into data-parallel sizes of powers of two alone: with dp 4 of 8 GPUs (tp 2) those
// nearest to 1, 2, 6, 8 and 16 are 1, 2, 4 (the scenario's own, the smaller of two), 8 and 16.
TEST(ReportRuns, OtherNumbersOfGpusAreThoseThatTheBatchDividesInto) {
  const std::vector<Override> o{{"model", "llama-3-8b", "test"},
                                {"cluster.profile", "h100-sxm-ib400", "test"},
                                {"cluster.gpus", "8", "test"},
                                {"layout.tp", "2", "test"},
                                {"layout.sequence_parallel", "true", "test"},
                                {"layout.recompute", "full", "test"},
                                {"training.global_batch_size", "512", "test"},
                                {"training.sequence_length", "4096", "test"}};
  const Scenario s =
      parse_scenario("", "test", {.profiles = {.roots = {ORRERY_SOURCE_DIR "/hwprofiles"}}, .base = {}}, o);
  const Metrics m = simulated(s);
  ASSERT_FALSE(m.infeasible) << m.infeasible->text;
  std::vector<std::int64_t> gpus;
  double last = 1e9;
  for (const GpuPoint& p : report_runs(s, m, false).gpu_points) {
    gpus.push_back(p.gpus);
    if (!p.infeasible.empty()) continue;
    EXPECT_LT(p.step_s, last) << p.gpus;
    last = p.step_s;
    Scenario other = s;
    other.gpus = p.gpus;
    EXPECT_EQ(p.step_s, simulated(other).step_time_s) << p.gpus;
  }
  EXPECT_EQ(gpus, (std::vector<std::int64_t>{2, 4, 16, 32}));
}

}  // namespace
}  // namespace orrery
