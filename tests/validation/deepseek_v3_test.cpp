// DeepSeek-V3 on 2,048 H800 against what its authors published. The bands are what the simulator claims; the
// figures it gives now stand beside them.
#include <gtest/gtest.h>

#include <filesystem>

#include "sim/schedule/validate.hpp"
#include "sim/simulate.hpp"
#include "tests/support/deepseek_v3.hpp"

namespace orrery {
namespace {

constexpr double kBand = 0.08;

Scenario v3() {
  Scenario s;
  s.model_ref = "deepseek-v3";
  s.model = test::v3_model();
  s.cluster_ref = "h800-sxm-ib400";
  s.cluster = load_cluster(s.cluster_ref, {{std::filesystem::path(ORRERY_SOURCE_DIR) / "hwprofiles"}});
  s.gpus = test::kV3Gpus;
  s.layout = test::v3_layout();
  s.training = test::v3_training();
  return s;
}

/// Simulated once for all tests of this program.
const SimResult& result() {
  static const SimResult r = simulate(v3());
  return r;
}

void expect_within(double found, double published) {
  EXPECT_GE(found, published * (1 - kBand));
  EXPECT_LE(found, published * (1 + kBand));
}

TEST(DeepSeekV3, AStepTakesWhatWasPublished) {
  // 19.926 s: arXiv 2505.09343, table 4, multi-plane network. Simulated: 18.98 s (-4.8 %).
  ASSERT_FALSE(result().metrics.infeasible);
  expect_within(result().metrics.step_time_s, 19.926);
}

TEST(DeepSeekV3, ATrillionTokensTakeTheGpuHoursPublished) {
  // 180,000 H800 hours: arXiv 2412.19437, 1. Simulated: 171,600 (-4.7 %).
  ASSERT_FALSE(result().metrics.infeasible);
  expect_within(*result().metrics.run.gpu_hours_per_trillion_tokens, 180e3);
}

TEST(DeepSeekV3, FourOverlappedLayersTakeWhatTheTrainingTraceShows) {
  // 129.012 ms: deepseek-ai/profile-data, train.json, one forward-backward pair of four MoE layers without
  // pipeline messages. Simulated: 125.23 ms (-2.9 %).
  const PairResult pair = simulate_pair(v3(), 4);
  expect_within(pair.time_s, 129.012e-3);
  // Communication is hidden: compute fills the pair.
  EXPECT_GT(pair.compute_busy_s, 0.98 * pair.time_s);
  EXPECT_GT(pair.communication_busy_s, 0.5 * pair.time_s);
}

TEST(DeepSeekV3, EveryRankFitsWithoutTensorParallelism) {
  // arXiv 2412.19437, 3.2: trained on 80 GB GPUs without tensor parallelism.
  ASSERT_FALSE(result().metrics.infeasible);
  ASSERT_EQ(result().metrics.memory.size(), 16U);
  EXPECT_NEAR(result().metrics.memory_capacity, 84.94e9, 0.01e9);
  for (const RankMemoryRow& r : result().metrics.memory) {
    EXPECT_LT(r.total, 84.94e9) << r.rank;
    EXPECT_GT(r.total, 0.8 * 84.94e9) << r.rank;  // so full that nobody would recompute less
  }
}

TEST(DeepSeekV3, EveryRankHoldsTheActivationsOfSeventeenMicrobatches) {
  // PP + 1: arXiv 2412.19437, table 2.
  ASSERT_FALSE(result().metrics.infeasible);
  for (const StepCounts& counts : stats(*result().schedule).ranks) EXPECT_EQ(counts.peak_live, 17);
  for (const RankMemoryRow& r : result().metrics.memory) EXPECT_EQ(r.live_microbatches, 17) << r.rank;
}

TEST(DeepSeekV3, TheTimesOfThePublishedStepStayInTheirOrder) {
  // Published: 13.95 s of overlapped pairs, 2.06 bubble, 1.99 backward, 1.13 forward, 0.48 weight gradients,
  // 0.29 optimizer. Pairs dominate; the optimizer is the least.
  ASSERT_FALSE(result().metrics.infeasible);
  const Breakdown& b = result().metrics.breakdown;
  expect_within(b.forward_backward, 13.95);
  EXPECT_GT(b.forward_backward, 0.6 * result().metrics.step_time_s);
  EXPECT_GT(b.backward_input, b.forward);
  EXPECT_GT(b.forward, b.backward_weight);
  EXPECT_GT(b.backward_weight, b.optimizer);
}

}  // namespace
}  // namespace orrery
