#include "sim/report/bubble_causes.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "sim/engine/engine.hpp"
#include "sim/report/step_accounts.hpp"
#include "sim/schedule/generators.hpp"
#include "sim/simulate.hpp"
#include "tests/support/hand_made.hpp"
#include "tests/support/toy_scenario.hpp"

namespace orrery {
namespace {

using test::act;
using test::HandMade;
using test::kMicrosecond;

/// Forward and backward of that many microseconds; the gradient leaves when the whole backward is done.
UnitWork slab(double forward, double backward) {
  return test::unit({.attention_f = forward, .attention_b = backward / 2, .mlp_w = backward / 2});
}

std::vector<RankBubble> causes(HandMade& made, const Schedule& schedule) {
  const LoweredStep step = made.lower(schedule);
  return bubble_causes(step, run(step.graph));
}

/// Two ranks whose messages take no time.
std::vector<RankBubble> causes(std::vector<UnitWork> units, const Schedule& schedule) {
  HandMade made(2, std::move(units));
  made.cluster.scale_out.latency_s.value = 0;
  return causes(made, schedule);
}

void expect(const RankBubble& b, RankBubble us) {
  EXPECT_EQ(b.busy, us.busy * kMicrosecond);
  EXPECT_EQ(b.warm_up, us.warm_up * kMicrosecond);
  EXPECT_EQ(b.dependency, us.dependency * kMicrosecond);
  EXPECT_EQ(b.drain, us.drain * kMicrosecond);
  EXPECT_EQ(b.message, us.message * kMicrosecond);
  EXPECT_EQ(b.imbalance, us.imbalance * kMicrosecond);
}

TEST(BubbleCauses, EqualRanksOf1F1BWaitAtTheStartAndAtTheEnd) {
  // Forward 10, backward 20:
  //   rank 0: F0 0-10, F1 10-20, waits 20, B0 40-60, waits 10, B1 70-90
  //   rank 1: waits 10, F0 10-20, B0 20-40, F1 40-50, B1 50-70, waits 20
  const auto ranks = causes({slab(10, 20), slab(10, 20)}, make_schedule("1f1b", 2, 1, 2));
  expect(ranks[0], {.busy = 60, .warm_up = 20, .drain = 10});
  expect(ranks[1], {.busy = 60, .warm_up = 10, .drain = 20});
  const MeanBubble mean = mean_bubble(ranks);
  EXPECT_NEAR(mean.warm_up_s, 15e-6, 1e-15);
  EXPECT_NEAR(mean.idle_s(), 30e-6, 1e-15);  // (2 - 1) (F + B) on every rank
}

TEST(BubbleCauses, AnOrderThatWaitsBetweenMicrobatchesIsADependency) {
  // One microbatch at a time:
  //   rank 0: F0 0-10, waits 30, B0 40-60, F1 60-70, waits 30, B1 100-120
  //   rank 1: waits 10, F0 10-20, B0 20-40, waits 30, F1 70-80, B1 80-100, waits 20
  Schedule schedule{.name = "by hand", .stages = 2, .microbatches = 2, .ranks = {}, .owner = {}};
  for (int r = 0; r < 2; ++r) {
    std::vector<Step>& steps = schedule.ranks.emplace_back();
    for (int m = 0; m < 2; ++m) {
      steps.push_back(alone(act(ActionKind::kForward, r, m)));
      steps.push_back(alone(act(ActionKind::kBackward, r, m)));
      schedule.owner.push_back(RankId{r});
    }
  }
  const auto ranks = causes({slab(10, 20), slab(10, 20)}, schedule);
  expect(ranks[0], {.busy = 60, .warm_up = 30, .drain = 30});
  expect(ranks[1], {.busy = 60, .warm_up = 10, .dependency = 30, .drain = 20});
}

TEST(BubbleCauses, WorkARankLacksBesideTheBusiestIsImbalanceAndLeavesTheMiddleFirst) {
  // Rank 0 takes twice as long:
  //   rank 0: F0 0-20, F1 20-40, waits 10, B0 50-90, F2 90-110, B1 110-150, B2 150-190
  //   rank 1: waits 20, F0 20-30, B0 30-50, F1 50-60, B1 60-80, waits 30, F2 110-120, B2 120-140, waits 50
  // Rank 1 lacks 180 - 90 of work: all 30 of the middle, all 50 of the end, 10 of the start.
  const auto ranks = causes({slab(20, 40), slab(10, 20)}, make_schedule("1f1b", 2, 1, 3));
  expect(ranks[0], {.busy = 180, .warm_up = 10});
  expect(ranks[1], {.busy = 90, .warm_up = 10, .imbalance = 90});
}

TEST(BubbleCauses, TheMessageThatEndsAGapIsBookedAsMessage) {
  // GPipe, forward 10, backward 20, messages of 5 that block:
  //   rank 0: F0 0-10, own message to 15, F1 15-25, waits to 65 (on the wire from 60), B0 65-85, waits to 90
  //   (all on the wire), B1 90-110 rank 1: waits to 15 (from 10), F0 15-25, waits to 30 (all on the wire), F1
  //   30-40, B0 40-60, own message to 65, B1 65-85
  HandMade made(2, std::vector<UnitWork>(2, test::plain_unit(10, 10, 10)), 5);
  const auto ranks = causes(made, make_schedule("gpipe", 2, 1, 2));
  expect(ranks[0], {.busy = 60, .warm_up = 35, .message = 15});
  expect(ranks[1], {.busy = 60, .warm_up = 10, .drain = 25, .message = 15});
}

TEST(BubbleCauses, GradientReductionAndOptimizerAreWorkAndNotBubble) {
  // One rank alone never waits, whatever follows its last step.
  const SimResult r = simulate(test::toy_scenario(test::toy_dense(), {.name = "1f1b", .pp = 1}));
  const auto ranks = bubble_causes(*r.step, *r.timeline);
  ASSERT_EQ(ranks.size(), 1U);
  EXPECT_GT(r.metrics.breakdown.optimizer, 0);
  EXPECT_EQ(ranks[0].drain + ranks[0].dependency, 0);
}

TEST(BubbleCauses, HoldBetweenTheAccountsBubbleAndThatWithTheEndInEveryToyScenario) {
  for (const Scenario& s : test::toy_scenarios()) {
    const SimResult r = simulate(s);
    ASSERT_FALSE(r.metrics.infeasible) << test::label(s);
    const auto ranks = bubble_causes(*r.step, *r.timeline);
    std::int64_t least = r.timeline->makespan.ps;
    for (std::size_t i = 0; i < ranks.size(); ++i) {
      const RankBubble& b = ranks[i];
      const Breakdown& other = r.metrics.ranks[i].breakdown;
      EXPECT_EQ(b.busy + b.idle(), r.timeline->makespan.ps) << test::label(s);
      for (std::int64_t part : {b.warm_up, b.dependency, b.drain, b.message, b.imbalance}) EXPECT_GE(part, 0);
      const double idle = static_cast<double>(b.idle()) / kPicosecondsPerSecond;
      EXPECT_GE(idle, other.bubble - 1e-12) << test::label(s);
      EXPECT_LT(idle, other.bubble + other.optimizer) << test::label(s);
      least = std::min(least, b.imbalance);
    }
    EXPECT_EQ(least, 0) << "the busiest rank of " << test::label(s);
  }
}

}  // namespace
}  // namespace orrery
