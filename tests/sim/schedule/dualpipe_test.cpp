#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "sim/schedule/generators.hpp"
#include "sim/schedule/validate.hpp"
#include "tests/sim/schedule/dual_words.hpp"
#include "tests/sim/schedule/unit_time.hpp"

namespace orrery {
namespace {

// One rank's program as DualPipe publishes it, in words.
test::Words published_words(int ranks, int chunks, int rank) {
  const int from_end = std::min(rank, ranks - 1 - rank);
  const int to_middle = ranks / 2 - from_end - 1;
  test::Words words;
  const auto say = [&](int times, std::initializer_list<const char*> what) { test::say(words, times, what); };
  say(2 * to_middle, {"F0"});
  say(from_end + 1, {"F0", "F1"});
  say(to_middle, {"Z1", "W", "F1"});
  if (to_middle == 0) {
    say(1, {"F0", "B1", "F1B0"});
    say(chunks / 2 - ranks + from_end, {"F0B1", "F1B0"});
  } else {
    say(chunks / 2 - ranks + from_end + 1, {"F0B1", "F1B0"});
  }
  say(to_middle, {"B1", "F1B0"});
  bool defer = false;
  for (int i = 0; i <= from_end; ++i) {
    const bool switches = i == (from_end + 1) / 2;
    if (switches && from_end % 2 == 1) defer = true;
    say(1, {defer ? "Z1" : "B1"});
    if (switches && from_end % 2 == 0) defer = true;
    say(1, {defer ? "Z0" : "B0"});
  }
  say(to_middle, {"W", "Z0"});
  say(from_end + 1, {"W"});
  return words;
}

std::vector<std::string> published_steps(int ranks, int chunks, int rank) {
  // Phase 0 of the left half runs left to right, of the right half right to left.
  const std::array<int, 2> rightward = {rank, 0};
  const std::array<int, 2> leftward = {ranks - 1 - rank, chunks / 2};
  const bool left = rank < ranks / 2;
  return test::steps_of_words(published_words(ranks, chunks, rank),
                              {left ? rightward : leftward, left ? leftward : rightward});
}

// Chunk counts tried for P ranks: the fewest allowed, one pair more, and some plenty.
std::vector<int> chunk_counts(int ranks) {
  return {2 * ranks, 2 * ranks + 2, 3 * ranks, 5 * ranks + 2, 120};
}

template <class Visit>
void for_many_sizes(Visit visit) {
  for (int ranks = 2; ranks <= 32; ranks += 2) {
    for (const int chunks : chunk_counts(ranks))
      visit(ranks, chunks, make_schedule("dualpipe", ranks, 1, chunks));
  }
}

TEST(DualPipe, EqualsThePublishedProgramActionByAction) {
  for_many_sizes([](int ranks, int chunks, const Schedule& schedule) {
    for (int rank = 0; rank < ranks; ++rank) {
      ASSERT_EQ(test::texts_of(schedule.ranks[static_cast<std::size_t>(rank)]),
                published_steps(ranks, chunks, rank))
          << ranks << " ranks, " << chunks << ", rank " << rank;
    }
  });
}

TEST(DualPipe, RunsAsManyStepsOfEachKindAsPublished) {
  // With c the distance to the end: 3P/2-c-1 F, N-3P/2+c+1 pairs, P/2 B, P-c-1 I and W; the two middle ranks
  // run one pair as one F and one B.
  for_many_sizes([](int ranks, int chunks, const Schedule& schedule) {
    const ScheduleStats all = stats(schedule);
    for (int rank = 0; rank < ranks; ++rank) {
      const int c = std::min(rank, ranks - 1 - rank);
      const int middle = c == ranks / 2 - 1 ? 1 : 0;
      const StepCounts& counts = all.ranks[static_cast<std::size_t>(rank)];
      EXPECT_EQ(counts.forwards, 3 * ranks / 2 - c - 1 + middle);
      EXPECT_EQ(counts.pairs, chunks - 3 * ranks / 2 + c + 1 - middle);
      EXPECT_EQ(counts.backwards, ranks / 2 + middle);
      EXPECT_EQ(counts.input_grads, ranks - c - 1);
      EXPECT_EQ(counts.weight_grads, ranks - c - 1);
      EXPECT_EQ(counts.forwards + counts.pairs, chunks);
      EXPECT_EQ(counts.backwards + counts.pairs + counts.input_grads, chunks);
    }
  });
}

void expect_counts(const StepCounts& counts, std::array<int, 5> expected) {
  const std::array<int, 5> found = {counts.forwards, counts.pairs, counts.backwards, counts.input_grads,
                                    counts.weight_grads};
  EXPECT_EQ(found, expected);
}

TEST(DualPipe, DeepSeekV3sSizeRunsThePublishedCounts) {
  const ScheduleStats all = stats(make_schedule("dualpipe", 16, 1, 120));
  for (const std::size_t end : {0U, 15U}) expect_counts(all.ranks[end], {23, 97, 8, 15, 15});
  for (const std::size_t middle : {7U, 8U}) expect_counts(all.ranks[middle], {17, 103, 9, 8, 8});
  // Means over the 16 ranks: 19.6 F, 100.4 pairs, 8.1 B, 11.5 I and W.
  expect_counts(all.overall, {314, 1606, 130, 184, 184});
}

TEST(DualPipe, EightRanksTwentyChunksRunThePublishedCounts) {
  // P = 8, N = 20. End rank, c = 0: 11 F, 9 pairs, 4 B, 7 I, 7 W. Middle, c = 3: 8+1 F, 12-1 pairs, 4+1 B,
  // 4, 4.
  const ScheduleStats all = stats(make_schedule("dualpipe", 8, 1, 20));
  for (const std::size_t end : {0U, 7U}) expect_counts(all.ranks[end], {11, 9, 4, 7, 7});
  for (const std::size_t middle : {3U, 4U}) expect_counts(all.ranks[middle], {9, 11, 5, 4, 4});
}

TEST(DualPipe, KeepsPPlusOneMicrobatchesAliveOnEveryRank) {
  for_many_sizes([](int ranks, int, const Schedule& schedule) {
    for (const StepCounts& counts : stats(schedule).ranks) EXPECT_EQ(counts.peak_live, ranks + 1);
  });
}

TEST(DualPipe, RankRHoldsStagesRAndPMinusOneMinusR) {
  const Schedule schedule = make_schedule("dualpipe", 8, 1, 20);
  EXPECT_EQ(schedule.stages_of(RankId{0}), (std::vector{StageId{0}, StageId{7}}));
  EXPECT_EQ(schedule.stages_of(RankId{5}), (std::vector{StageId{2}, StageId{5}}));
  for (std::int32_t stage = 0; stage < 8; ++stage) {
    for (std::int32_t microbatch = 0; microbatch < 20; ++microbatch) {
      EXPECT_EQ(schedule.rank_of(StageId{stage}, MicrobatchId{microbatch}),
                RankId{microbatch < 10 ? stage : 7 - stage});
    }
  }
}

TEST(DualPipe, MirroredRanksRunMirroredPrograms) {
  // Swap the directions (microbatch m <-> m +- N/2) and rank r becomes rank P-1-r, step by step.
  const Schedule schedule = make_schedule("dualpipe", 8, 1, 20);
  const auto swapped = [](Action action) {
    action.microbatch.value += action.microbatch.value < 10 ? 10 : -10;
    return action;
  };
  for (std::size_t rank = 0; rank < 4; ++rank) {
    std::vector<Step> mirrored = schedule.ranks[7 - rank];
    for (Step& step : mirrored) {
      step.first = swapped(step.first);
      if (step.overlapped) step.second = swapped(step.second);
    }
    EXPECT_EQ(schedule.ranks[rank], mirrored);
  }
}

struct BubbleCase {
  test::UnitTimes times;
  int ranks;
  int chunks;
  double idle_end;
  double idle_middle;
};

TEST(DualPipe, IdlesAsLongAsPublishedInUnitTime) {
  // The formula is (P/2-1)(pair + B - 3W): 3 * 2 = 6 and 7 * 2 = 14 in the first two rows, which the schedule
  // meets exactly because W = F and B = 2F. The other rows are an event simulation of the published program.
  const std::vector<BubbleCase> cases = {
      {{.forward = 1, .backward = 2, .weight = 1, .pair = 3}, 8, 20, 6.0, 6.0},
      {{.forward = 1, .backward = 2, .weight = 1, .pair = 3}, 16, 120, 14.0, 14.0},
      {{.forward = 1, .backward = 2, .weight = 0.5, .pair = 3}, 8, 20, 9.5, 9.5},
      {{.forward = 1, .backward = 2, .weight = 0.7, .pair = 3}, 16, 120, 19.3, 19.3},
      {{.forward = 1, .backward = 2, .weight = 1, .pair = 2}, 16, 120, 1.0, 7.0},
      {{.forward = 1, .backward = 2, .weight = 0.7, .pair = 2.6}, 8, 20, 5.8, 6.6},
  };
  for (const BubbleCase& row : cases) {
    const auto outcome =
        test::run_in_unit_time(make_schedule("dualpipe", row.ranks, 1, row.chunks), row.times);
    ASSERT_GT(outcome.end, 0);
    EXPECT_NEAR(outcome.idle.front(), row.idle_end, 1e-9) << row.ranks << " " << row.times.weight;
    EXPECT_NEAR(outcome.idle[static_cast<std::size_t>(row.ranks / 2)], row.idle_middle, 1e-9)
        << row.ranks << " " << row.times.weight;
  }
}

}  // namespace
}  // namespace orrery
