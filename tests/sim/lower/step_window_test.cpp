#include "sim/lower/step_window.hpp"

#include <gtest/gtest.h>

#include "sim/engine/engine.hpp"
#include "sim/schedule/generators.hpp"
#include "sim/simulate.hpp"
#include "tests/support/hand_made.hpp"
#include "tests/support/toy_scenario.hpp"

namespace orrery {
namespace {

using test::HandMade;
using test::us;

TEST(StepPeriod, WithABarrierIsTheMakespan) {
  HandMade made(2, std::vector<UnitWork>(2, test::plain_unit(10, 10, 10)), 5);
  made.tail = true;
  const LoweredStep step = made.lower(make_schedule("1f1b", 2, 1, 2));
  const Timeline t = run(step.graph);
  EXPECT_EQ(step_period(step, t).length, t.makespan);
}

TEST(StepPeriod, WithoutOneIsTheLongestTimeOfARankFromItsFirstStepToItsUpdate) {
  // GPipe on two ranks, one microbatch, messages of 5. Rank 0: F 0-10 ... B 50-70; rank 1: F 15-25, B 25-45.
  // No weights, so updates take 1 us of latency each. Rank 0 is busy from 0 to its update, rank 1 from 15 to
  // its own.
  HandMade made(2, std::vector<UnitWork>(2, test::plain_unit(10, 10, 10)), 5);
  made.tail = true;
  made.layout.optimizer_sync = OptimizerSync::kPostValidation;
  const LoweredStep step = made.lower(make_schedule("gpipe", 2, 1, 1));
  const Timeline t = run(step.graph);
  const StepPeriod period = step_period(step, t);
  EXPECT_EQ(period.longest_rank, 0U);
  EXPECT_EQ(us(period.ranks[1].begin), 15);
  EXPECT_LT(us(period.ranks[1].end), 60) << "rank 1 updates without waiting for rank 0";
  EXPECT_EQ(period.length, period.ranks[0].end - period.ranks[0].begin);
  EXPECT_GE(us(period.length), 70);
}

TEST(StepPeriod, ShiftedByThePeriodNoRankRunsTwoStepsAtOnce) {
  for (Scenario s : test::toy_scenarios()) {
    s.layout.optimizer_sync = OptimizerSync::kPostValidation;
    const SimResult r = simulate(s);
    ASSERT_FALSE(r.metrics.infeasible) << test::label(s);
    const StepPeriod period = step_period(*r.step, *r.timeline);
    for (const StepWindow& w : period.ranks) EXPECT_LE(w.end, w.begin + period.length) << test::label(s);
    EXPECT_LE(period.length, r.timeline->makespan) << test::label(s);
    // Both accounts sum to it: account_ranks checks that to the picosecond.
    EXPECT_NEAR(r.metrics.breakdown.sum(), r.metrics.step_time_s, 1e-12);
    EXPECT_FALSE(r.metrics.critical_path);
  }
}

}  // namespace
}  // namespace orrery
