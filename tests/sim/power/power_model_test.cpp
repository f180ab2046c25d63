#include "sim/power/power_model.hpp"

#include <gtest/gtest.h>

#include "sim/simulate.hpp"
#include "tests/support/toy.hpp"
#include "tests/support/toy_scenario.hpp"

namespace orrery {
namespace {

// The toy GPU: floor 120 W, cap 500 W, 1 pJ per FLOP in BF16, 0.5 in FP8, 10 pJ per byte.

TEST(Power, AnIdleGpuDrawsTheFloorAndTheNodeItsOverhead) {
  const PowerEstimate p = estimate_power({{.seconds = 2}}, test::toy_cluster(), 8);
  EXPECT_DOUBLE_EQ(p.gpu_mean.value, 120);
  EXPECT_DOUBLE_EQ(p.node_mean.value, 8 * 120 + 1000);
}

// 12 GPUs on nodes of 8: two nodes, each with its whole overhead of 1000 W; 12 * 120 + 2 * 1000 = 3440 W.
TEST(Power, APartUsedNodeDrawsItsWholeOverhead) {
  const PowerEstimate p = estimate_power({{.seconds = 2}}, test::toy_cluster(), 12);
  EXPECT_DOUBLE_EQ(p.cluster_mean.value, 3440);
  EXPECT_DOUBLE_EQ(p.node_mean.value, 1720);
}

TEST(Power, WorkAddsItsJoulesOverTheTime) {
  // In 0.5 s: 50e12 BF16 FLOPs = 50 J, 40e12 FP8 FLOPs = 20 J, 1e12 bytes = 10 J; 80 J / 0.5 s = 160 W.
  const RankActivity busy{.seconds = 0.5, .bf16_flops = 50e12, .fp8_flops = 40e12, .memory_bytes = 1e12};
  const PowerEstimate p = estimate_power({busy}, test::toy_cluster(), 8);
  EXPECT_DOUBLE_EQ(p.gpu_mean.value, 120 + 160);
  EXPECT_DOUBLE_EQ(p.node_mean.value, 8 * 280 + 1000);
}

TEST(Power, NoGpuDrawsMoreThanItsCap) {
  // 1000 W of work on one rank is cut at 500 W before the mean with an idle one.
  const PowerEstimate p =
      estimate_power({{.seconds = 1, .bf16_flops = 1e15}, {.seconds = 1}}, test::toy_cluster(), 8);
  EXPECT_DOUBLE_EQ(p.gpu_mean.value, (500.0 + 120.0) / 2);
}

TEST(Power, AMissingPrecisionTakesItsNeighboursFigure) {
  ClusterProfile cluster = test::toy_cluster();
  cluster.gpu.power.joules_per_flop.erase("fp8");
  EXPECT_DOUBLE_EQ(estimate_power({{.seconds = 1, .fp8_flops = 100e12}}, cluster, 8).gpu_mean.value,
                   120 + 100);
  cluster.gpu.power.joules_per_flop = {{"fp16", test::toy_number(2e-12)}};
  EXPECT_DOUBLE_EQ(estimate_power({{.seconds = 1, .bf16_flops = 100e12}}, cluster, 8).gpu_mean.value,
                   120 + 200);
}

TEST(Power, ASimulatedStepsEnergyIsItsPowerTimesItsTime) {
  const Metrics m = simulate(test::toy_scenario(test::toy_moe(), {"1f1b"})).metrics;
  ASSERT_FALSE(m.infeasible);
  // 32 GPUs are 4 nodes.
  EXPECT_DOUBLE_EQ(*m.power.node_mean_w, 8 * *m.power.gpu_mean_w + 1000);
  EXPECT_DOUBLE_EQ(*m.power.cluster_mean_w, 4 * *m.power.node_mean_w);
  EXPECT_DOUBLE_EQ(*m.power.step_j, *m.power.cluster_mean_w * m.step_time_s);
  EXPECT_DOUBLE_EQ(*m.power.per_token_j * m.step_tokens, *m.power.step_j);
  EXPECT_GT(*m.power.gpu_mean_w, 120);
  EXPECT_LT(*m.power.gpu_mean_w, 500);
}

}  // namespace
}  // namespace orrery
