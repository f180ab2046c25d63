#include <gtest/gtest.h>

#include <algorithm>

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

TEST(Interleaved, MicrobatchesThatDoNotDivideGoInTheSmallestGroupsMegatronAllows) {
  // 2 ranks, 3 microbatches: groups of 2 would leave 1, fewer than the ranks, so one group of 3. Rank 0 runs
  // 2*(2-1) + (2-1)*3 = 5 forwards ahead, rank 1 runs 3.
  EXPECT_EQ(to_csv(make_schedule("interleaved-1f1b", 2, 2, 3)),
            "0F0,0F1,0F2,2F0,2F1,2F2,2B0,2B1,2B2,0B0,0B1,0B2\n"
            "1F0,1F1,1F2,3F0,3B0,3F1,3B1,3F2,3B2,1B0,1B1,1B2\n");
}

// Microbatches that rank 0 runs on its first stage before its second has a turn.
int first_group(int pp, int microbatches) {
  const Schedule schedule = make_schedule("interleaved-1f1b", pp, 2, microbatches);
  int group = 0;
  while (schedule.ranks[0][static_cast<std::size_t>(group)].first.stage == StageId{0}) ++group;
  return group;
}

TEST(Interleaved, GroupsAreAsSmallAsTheLastOneAllows) {
  EXPECT_EQ(first_group(4, 12), 4);  // 4 + 4 + 4
  EXPECT_EQ(first_group(4, 10), 5);  // 4 + 4 leave 2; 5 + 5
  EXPECT_EQ(first_group(4, 9), 5);   // 5 leave 4, as many as the ranks
  EXPECT_EQ(first_group(4, 7), 7);   // 4 leave 3, 5 leave 2, 6 leave 1
  EXPECT_EQ(first_group(8, 20), 10);
}

TEST(Interleaved, RunsEveryPartOnceAndHoldsWhatItRanAhead) {
  for (int pp = 2; pp <= 16; ++pp) {
    for (int microbatches = pp; microbatches <= 3 * pp; ++microbatches) {
      const ScheduleStats all = stats(make_schedule("interleaved-1f1b", pp, 2, microbatches));
      const int group = microbatches % pp == 0 ? pp : first_group(pp, microbatches);
      for (int rank = 0; rank < pp; ++rank) {
        const StepCounts& counts = all.ranks[static_cast<std::size_t>(rank)];
        EXPECT_EQ(counts.forwards, 2 * microbatches);
        EXPECT_EQ(counts.backwards, 2 * microbatches);
        EXPECT_EQ(counts.peak_live, std::min(2 * (pp - 1 - rank) + group + 1, 2 * microbatches))
            << pp << " " << microbatches << " " << rank;
      }
    }
  }
}

}  // namespace
}  // namespace orrery
