#include "sim/schedule/generators.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

std::string error_of(std::string_view name, int pp, int vpp, int microbatches) {
  try {
    (void)make_schedule(name, pp, vpp, microbatches);
  } catch (const InputError& error) {
    return error.what();
  }
  return "made";
}

TEST(Generators, UnknownNameIsAnErrorWithTheNearest) {
  EXPECT_EQ(error_of("dualpip", 8, 1, 20),
            "schedule: unknown schedule 'dualpip'; expected one of gpipe, 1f1b, interleaved-1f1b, "
            "combined-1f1b, zb-h1, zb-h2, "
            "zb-v, chimera, dualpipe, dualpipev, auto; did you mean 'dualpipe'?");
}

TEST(Generators, EveryOneSaysWhatItIsAndWhereItComesFrom) {
  for (const GeneratorInfo& info : generators()) {
    EXPECT_FALSE(info.summary.empty()) << info.name;
    EXPECT_FALSE(info.source.empty()) << info.name;
    EXPECT_EQ(make_schedule(info.name, 4, info.default_vpp, 8).name, info.name);
    EXPECT_EQ(&find_generator(info.name), &info);
  }
}

void expect_unfit(std::string_view name, PipelineShape shape, double needed, double available,
                  std::string_view cure) {
  const Verdict verdict = check_schedule(name, shape.pp, shape.vpp, shape.microbatches);
  ASSERT_TRUE(verdict) << name;
  EXPECT_EQ(verdict->reason, Reason::kSchedule);
  EXPECT_EQ(verdict->needed, needed);
  EXPECT_EQ(verdict->available, available);
  EXPECT_NE(verdict->text.find(cure), std::string::npos) << verdict->text;
  EXPECT_NE(error_of(name, shape.pp, shape.vpp, shape.microbatches).find(verdict->text), std::string::npos);
}

TEST(Generators, DualPipeNeedsEvenRanksAndTwiceAsManyEvenMicrobatches) {
  EXPECT_FALSE(check_schedule("dualpipe", 8, 1, 16));
  EXPECT_FALSE(check_schedule("dualpipe", 2, 1, 4));
  expect_unfit("dualpipe", {.pp = 7, .vpp = 1, .microbatches = 20}, 8, 7, "use 6 or 8");
  expect_unfit("dualpipe", {.pp = 1, .vpp = 1, .microbatches = 20}, 2, 1, "not 1; use 2");
  expect_unfit("dualpipe", {.pp = 8, .vpp = 1, .microbatches = 14}, 16, 14, "16 for 8 ranks, not 14");
  expect_unfit("dualpipe", {.pp = 8, .vpp = 1, .microbatches = 21}, 22, 21, "21 is odd; use 22");
  expect_unfit("dualpipe", {.pp = 8, .vpp = 2, .microbatches = 20}, 2, 1, "use vpp 1");
}

TEST(Generators, DualPipeVNeedsTwoStagesPerRankAndTwiceAsManyMicrobatches) {
  EXPECT_FALSE(check_schedule("dualpipev", 3, 2, 7));  // neither has to be even
  expect_unfit("dualpipev", {.pp = 4, .vpp = 1, .microbatches = 20}, 2, 1, "use vpp 2");
  expect_unfit("dualpipev", {.pp = 4, .vpp = 2, .microbatches = 7}, 8, 7, "8 for 4 ranks, not 7");
}

TEST(Generators, InterleavingNeedsStagesAndAsManyMicrobatchesAsRanks) {
  EXPECT_FALSE(check_schedule("interleaved-1f1b", 4, 2, 8));
  EXPECT_FALSE(check_schedule("interleaved-1f1b", 4, 2, 4));
  EXPECT_FALSE(check_schedule("interleaved-1f1b", 4, 2, 10));
  expect_unfit("interleaved-1f1b", {.pp = 4, .vpp = 1, .microbatches = 8}, 2, 1,
               "use vpp 2 or more, or 1f1b");
  expect_unfit("interleaved-1f1b", {.pp = 4, .vpp = 2, .microbatches = 3}, 4, 3, "use 4 or more, or 1f1b");
}

TEST(Generators, ZeroBubbleVNeedsTwoStagesPerRank) {
  EXPECT_FALSE(check_schedule("zb-v", 3, 2, 1));  // any number of ranks and microbatches
  expect_unfit("zb-v", {.pp = 4, .vpp = 1, .microbatches = 8}, 2, 1, "use vpp 2");
  expect_unfit("zb-v", {.pp = 4, .vpp = 3, .microbatches = 8}, 2, 3, "use vpp 2");
  // 6 * 1000 * 1999 steps fill 1000 ranks, though one microbatch has only 6000.
  expect_unfit("zb-v", {.pp = 1000, .vpp = 2, .microbatches = 1}, 6 * 1000.0 * 1999, 1 << 22,
               "use fewer pipeline ranks");
}

TEST(Generators, ChimeraNeedsEvenRanksAndEvenMicrobatches) {
  EXPECT_FALSE(check_schedule("chimera", 4, 1, 2));  // fewer than fill a unit
  expect_unfit("chimera", {.pp = 7, .vpp = 1, .microbatches = 8}, 8, 7, "use 6 or 8");
  expect_unfit("chimera", {.pp = 1, .vpp = 1, .microbatches = 8}, 2, 1, "not 1; use 2");
  expect_unfit("chimera", {.pp = 8, .vpp = 1, .microbatches = 21}, 22, 21, "21 is odd; use 22");
  expect_unfit("chimera", {.pp = 8, .vpp = 2, .microbatches = 8}, 2, 1, "use vpp 1");
}

TEST(Generators, OneStageSchedulesRefuseMore) {
  for (const char* name : {"gpipe", "1f1b", "zb-h1", "zb-h2"}) {
    EXPECT_FALSE(check_schedule(name, 5, 1, 1));
    expect_unfit(name, {.pp = 4, .vpp = 2, .microbatches = 8}, 2, 1, "use vpp 1");
  }
}

TEST(Generators, CountsBelowOneAreUnfit) {
  for (const GeneratorInfo& info : generators()) {
    expect_unfit(info.name, {.pp = 0, .vpp = 1, .microbatches = 8}, 1, 0, "at least 1");
    expect_unfit(info.name, {.pp = 4, .vpp = -1, .microbatches = 8}, 1, -1, "at least 1");
    expect_unfit(info.name, {.pp = 4, .vpp = 1, .microbatches = std::numeric_limits<int>::min()}, 1,
                 std::numeric_limits<int>::min(), "at least 1");
  }
}

TEST(Generators, SizesBeyondTheLimitAreUnfitInsteadOfFillingTheMemory) {
  constexpr int kMost = std::numeric_limits<int>::max();
  for (const GeneratorInfo& info : generators()) {
    const Verdict verdict = check_schedule(info.name, kMost, kMost, kMost);
    ASSERT_TRUE(verdict) << info.name;
    EXPECT_EQ(verdict->quantity, "steps of the schedule");
    EXPECT_TRUE(check_schedule(info.name, 1'000'000, 1, 1)) << info.name;
  }
  EXPECT_FALSE(check_schedule("1f1b", 64, 1, 20'000));
}

}  // namespace
}  // namespace orrery
