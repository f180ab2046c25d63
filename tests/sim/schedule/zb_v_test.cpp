#include <gtest/gtest.h>

#include <algorithm>

#include "sim/schedule/generators.hpp"
#include "sim/schedule/validate.hpp"
#include "tests/sim/schedule/unit_time.hpp"

namespace orrery {
namespace {

constexpr test::UnitTimes kEqual{.forward = 1, .backward = 2, .weight = 1, .pair = 3};  // F = I = W = 1

TEST(ZeroBubbleV, TwoRanksByHand) {
  // Rank 0 holds stages 0 and 3, rank 1 stages 1 and 2. Full with 2P-1 = 3 microbatches.
  EXPECT_EQ(to_csv(make_schedule("zb-v", 2, 2, 3)),
            "0F0,0F1,0F2,3F0,3I0,3W0,3F1,3I1,3W1,0I0,0W0,3F2,3I2,3W2,0I1,0W1,0I2,0W2\n"
            "1F0,2F0,1F1,2F1,2I0,2W0,1F2,1I0,1W0,2F2,2I1,2W1,1I1,2I2,1I2,1W1,2W2,1W2\n");
}

TEST(ZeroBubbleV, RankRHoldsStageRAndItsMirror) {
  const Schedule schedule = make_schedule("zb-v", 4, 2, 10);
  EXPECT_EQ(schedule.stages, 8);
  EXPECT_EQ(schedule.stages_of(RankId{0}), (std::vector{StageId{0}, StageId{7}}));
  EXPECT_EQ(schedule.stages_of(RankId{3}), (std::vector{StageId{3}, StageId{4}}));
}

TEST(ZeroBubbleV, HasNoBubbleWhereForwardInputAndWeightGradientTakeEquallyLong) {
  // Rank r starts and ends r forwards after rank 0 and never waits between.
  for (int pp = 1; pp <= 16; ++pp) {
    for (const int microbatches : {2 * pp - 1, 2 * pp, 3 * pp + 1, 50}) {
      const auto outcome = test::run_in_unit_time(make_schedule("zb-v", pp, 2, microbatches), kEqual);
      EXPECT_DOUBLE_EQ(outcome.end, 6 * microbatches + pp - 1) << pp << " " << microbatches;
      for (const double idle : outcome.own_idle) EXPECT_DOUBLE_EQ(idle, 0) << pp << " " << microbatches;
    }
  }
}

// Most stage activations a rank holds for the backward and for the weight gradient together.
int peak_held(const std::vector<Step>& steps) {
  int held = 0;
  int most = 0;
  for (const Step& step : steps) {
    if (step.first.kind == ActionKind::kForward) most = std::max(most, ++held);
    if (step.first.kind == ActionKind::kWeightGrad) --held;
  }
  return most;
}

TEST(ZeroBubbleV, HoldsTwoStagesOfPMicrobatchesOnEveryRank) {
  for (int pp = 1; pp <= 16; ++pp) {
    for (const int microbatches : {2 * pp, 50}) {
      const Schedule schedule = make_schedule("zb-v", pp, 2, microbatches);
      for (const auto& steps : schedule.ranks)
        EXPECT_EQ(peak_held(steps), 2 * pp) << pp << " " << microbatches;
    }
  }
}

TEST(ZeroBubbleV, RunsEveryPartOnceAlsoWithTooFewMicrobatchesToFillThePipeline) {
  for (const int microbatches : {1, 2, 5, 15, 40}) {
    for (const StepCounts& counts : stats(make_schedule("zb-v", 8, 2, microbatches)).ranks) {
      EXPECT_EQ(counts.forwards, 2 * microbatches);
      EXPECT_EQ(counts.input_grads, 2 * microbatches);
      EXPECT_EQ(counts.weight_grads, 2 * microbatches);
      EXPECT_EQ(counts.backwards + counts.pairs, 0);
    }
  }
}

}  // namespace
}  // namespace orrery
