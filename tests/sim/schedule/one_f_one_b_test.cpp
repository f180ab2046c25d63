#include <gtest/gtest.h>

#include <algorithm>

#include "sim/schedule/generators.hpp"
#include "sim/schedule/validate.hpp"
#include "tests/sim/schedule/unit_time.hpp"

namespace orrery {
namespace {

TEST(OneFOneB, RankRKeepsPMinusRMicrobatchesAlive) {
  for (int pp = 1; pp <= 16; ++pp) {
    for (const int microbatches : {1, 2, pp, 3 * pp}) {
      const ScheduleStats all = stats(make_schedule("1f1b", pp, 1, microbatches));
      for (int rank = 0; rank < pp; ++rank) {
        const StepCounts& counts = all.ranks[static_cast<std::size_t>(rank)];
        EXPECT_EQ(counts.peak_live, std::min(pp - rank, microbatches))
            << pp << " " << microbatches << " " << rank;
        EXPECT_EQ(counts.forwards, microbatches);
        EXPECT_EQ(counts.backwards, microbatches);
      }
    }
  }
}

TEST(OneFOneB, EveryRankIdlesPMinusOneForwardsAndBackwards) {
  // (P-1)(F+B) = 7 * (1+2) = 21 for P = 8.
  const test::UnitOutcome outcome = test::run_in_unit_time(make_schedule("1f1b", 8, 1, 20), {});
  EXPECT_DOUBLE_EQ(outcome.end, 20 * 3 + 21);
  for (const double idle : outcome.idle) EXPECT_DOUBLE_EQ(idle, 21);
}

TEST(Gpipe, KeepsEveryMicrobatchAliveAndIdlesAsLongAsOneFOneB) {
  const Schedule schedule = make_schedule("gpipe", 8, 1, 20);
  for (const StepCounts& counts : stats(schedule).ranks) EXPECT_EQ(counts.peak_live, 20);
  for (const double idle : test::run_in_unit_time(schedule, {}).idle) EXPECT_DOUBLE_EQ(idle, 21);
}

TEST(Gpipe, RunsAllForwardsThenAllBackwards) {
  EXPECT_EQ(to_csv(make_schedule("gpipe", 2, 1, 3)), "0F0,0F1,0F2,0B0,0B1,0B2\n1F0,1F1,1F2,1B0,1B1,1B2\n");
}

}  // namespace
}  // namespace orrery
