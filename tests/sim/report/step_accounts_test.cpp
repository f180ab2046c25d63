#include "sim/report/step_accounts.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "sim/engine/engine.hpp"
#include "sim/schedule/generators.hpp"
#include "sim/simulate.hpp"
#include "sim/workload/op_builder.hpp"
#include "tests/support/hand_made.hpp"
#include "tests/support/toy_scenario.hpp"

namespace orrery {
namespace {

using test::act;
using test::HandMade;

constexpr double kUs = 1e-6;
constexpr double kExact = 1e-15;

std::vector<RankAccount> account(HandMade& made, const Schedule& schedule) {
  const LoweredStep step = made.lower(schedule);
  return account_ranks(step, run(step.graph));
}

RankAccount account_of(HandMade& made, ActionKind kind) {
  return account(made, test::one_rank({alone(act(kind, 0, 0))})).front();
}

TEST(StepAccounts, AnExchangeNothingHidesIsExposedAndPartOfTheForward) {
  // Compute 4, exchange 3, compute 4.
  HandMade made(1, {test::unit({.attention_f = 4, .dispatch_f = 3, .mlp_f = 4})});
  const RankAccount a = account_of(made, ActionKind::kForward);
  EXPECT_NEAR(a.times.breakdown.forward, 11 * kUs, kExact);
  EXPECT_NEAR(a.waterfall.compute, 8 * kUs, kExact);
  EXPECT_NEAR(a.waterfall.exposed_ep, 3 * kUs, kExact);
  EXPECT_NEAR(a.waterfall.sum(), 11 * kUs, kExact);
}

TEST(StepAccounts, OnlyThePartOfAnExchangeThatOutlastsComputeIsExposed) {
  // mlp B 1, then dispatch B 6 beside mlp W 4: 2 us of it stand alone.
  HandMade made(1, {test::unit({.mlp_b = 1, .dispatch_b = 6, .mlp_w = 4})});
  const RankAccount a = account_of(made, ActionKind::kBackward);
  EXPECT_NEAR(a.waterfall.compute, 5 * kUs, kExact);
  EXPECT_NEAR(a.waterfall.exposed_ep, 2 * kUs, kExact);
  EXPECT_NEAR(a.times.breakdown.backward_input, 7 * kUs, kExact);
}

TEST(StepAccounts, TimeLostToANeighbourIsContention) {
  // mlp W 4 us takes twice as long beside dispatch B 2 us: 1 us lost.
  HandMade made(1, {test::unit({.mlp_b = 1, .dispatch_b = 2, .mlp_w = 4})});
  made.cluster.gpu.contention = {{.op_class = "memory", .slowdown = test::toy_number(2)}};
  const RankAccount a = account_of(made, ActionKind::kBackward);
  EXPECT_NEAR(a.waterfall.compute, 5 * kUs, kExact);
  EXPECT_NEAR(a.waterfall.contention, 1 * kUs, kExact);
  EXPECT_EQ(a.waterfall.exposed_ep, 0);
  EXPECT_NEAR(a.times.breakdown.backward_input, 6 * kUs, kExact);
}

TEST(StepAccounts, WaitingForTheNeighbourIsBubbleAndItsMessageExposed) {
  // Two ranks of GPipe, forward 10, backward 10 + 10, message 5 (times in lower_test.cpp):
  //   rank 0: F0 0-10, own message to 15, F1 15-25, waits to 65, B0 65-85, waits to 90, B1 90-110.
  //   rank 1: waits to 15, F0 15-25, waits to 30, F1 30-40, B0 40-60, own message to 65, B1 65-85.
  // Before B0 and B1 of rank 0 the gradient was on the wire for the last 5.
  HandMade made(2, std::vector<UnitWork>(2, test::plain_unit(10, 10, 10)), 5);
  const std::vector<RankAccount> ranks = account(made, make_schedule("gpipe", 2, 1, 2));
  const RankAccount& first = ranks[0];
  EXPECT_NEAR(first.times.breakdown.forward, 20 * kUs, kExact);
  EXPECT_NEAR(first.times.breakdown.backward_input, 40 * kUs, kExact);
  EXPECT_NEAR(first.times.breakdown.bubble, 50 * kUs, kExact);
  EXPECT_NEAR(first.waterfall.bubble, 35 * kUs, kExact);
  EXPECT_NEAR(first.waterfall.exposed_pp, 15 * kUs, kExact);
  EXPECT_NEAR(first.times.pipeline_end, 110 * kUs, kExact);
  const RankAccount& second = ranks[1];
  EXPECT_NEAR(second.times.breakdown.bubble, 25 * kUs, kExact);
  EXPECT_NEAR(second.waterfall.bubble, 10 * kUs, kExact);
  EXPECT_NEAR(second.waterfall.exposed_pp, 15 * kUs, kExact);
  EXPECT_NEAR(second.times.pipeline_end, 85 * kUs, kExact);
  EXPECT_NEAR(second.times.breakdown.optimizer, 25 * kUs, kExact);  // what comes after the last step
}

TEST(StepAccounts, EachKindOfCommunicationHasItsOwnColumn) {
  // All-gathers over 2 GPUs of a node: half of the bytes at 100 GB/s and two latencies of 1 us.
  const auto gather = [](Axis axis, double microseconds) {
    return CommOp{
        .name = "gather", .kind = CommKind::kAllGather, .axis = axis, .bytes = (microseconds - 2) * 2e5};
  };
  UnitWork u;
  u.work.attention_f = {test::work("compute", 1), gather(Axis::kTp, 3), gather(Axis::kCp, 4),
                        gather(Axis::kDp, 5)};
  HandMade made(1, {u});
  made.layout.ep = 1;
  made.layout.tp = 2;
  made.layout.cp = 2;
  made.gpus = 8;
  const Waterfall w = account_of(made, ActionKind::kForward).waterfall;
  EXPECT_NEAR(w.compute, 1 * kUs, kExact);
  EXPECT_NEAR(w.exposed_tp, 3 * kUs, kExact);
  EXPECT_NEAR(w.exposed_cp, 4 * kUs, kExact);
  EXPECT_NEAR(w.exposed_dp, 5 * kUs, kExact);
  EXPECT_EQ(w.exposed_ep + w.other, 0);
}

TEST(StepAccounts, RecomputationIsToldApartFromCompute) {
  UnitWork u = test::plain_unit(1, 5, 2);
  Op again = test::work("again", 3);
  again.recompute = true;
  u.work.recompute = {again};
  HandMade made(1, {u});
  const RankAccount a = account_of(made, ActionKind::kBackward);
  EXPECT_NEAR(a.waterfall.recompute, 3 * kUs, kExact);
  EXPECT_NEAR(a.waterfall.compute, 7 * kUs, kExact);
  EXPECT_NEAR(a.times.breakdown.backward_input, 10 * kUs, kExact);
}

TEST(StepAccounts, StepsAreBookedAndCountedByTheirKind) {
  HandMade made(1, {test::plain_unit(1, 10, 100)});
  const RankAccount a =
      account(made,
              test::one_rank({alone(act(ActionKind::kForward, 0, 0)),
                              overlap(act(ActionKind::kForward, 0, 1), act(ActionKind::kBackward, 0, 0)),
                              alone(act(ActionKind::kInputGrad, 0, 1)),
                              alone(act(ActionKind::kWeightGrad, 0, 1))}))
          .front();
  EXPECT_NEAR(a.times.breakdown.forward, 1 * kUs, kExact);
  EXPECT_NEAR(a.times.breakdown.forward_backward, 111 * kUs, kExact);
  EXPECT_NEAR(a.times.breakdown.backward_input, 10 * kUs, kExact);
  EXPECT_NEAR(a.times.breakdown.backward_weight, 100 * kUs, kExact);
  EXPECT_EQ(a.times.forwards, 1);
  EXPECT_EQ(a.times.pairs, 1);
  EXPECT_EQ(a.times.backwards, 0);
  EXPECT_EQ(a.times.input_grads, 1);
  EXPECT_EQ(a.times.weight_grads, 1);
}

TEST(StepAccounts, WorkIsCountedByPrecision) {
  // Two products of 2 * 100 * 100 * 1000 = 2e7 FLOPs, one in FP8.
  UnitWork u;
  u.work.attention_f = {gemm_op("a", OpKind::kGemm, Precision::kFp8Block, 1, 100, 100, 1000),
                        gemm_op("b", OpKind::kGemm, Precision::kBf16, 1, 100, 100, 1000)};
  // Energy counts bytes only of kernels without products, here 5 MB; an exchange is no kernel.
  u.work.attention_f.emplace_back(test::work("copy", 5));
  u.work.dispatch_f = {test::exchange("dispatch", 3)};
  HandMade made(1, {u});
  const RankAccount a = account_of(made, ActionKind::kForward);
  EXPECT_DOUBLE_EQ(a.flops, 4e7);
  EXPECT_DOUBLE_EQ(a.fp8_flops, 2e7);
  EXPECT_DOUBLE_EQ(a.memory_bytes, 5e6);
}

TEST(StepAccounts, TheUpdateAddsItsTrafficToItsRank) {
  UnitWork u = test::plain_unit(1, 1, 1);
  u.dense_params = 8e6;
  HandMade made(1, {u});
  made.tail = true;
  made.layout.zero_stage = 0;
  const RankAccount a = account_of(made, ActionKind::kForward);
  EXPECT_DOUBLE_EQ(a.memory_bytes, 1e6 + 10 * 8e6);
  // All-reduce of 32 MB over 8 GPUs: 2 * (280 + 6) us; the update of 80 MB: 80 + 1 us.
  EXPECT_NEAR(a.times.breakdown.optimizer, (572 + 81) * kUs, kExact);
  EXPECT_NEAR(a.waterfall.optimizer, (572 + 81) * kUs, kExact);
}

TEST(StepAccounts, StageMeansAreThoseOfTheirActions) {
  HandMade made(2, {test::plain_unit(1, 10, 100), test::plain_unit(2, 20, 200)});
  const LoweredStep step = made.lower(make_schedule("zb-h1", 2, 1, 4));
  std::vector<StageRow> stages(2);
  add_stage_means(step, run(step.graph), stages);
  EXPECT_NEAR(stages[0].forward_s, 1 * kUs, kExact);
  EXPECT_NEAR(stages[1].forward_s, 2 * kUs, kExact);
  EXPECT_NEAR(stages[1].backward_input_s, 20 * kUs, kExact);
  EXPECT_NEAR(stages[1].backward_weight_s, 200 * kUs, kExact);
  EXPECT_EQ(stages[1].pair_s, 0);
}

TEST(StepAccounts, BothViewsOfEveryRankSumToTheStep) {
  for (Scenario scenario : test::toy_scenarios()) {
    for (std::int64_t zero : {0, 1, 2, 3}) {
      scenario.layout.zero_stage = zero;
      scenario.cluster.gpu.contention = {{.op_class = "gemm", .slowdown = test::toy_number(1.3)},
                                         {.op_class = "communication", .slowdown = test::toy_number(1.7)}};
      const SimResult r = simulate(scenario);
      ASSERT_FALSE(r.metrics.infeasible) << test::label(scenario);
      const double total = r.metrics.step_time_s;
      const std::vector<RankAccount> ranks = account_ranks(*r.step, *r.timeline);
      ASSERT_EQ(ranks.size(), static_cast<std::size_t>(scenario.layout.pp));
      for (const RankAccount& a : ranks) {
        EXPECT_NEAR(a.times.breakdown.sum(), total, 1e-12 * total) << test::label(scenario) << zero;
        EXPECT_NEAR(a.waterfall.sum(), total, 1e-12 * total) << test::label(scenario) << zero;
      }
    }
  }
}

}  // namespace
}  // namespace orrery
