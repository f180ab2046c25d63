#include <gtest/gtest.h>

#include "sim/schedule/generators.hpp"
#include "sim/schedule/validate.hpp"
#include "tests/sim/schedule/unit_time.hpp"

namespace orrery {
namespace {

TEST(Interleaved, TwoRanksOfTwoStagesByHand) {
  // Rank 0 (stages 0, 2) runs 2*(2-1) + (2-1)*2 = 4 forwards ahead, rank 1 (stages 1, 3) 2.
  EXPECT_EQ(to_csv(make_schedule("interleaved-1f1b", 2, 2, 4)),
            "0F0,0F1,2F0,2F1,0F2,2B0,0F3,2B1,2F2,0B0,2F3,0B1,2B2,2B3,0B2,0B3\n"
            "1F0,1F1,3F0,3B0,3F1,3B1,1F2,1B0,1F3,1B1,3F2,3B2,3F3,3B3,1B2,1B3\n");
}

TEST(Interleaved, StageSLivesOnRankSModuloP) {
  const Schedule schedule = make_schedule("interleaved-1f1b", 4, 3, 8);
  EXPECT_EQ(schedule.stages, 12);
  EXPECT_EQ(schedule.stages_of(RankId{1}), (std::vector{StageId{1}, StageId{5}, StageId{9}}));
}

TEST(Interleaved, BubbleIsThatOfOneFOneBDividedByTheStagesPerRank) {
  // A stage of a rank with v of them takes 1/v of the time: idle (P-1)(F+B) with F and B of one stage, where
  // 1F1B would have v times these.
  for (const int vpp : {2, 3, 4}) {
    const Schedule schedule = make_schedule("interleaved-1f1b", 8, vpp, 24);
    for (const double idle : test::run_in_unit_time(schedule, {}).idle) EXPECT_DOUBLE_EQ(idle, 7 * 3);
  }
}

}  // namespace
}  // namespace orrery
