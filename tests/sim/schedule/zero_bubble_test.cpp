#include <gtest/gtest.h>

#include <algorithm>

#include "sim/schedule/generators.hpp"
#include "sim/schedule/validate.hpp"
#include "tests/sim/schedule/unit_time.hpp"

namespace orrery {
namespace {

constexpr test::UnitTimes kEqual{.forward = 1, .backward = 2, .weight = 1, .pair = 3};  // F = I = W = 1

TEST(ZeroBubble, H1OfThreeRanksByHand) {
  EXPECT_EQ(to_csv(make_schedule("zb-h1", 3, 1, 4)),
            "0F0,0F1,0F2,0I0,0W0,0F3,0I1,0W1,0I2,0W2,0I3,0W3\n"
            "1F0,1F1,1I0,1F2,1I1,1W0,1F3,1I2,1W1,1I3,1W2,1W3\n"
            "2F0,2I0,2F1,2I1,2F2,2I2,2W0,2F3,2I3,2W1,2W2,2W3\n");
}

TEST(ZeroBubble, H1IdlesPMinusOneTimesForwardPlusInputMinusWeightGradient) {
  // (P-1)(F+I-W) = 7 * (1+1-1) = 7 for P = 8, 7 * (1+1.5-0.5) = 14 with the shorter W. A longer W than F or
  // I would stretch the steady part, which the formula leaves out.
  for (int pp = 2; pp <= 16; ++pp) {
    for (const test::UnitTimes& times : {kEqual, test::UnitTimes{.backward = 2, .weight = 0.5}}) {
      const double expected = (pp - 1) * (times.forward + times.backward - 2 * times.weight);
      const auto outcome = test::run_in_unit_time(make_schedule("zb-h1", pp, 1, 3 * pp), times);
      for (const double idle : outcome.idle) EXPECT_DOUBLE_EQ(idle, expected) << pp << " " << times.weight;
    }
  }
}

TEST(ZeroBubble, H1KeepsAtMostPMicrobatchesAliveOrDeferred) {
  const ScheduleStats all = stats(make_schedule("zb-h1", 8, 1, 24));
  for (int rank = 0; rank < 8; ++rank) {
    const StepCounts& counts = all.ranks[static_cast<std::size_t>(rank)];
    EXPECT_EQ(counts.peak_live, 8 - rank);
    EXPECT_EQ(counts.peak_deferred, rank + 1);  // one more for the moment between I and W
  }
}

TEST(ZeroBubble, H2OfThreeRanksByHand) {
  // 4, 2 and 0 forwards ahead; 0, 2 and 4 weight gradients held back.
  EXPECT_EQ(to_csv(make_schedule("zb-h2", 3, 1, 6)),
            "0F0,0F1,0F2,0F3,0F4,0I0,0W0,0F5,0I1,0W1,0I2,0W2,0I3,0W3,0I4,0W4,0I5,0W5\n"
            "1F0,1F1,1F2,1I0,1F3,1I1,1F4,1I2,1W0,1F5,1I3,1W1,1I4,1W2,1I5,1W3,1W4,1W5\n"
            "2F0,2I0,2F1,2I1,2F2,2I2,2F3,2I3,2F4,2I4,2W0,2F5,2I5,2W1,2W2,2W3,2W4,2W5\n");
}

TEST(ZeroBubble, H2HasNoBubbleWhereForwardInputAndWeightGradientTakeEquallyLong) {
  // From its first forward to its last W no rank waits; rank r starts and ends r forwards after rank 0, so
  // from the first start to the last end every rank idles P-1.
  for (int pp = 1; pp <= 16; ++pp) {
    for (const int microbatches : {2 * pp - 1, 2 * pp, 3 * pp + 1, 64}) {
      const auto outcome = test::run_in_unit_time(make_schedule("zb-h2", pp, 1, microbatches), kEqual);
      for (const double idle : outcome.own_idle) EXPECT_DOUBLE_EQ(idle, 0) << pp << " " << microbatches;
      for (const double idle : outcome.idle) EXPECT_DOUBLE_EQ(idle, pp - 1) << pp << " " << microbatches;
    }
  }
}

TEST(ZeroBubble, H2IdlesPMinusOneTimesForwardPlusInputMinusTwoWeightGradients) {
  // (P-1)(F+I-2W) = 7 * (1+1.25-1.5) = 5.25 on the rank that waits longest.
  const test::UnitTimes times{.forward = 1, .backward = 2, .weight = 0.75, .pair = 3};
  const auto outcome = test::run_in_unit_time(make_schedule("zb-h2", 8, 1, 40), times);
  EXPECT_DOUBLE_EQ(*std::max_element(outcome.own_idle.begin(), outcome.own_idle.end()), 7 * 0.75);
}

// Most microbatches a rank holds for the backward and for the weight gradient together.
int peak_held(const std::vector<Step>& steps) {
  int held = 0;
  int most = 0;
  for (const Step& step : steps) {
    if (step.first.kind == ActionKind::kForward) most = std::max(most, ++held);
    if (step.first.kind == ActionKind::kWeightGrad) --held;
  }
  return most;
}

TEST(ZeroBubble, H1HoldsPAndH2TwicePMinusOneMicrobatchesOnEveryRank) {
  for (int pp = 1; pp <= 16; ++pp) {
    const Schedule h1 = make_schedule("zb-h1", pp, 1, 3 * pp);
    const Schedule h2 = make_schedule("zb-h2", pp, 1, 3 * pp);
    const ScheduleStats all = stats(h2);
    for (int rank = 0; rank < pp; ++rank) {
      const auto r = static_cast<std::size_t>(rank);
      EXPECT_EQ(peak_held(h1.ranks[r]), pp);
      EXPECT_EQ(peak_held(h2.ranks[r]), 2 * pp - 1);
      EXPECT_EQ(all.ranks[r].peak_live, 2 * (pp - rank) - 1);
      EXPECT_EQ(all.ranks[r].peak_deferred, 2 * rank + 1);  // one more for the moment between I and W
    }
  }
}

TEST(ZeroBubble, H2WithinALimitRunsFromH1ToH2AndHoldsNoMoreThanTheLimit) {
  for (int pp : {2, 3, 4, 8, 13}) {
    double last_idle = 1e300;
    for (int limit = pp; limit <= 2 * pp - 1; ++limit) {
      const Schedule s = make_schedule("zb-h2", pp, 1, 3 * pp, limit);
      EXPECT_FALSE(validate(s)) << pp << " " << limit;
      int most = 0;
      for (const auto& steps : s.ranks) most = std::max(most, peak_held(steps));
      EXPECT_EQ(most, limit) << pp;
      if (limit == pp) {
        EXPECT_EQ(s.ranks, make_schedule("zb-h1", pp, 1, 3 * pp).ranks);
      }
      if (limit == 2 * pp - 1) {
        EXPECT_EQ(s.ranks, make_schedule("zb-h2", pp, 1, 3 * pp).ranks);
      }
      // With equal times more room is never worse.
      const auto outcome = test::run_in_unit_time(s, {.forward = 1, .backward = 2, .weight = 1, .pair = 3});
      const double idle = *std::max_element(outcome.own_idle.begin(), outcome.own_idle.end());
      EXPECT_LE(idle, last_idle) << pp << " " << limit;
      last_idle = idle;
    }
    EXPECT_EQ(last_idle, 0);
  }
  const Verdict less = check_schedule("zb-h2", 4, 1, 8, 3);
  ASSERT_TRUE(less);
  EXPECT_EQ(less->needed, 4);
  EXPECT_TRUE(check_schedule("1f1b", 4, 1, 8, 4)) << "a limit that means nothing is refused";
}

TEST(ZeroBubble, EveryBackwardIsSplit) {
  for (const char* name : {"zb-h1", "zb-h2"}) {
    for (const int microbatches : {1, 3, 8, 20}) {
      for (const StepCounts& counts : stats(make_schedule(name, 8, 1, microbatches)).ranks) {
        EXPECT_EQ(counts.forwards, microbatches);
        EXPECT_EQ(counts.input_grads, microbatches);
        EXPECT_EQ(counts.weight_grads, microbatches);
        EXPECT_EQ(counts.backwards + counts.pairs, 0);
      }
    }
  }
}

}  // namespace
}  // namespace orrery
