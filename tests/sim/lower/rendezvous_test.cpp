#include <gtest/gtest.h>

#include <vector>

#include "sim/engine/engine.hpp"
#include "sim/lower/lower.hpp"
#include "sim/plan.hpp"
#include "sim/schedule/generators.hpp"
#include "sim/simulate.hpp"
#include "tests/support/hand_made.hpp"
#include "tests/support/toy_scenario.hpp"

namespace orrery {
namespace {

using test::HandMade;
using test::us;

std::vector<double> begins(const LoweredStep& step, const Timeline& t, std::size_t rank) {
  std::vector<double> all;
  for (std::size_t s = step.rank_begin[rank]; s < step.rank_begin[rank + 1]; ++s)
    all.push_back(us(t.start[step.steps[s].begin.at()]));
  return all;
}

TEST(Rendezvous, AMessageWaitsUntilBothSidesHaveIssuedIt) {
  // Two ranks of 1F1B, forward 10, backward 20, message 5. Rank 0: F0 0-10; its output is taken at once,
  // 10-15; F1 15-25; then it waits to hand over the second output. Rank 1: F0 15-25, B0 25-45; only now it
  // issues the receive of the second output, with the send of its gradient: both 45-50. Rank 0: B0 50-70.
  // Rank 1: F1 50-60, B1 60-80, gradient 80-85. Rank 0: B1 85-105. With blocking messages the second output
  // leaves at 25.
  HandMade made(2, std::vector<UnitWork>(2, test::plain_unit(10, 10, 10)), 5);
  made.layout.messages = MessageRule::kRendezvous;
  const LoweredStep step = made.lower(make_schedule("1f1b", 2, 1, 2));
  const Timeline t = run(step.graph);
  ASSERT_EQ(t.stop, StopReason::kDone);
  EXPECT_EQ(begins(step, t, 0), (std::vector<double>{0, 15, 50, 85}));
  EXPECT_EQ(begins(step, t, 1), (std::vector<double>{15, 25, 50, 60}));
  EXPECT_EQ(us(t.makespan), 105);
}

TEST(Rendezvous, ABatchHoldsUpWorkThatDoesNotNeedIt) {
  // As above, with a message rule that waits for nothing but inputs: rank 0's B0 begins when its gradient is
  // there.
  HandMade made(2, std::vector<UnitWork>(2, test::plain_unit(10, 10, 10)), 5);
  made.layout.messages = MessageRule::kAsync;
  const LoweredStep step = made.lower(make_schedule("1f1b", 2, 1, 2));
  const Timeline t = run(step.graph);
  EXPECT_EQ(begins(step, t, 0), (std::vector<double>{0, 10, 50, 80}));
  EXPECT_EQ(us(t.makespan), 100);
}

TEST(Rendezvous, IsNeverFasterThanAsyncOnAnyScheduleThatRuns) {
  for (Scenario s : test::toy_scenarios()) {
    s.layout.messages = MessageRule::kAsync;
    const SimResult async = simulate(s);
    s.layout.messages = MessageRule::kRendezvous;
    const SimResult rendezvous = simulate(s);
    if (rendezvous.metrics.infeasible) {
      EXPECT_EQ(rendezvous.metrics.infeasible->reason, Reason::kSchedule) << test::label(s);
      EXPECT_NE(rendezvous.metrics.infeasible->text.find("deadlock"), std::string::npos);
      continue;
    }
    // Contention shifts with the messages, so a little slack: rounding and slow-downs by picoseconds.
    EXPECT_GE(rendezvous.metrics.step_time_s, async.metrics.step_time_s * (1 - 1e-3)) << test::label(s);
  }
}

}  // namespace
}  // namespace orrery
