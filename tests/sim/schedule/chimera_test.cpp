#include <gtest/gtest.h>

#include <algorithm>

#include "sim/schedule/generators.hpp"
#include "sim/schedule/validate.hpp"
#include "tests/sim/schedule/unit_time.hpp"

namespace orrery {
namespace {

TEST(Chimera, OneUnitOfFourRanksByHand) {
  // Slots of rank 0: F0 F1 at 0 and 2, their B at 7 and 9; of the other direction F2 F3 at 3 and 5, B at
  // 4, 6.
  EXPECT_EQ(to_csv(make_schedule("chimera", 4, 1, 4)),
            "0F0,0F1,3F2,3B2,3F3,3B3,0B0,0B1\n"
            "1F0,2F2,1F1,2F3,2B2,1B0,2B3,1B1\n"
            "1F2,2F0,1F3,2F1,2B0,1B2,2B1,1B3\n"
            "0F2,0F3,3F0,3B0,3F1,3B1,0B2,0B3\n");
}

TEST(Chimera, RankRHoldsStagesRAndPMinusOneMinusR) {
  const Schedule schedule = make_schedule("chimera", 8, 1, 16);
  EXPECT_EQ(schedule.stages_of(RankId{2}), (std::vector{StageId{2}, StageId{5}}));
  EXPECT_EQ(schedule.rank_of(StageId{2}, MicrobatchId{7}), RankId{2});
  EXPECT_EQ(schedule.rank_of(StageId{2}, MicrobatchId{8}), RankId{5});
}

TEST(Chimera, IdlesPMinusTwoBackwardsAndTheirExcessOverForwardsInEveryFurtherUnit) {
  // (P-2)(B + (k-1)(B-F)) with k units of P microbatches; 14 for P = 16 and F = B = 1, half of GPipe's 30.
  for (int pp = 2; pp <= 16; pp += 2) {
    for (const int units : {1, 2, 5}) {
      for (const double backward : {1.0, 2.0, 3.0}) {
        const auto outcome = test::run_in_unit_time(make_schedule("chimera", pp, 1, units * pp),
                                                    {.forward = 1, .backward = backward, .weight = 0});
        const double expected = (pp - 2) * (backward + (units - 1) * (backward - 1));
        for (const double idle : outcome.idle) EXPECT_DOUBLE_EQ(idle, expected) << pp << " " << units;
      }
    }
  }
}

TEST(Chimera, KeepsHalfPPlusOneMicrobatchesAliveAtTheEndsAndPInTheMiddle) {
  for (int pp = 2; pp <= 16; pp += 2) {
    for (const int units : {1, 2, 5}) {
      const ScheduleStats all = stats(make_schedule("chimera", pp, 1, units * pp));
      for (int rank = 0; rank < pp; ++rank) {
        const int from_end = std::min(rank, pp - 1 - rank);
        const StepCounts& counts = all.ranks[static_cast<std::size_t>(rank)];
        EXPECT_EQ(counts.peak_live, pp / 2 + 1 + from_end) << pp << " " << units << " " << rank;
        EXPECT_EQ(counts.forwards, units * pp);
        EXPECT_EQ(counts.backwards, units * pp);
      }
    }
  }
}

}  // namespace
}  // namespace orrery
