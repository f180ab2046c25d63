#include "sim/power/power_model.hpp"

#include <gtest/gtest.h>

#include "sim/simulate.hpp"
#include "tests/support/toy.hpp"
#include "tests/support/toy_scenario.hpp"

namespace orrery {
namespace {

// The toy GPU: floor 120 W, cap 500 W, 1 pJ per FLOP in BF16, 0.5 in FP8, 10 pJ per byte.

TEST(Power, WorkAddsItsJoules) {
  // 50e12 BF16 FLOPs = 50 J and 1e12 bytes = 10 J; the same in FP8: 25 J and 10 J.
  const PowerFigures& p = test::toy_cluster().gpu.power;
  EXPECT_DOUBLE_EQ(joules({.flops = 50e12, .memory_bytes = 1e12}, p), 60);
  EXPECT_DOUBLE_EQ(joules({.flops = 50e12, .fp8 = true, .memory_bytes = 1e12}, p), 35);
}

TEST(Power, LinksCountWhereTheProfileHasAFigure) {
  PowerFigures p = test::toy_cluster().gpu.power;
  EXPECT_DOUBLE_EQ(joules({.scale_up_bytes = 1e12, .scale_out_bytes = 1e12}, p), 0);
  p.scale_up_joules_per_byte = test::toy_number(2e-12);
  p.scale_out_joules_per_byte = test::toy_number(3e-12);
  EXPECT_DOUBLE_EQ(joules({.scale_up_bytes = 1e12, .scale_out_bytes = 1e12}, p), 5);
}

TEST(Power, AMissingPrecisionTakesItsNeighboursFigure) {
  PowerFigures p = test::toy_cluster().gpu.power;
  p.joules_per_flop.erase("fp8");
  EXPECT_DOUBLE_EQ(joules({.flops = 100e12, .fp8 = true}, p), 100);
  p.joules_per_flop = {{"fp16", test::toy_number(2e-12)}};
  EXPECT_DOUBLE_EQ(joules({.flops = 100e12}, p), 200);
}

// Two nodes of 1000 W; 3 switches of 700 W; 40 links have 80 ends, 16 of them at the NICs of 16 GPUs: 64 ends
// of 10 W.
TEST(Power, NodesAndSwitchesDrawAllTheTime) {
  ClusterProfile c = test::toy_cluster();
  c.switch_w = test::toy_number(700);
  c.transceiver_w = test::toy_number(10);
  const StaticPower rest = static_power(c, 2, 16, 3, 40);
  EXPECT_DOUBLE_EQ(rest.nodes.value, 2000);
  EXPECT_DOUBLE_EQ(rest.network.value, 2100 + 640);
}

TEST(Power, ASimulatedStepsEnergyIsItsPowerTimesItsTime) {
  const Metrics m = simulate(test::toy_scenario(test::toy_moe(), {"1f1b"})).metrics;
  ASSERT_FALSE(m.infeasible);
  // 32 GPUs are 4 nodes of 1000 W overhead; the toy cluster's switches have no figure.
  EXPECT_FALSE(m.power.network_w.has_value());
  EXPECT_NEAR(*m.power.node_mean_w, 8 * *m.power.gpu_mean_w + 1000, 1e-9);
  EXPECT_NEAR(*m.power.cluster_mean_w, 4 * *m.power.node_mean_w, 1e-8);
  EXPECT_DOUBLE_EQ(*m.power.step_j, *m.power.cluster_mean_w * m.step_time_s);
  EXPECT_DOUBLE_EQ(*m.power.per_token_j * m.step_tokens, *m.power.step_j);
  EXPECT_GT(*m.power.gpu_mean_w, 120);
  EXPECT_LT(*m.power.gpu_mean_w, *m.power.gpu_peak_w);
  EXPECT_LE(*m.power.gpu_peak_w, 500);
  EXPECT_LE(*m.power.cluster_peak_w, 32 * *m.power.gpu_peak_w + 4000 + 1e-9);
  EXPECT_LT(*m.power.node_mean_w, *m.power.node_peak_w);
}

TEST(Power, ANodeUsedInPartDrawsItsWholeOverhead) {
  Scenario s = test::toy_scenario(test::toy_moe(), {"1f1b"});
  s.cluster.gpus_per_node = 12;  // 32 GPUs on 3 nodes, the last with 8
  const Metrics m = simulate(s).metrics;
  if (m.infeasible) GTEST_SKIP() << m.infeasible->text;
  EXPECT_NEAR(*m.power.cluster_mean_w, 32 * *m.power.gpu_mean_w + 3000, 1e-8);
  EXPECT_NEAR(*m.power.node_mean_w, *m.power.cluster_mean_w / 3, 1e-8);
}

// Without the barrier of all ranks before the optimizer the same work is done in a shorter period: what a GPU
// draws above the floor, summed over the step, stays; the floor is drawn for less time. Nothing is capped
// (the cap is raised), so energy of the GPUs = floor * period + the same joules.
TEST(Power, PostValidationDoesTheSameWorkInLessTime) {
  for (const char* schedule : {"zb-h1", "zb-h2"}) {
    Scenario s = test::toy_scenario(test::toy_dense(), {schedule});
    s.cluster.gpu.power.cap_w.value = 1e6;
    s.cluster.gpu.power.kernel_w = test::toy_number(40);
    const Metrics barrier = simulate(s).metrics;
    s.layout.optimizer_sync = OptimizerSync::kPostValidation;
    const Metrics period = simulate(s).metrics;
    ASSERT_FALSE(barrier.infeasible || period.infeasible);
    ASSERT_LT(period.step_time_s, 0.999 * barrier.step_time_s) << schedule;
    const double floor = s.cluster.gpu.power.communication_floor_w.value;
    const auto above = [&](const Metrics& m) { return (*m.power.gpu_mean_w - floor) * m.step_time_s; };
    EXPECT_NEAR(above(period) / above(barrier), 1, 0.01) << schedule;
    EXPECT_GT(*period.power.gpu_mean_w, *barrier.power.gpu_mean_w) << schedule;
    EXPECT_LT(*period.power.step_j, *barrier.power.step_j) << schedule;
  }
}

}  // namespace
}  // namespace orrery
