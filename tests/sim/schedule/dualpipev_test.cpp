#include <gtest/gtest.h>

#include "sim/schedule/generators.hpp"
#include "sim/schedule/validate.hpp"
#include "tests/sim/schedule/dual_words.hpp"
#include "tests/sim/schedule/unit_time.hpp"

namespace orrery {
namespace {

// One rank's program as DualPipeV publishes it, in words. Phase 0 goes down through stage `rank`, phase 1
// comes back through stage 2 * ranks - 1 - rank.
test::Words published_words(int ranks, int chunks, int rank) {
  const int behind = ranks - rank - 1;  // ranks between this one and the turn
  test::Words words;
  const auto say = [&](int times, std::initializer_list<const char*> what) { test::say(words, times, what); };
  say(2 * behind, {"F0"});
  say(rank + 1, {"F0", "F1"});
  say(behind, {"Z1", "W", "F1"});
  for (int i = 0; i < chunks - 2 * ranks + rank + 1; ++i) {
    if (i == 0 && behind == 0) {
      say(1, {"F0", "B1"});  // the last rank has nothing yet to hide the backward behind
    } else {
      say(1, {"F0B1"});
    }
    say(1, {"F1B0"});
  }
  say(behind, {"B1", "F1B0"});
  const int halfway = (rank + 1) / 2;  // from here on weight gradients are left out
  for (int i = 0; i <= rank; ++i) {
    say(1, {i > halfway || (i == halfway && rank % 2 == 1) ? "Z1" : "B1"});
    say(1, {i >= halfway ? "Z0" : "B0"});
  }
  say(behind, {"W", "Z0"});
  say(rank + 1, {"W"});
  return words;
}

TEST(DualPipeV, EqualsThePublishedProgramActionByAction) {
  for (int ranks = 2; ranks <= 32; ranks += 2) {
    for (const int chunks : {2 * ranks, 2 * ranks + 1, 3 * ranks, 5 * ranks + 2, 120}) {
      const Schedule schedule = make_schedule("dualpipev", ranks, 2, chunks);
      for (int rank = 0; rank < ranks; ++rank) {
        ASSERT_EQ(test::texts_of(schedule.ranks[static_cast<std::size_t>(rank)]),
                  test::steps_of_words(published_words(ranks, chunks, rank),
                                       {{{rank, 0}, {2 * ranks - 1 - rank, 0}}}))
            << ranks << " ranks, " << chunks << ", rank " << rank;
      }
    }
  }
}

TEST(DualPipeV, CountsAreThoseOfDualPipeOverTwiceTheRanksAndChunks) {
  for (const int ranks : {1, 2, 3, 8}) {
    for (const int chunks : {2 * ranks, 2 * ranks + 1, 30}) {
      const ScheduleStats folded = stats(make_schedule("dualpipev", ranks, 2, chunks));
      const ScheduleStats flat = stats(make_schedule("dualpipe", 2 * ranks, 1, 2 * chunks));
      for (std::size_t rank = 0; rank < folded.ranks.size(); ++rank) {
        EXPECT_EQ(folded.ranks[rank], flat.ranks[rank]) << ranks << " ranks, " << chunks << ", rank " << rank;
      }
    }
  }
}

TEST(DualPipeV, OneRankByHand) {
  // Both stages on one rank, N = 2. Fill: 0F0 1F0; next to the middle the first pair runs apart (0F1, 1B0),
  // then 1F1 with 0B0; drain: 1B1, and 0I1 with its weight gradient held back.
  EXPECT_EQ(to_csv(make_schedule("dualpipev", 1, 2, 2)),
            "0F0,1F0,0F1,1B0,(1F1;0B0)OVERLAP_F_B,1B1,0I1,0W1\n");
}

TEST(DualPipeV, RankRHoldsStageRAndItsMirror) {
  const Schedule schedule = make_schedule("dualpipev", 4, 2, 10);
  EXPECT_EQ(schedule.stages, 8);
  EXPECT_EQ(schedule.stages_of(RankId{1}), (std::vector{StageId{1}, StageId{6}}));
  EXPECT_EQ(schedule.rank_of(StageId{7}, MicrobatchId{9}), RankId{0});
}

TEST(DualPipeV, IdlesAsLongAsDualPipeOfEqualStages) {
  // (stages/2 - 1)(pair + B - 3W) = 7 * 2 = 14 for 16 stages on 8 ranks.
  const auto outcome = test::run_in_unit_time(make_schedule("dualpipev", 8, 2, 60), {});
  for (const double idle : outcome.idle) EXPECT_DOUBLE_EQ(idle, 14);
}

}  // namespace
}  // namespace orrery
