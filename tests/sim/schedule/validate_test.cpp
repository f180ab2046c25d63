#include "sim/schedule/validate.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "sim/base/check.hpp"
#include "sim/schedule/generators.hpp"

namespace orrery {
namespace {

Schedule small() {
  return make_schedule("1f1b", 4, 1, 8);
}

Step step_of(const char* text) {
  return *parse_step(text);
}

// Index of the step with that text on the rank; fails the test's run where there is none.
std::size_t find_step(const Schedule& schedule, std::size_t rank, const std::string& text) {
  const auto& steps = schedule.ranks[rank];
  const auto at = std::find(steps.begin(), steps.end(), step_of(text.c_str()));
  SIM_CHECK(at != steps.end(), text);
  return static_cast<std::size_t>(at - steps.begin());
}

void erase_step(Schedule& schedule, std::size_t rank, const std::string& text) {
  auto& steps = schedule.ranks[rank];
  steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(find_step(schedule, rank, text)));
}

void expect_fault(const Schedule& schedule, std::int32_t rank, std::size_t step, const std::string& problem) {
  const auto fault = validate(schedule);
  ASSERT_TRUE(fault) << "accepted; expected: " << problem;
  EXPECT_EQ(fault->problem, problem);
  EXPECT_EQ(fault->rank, RankId{rank}) << fault->text;
  EXPECT_EQ(fault->step, step) << fault->text;
  EXPECT_EQ(fault->text.substr(0, problem.size()), problem);
}

TEST(Validate, EveryGeneratedScheduleOfManySizesIsAccepted) {
  for (const GeneratorInfo& info : generators()) {
    int accepted = 0;
    for (int pp = 1; pp <= 16; ++pp) {
      for (int microbatches = 1; microbatches <= 50; ++microbatches) {
        for (int vpp = 1; vpp <= 3; ++vpp) {
          if (check_schedule(info.name, pp, vpp, microbatches)) continue;
          const auto fault = validate(make_schedule(info.name, pp, vpp, microbatches));
          ASSERT_FALSE(fault) << info.name << " " << pp << " " << vpp << " " << microbatches << "\n"
                              << fault->text;
          ++accepted;
        }
      }
    }
    EXPECT_GT(accepted, 50) << info.name;
  }
}

TEST(Validate, FindsAMissingForward) {
  Schedule schedule = small();
  erase_step(schedule, 2, "2F3");
  // Rank 2 runs 2F0 2F1 2B0 2F2 2B1 (2F3) 2B2 2F4 2B3 ...: without 2F3, 2B3 is where microbatch 3 shows.
  expect_fault(schedule, 2, find_step(schedule, 2, "2B3"), "2F3 is missing on rank 2");
}

TEST(Validate, FindsAMissingBackward) {
  Schedule schedule = small();
  erase_step(schedule, 1, "1B7");
  expect_fault(schedule, 1, find_step(schedule, 1, "1F7"), "1B7 (or 1I7 and 1W7) is missing on rank 1");
}

TEST(Validate, FindsAMissingInputGradient) {
  Schedule schedule = make_schedule("zb-h1", 4, 1, 8);
  erase_step(schedule, 1, "1I5");
  expect_fault(schedule, 1, find_step(schedule, 1, "1W5"), "1I5 is missing on rank 1");
}

TEST(Validate, FindsAMissingWeightGradient) {
  Schedule schedule = make_schedule("zb-h1", 4, 1, 8);
  erase_step(schedule, 3, "3W7");
  expect_fault(schedule, 3, find_step(schedule, 3, "3I7"), "3W7 is missing on rank 3");
}

TEST(Validate, FindsAMicrobatchMissingAltogetherAtTheEndOfTheRow) {
  Schedule schedule = small();
  erase_step(schedule, 3, "3F7");
  erase_step(schedule, 3, "3B7");
  expect_fault(schedule, 3, 14, "3F7 is missing on rank 3");
}

TEST(Validate, FindsDuplicates) {
  Schedule schedule = small();
  schedule.ranks[0].push_back(step_of("0F0"));
  expect_fault(schedule, 0, 16,
               "0F0 does what rank 0 step 0 did already; expected one F and one B, or one I and one W");

  schedule = small();
  schedule.ranks[0].push_back(step_of("0I7"));  // beside 0B7, the last step of the row
  expect_fault(schedule, 0, 16,
               "0I7 does what rank 0 step 15 did already; expected one F and one B, or one I and one W");
}

TEST(Validate, FindsAWeightGradientBesideAFullBackward) {
  Schedule schedule = small();
  schedule.ranks[0].push_back(step_of("0W7"));
  expect_fault(schedule, 0, 16, "0W7 repeats the weight gradient of 0B7 at rank 0 step 15");
}

TEST(Validate, FindsUnknownStagesAndMicrobatches) {
  Schedule schedule = small();
  schedule.ranks[0][3] = step_of("4F3");
  expect_fault(schedule, 0, 3, "4F3 names the unknown stage 4; expected 0 to 3");
  schedule.ranks[0][3] = step_of("0F8");
  expect_fault(schedule, 0, 3, "0F8 names the unknown microbatch 8; expected 0 to 7");
  schedule.ranks[0][3].first.stage = StageId{-1};
  expect_fault(schedule, 0, 3, "-1F8 names the unknown stage -1; expected 0 to 3");
}

TEST(Validate, FindsAnActionOnTheWrongRank) {
  Schedule schedule = small();
  erase_step(schedule, 2, "2F3");
  schedule.ranks[1].insert(schedule.ranks[1].begin(), step_of("2F3"));
  expect_fault(schedule, 1, 0, "2F3 stands on rank 1, but rank 2 runs microbatch 3 of stage 2");
}

TEST(Validate, FindsADualPipeMicrobatchOnTheWrongCopyOfItsStage) {
  // Rank 0 holds stages 0 and 7, but microbatch 10 of stage 0 (the other direction) belongs to rank 7.
  Schedule schedule = make_schedule("dualpipe", 8, 1, 20);
  schedule.ranks[0][0] = step_of("0F10");
  expect_fault(schedule, 0, 0, "0F10 stands on rank 0, but rank 7 runs microbatch 10 of stage 0");
}

TEST(Validate, FindsABackwardBeforeItsForward) {
  Schedule schedule = small();
  std::swap(schedule.ranks[3][2], schedule.ranks[3][3]);  // 3F1 and 3B1
  expect_fault(schedule, 3, 2, "3B1 does not come after its forward 3F1 at rank 3 step 3");
}

TEST(Validate, FindsABackwardPairedWithItsOwnForward) {
  Schedule schedule;
  schedule.stages = 1;
  schedule.microbatches = 1;
  schedule.owner = {RankId{0}};
  schedule.ranks = {{step_of("(0F0;0B0)OVERLAP_F_B")}};
  expect_fault(schedule, 0, 0, "0B0 does not come after its forward 0F0 at rank 0 step 0");
}

TEST(Validate, FindsAWeightGradientBeforeItsInputGradient) {
  Schedule schedule = make_schedule("zb-h1", 4, 1, 8);
  auto& steps = schedule.ranks[0];
  std::swap(steps[find_step(schedule, 0, "0I0")], steps[find_step(schedule, 0, "0W0")]);
  expect_fault(schedule, 0, 4, "0W0 does not come after its 0I0 at rank 0 step 5");
}

TEST(Validate, DeadlockNamesTheCircleAndMarksTheGrid) {
  // Rank 2 asks for microbatch 5 before it gives back microbatch 0. Rank 3 waits for nothing of it, rank 1
  // holds 5 back until microbatch 0 has come back from rank 2.
  Schedule schedule = small();
  auto& steps = schedule.ranks[2];
  erase_step(schedule, 2, "2F5");
  steps.insert(steps.begin(), step_of("2F5"));
  const auto fault = validate(schedule);
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->text,
            "deadlock: 1B0 at rank 1 step 3 waits in a circle of 2 ranks\n"
            "  rank 1 step 3: 1B0 waits for 2B0 at rank 2 step 3\n"
            "  rank 2 step 0: 2F5 waits for 1F5 at rank 1 step 8\n"
            "step           0    1    2      3    4    5    6\n"
            "rank 0       0F0  0F1  0F2    0F3  0B0  0F4  0B1\n"
            "rank 1       1F0  1F1  1F2  >1B0<  1F3  1B1  1F4\n"
            "rank 2       2F5  2F0  2F1    2B0  2F2  2B1  2F3\n"
            "rank 3       3F0  3B0  3F1    3B1  3F2  3B2  3F3\n");
}

TEST(Validate, RankThatWaitsForItsOwnLaterStepIsADeadlock) {
  // One rank, two stages: 1F0 needs 0F0, which stands after it.
  Schedule schedule;
  schedule.stages = 2;
  schedule.microbatches = 1;
  schedule.owner = {RankId{0}, RankId{0}};
  schedule.ranks = {{step_of("1F0"), step_of("0F0"), step_of("1B0"), step_of("0B0")}};
  expect_fault(schedule, 0, 0, "deadlock: 1F0 at rank 0 step 0 waits in a circle of its own rank");
}

TEST(Validate, OwnersThatFitNoRankAreABug) {
  Schedule schedule = small();
  schedule.owner.pop_back();
  EXPECT_THROW((void)validate(schedule), InternalError);
  schedule = small();
  schedule.owner[0] = RankId{4};
  EXPECT_THROW((void)validate(schedule), InternalError);
}

TEST(Stats, CountsPeaksByHand) {
  // F F I | pair holds its forward before it lets its backward go | I W W: alive 1 2 1 2 (1) 0, one weight
  // gradient waiting after the first I, two after the second.
  Schedule schedule;
  schedule.ranks = {{step_of("0F0"), step_of("0F1"), step_of("0I0"), step_of("(0F2;0B1)OVERLAP_F_B"),
                     step_of("0I2"), step_of("0W0"), step_of("0W2")}};
  const StepCounts expected{.forwards = 2,
                            .pairs = 1,
                            .backwards = 0,
                            .input_grads = 2,
                            .weight_grads = 2,
                            .peak_live = 2,
                            .peak_deferred = 2};
  EXPECT_EQ(stats(schedule).ranks.at(0), expected);
  EXPECT_EQ(stats(schedule).overall, expected);
}

TEST(Stats, OverallSumsCountsAndTakesTheGreatestPeak) {
  const ScheduleStats all = stats(make_schedule("1f1b", 4, 1, 8));
  EXPECT_EQ(all.overall.forwards, 32);
  EXPECT_EQ(all.overall.backwards, 32);
  EXPECT_EQ(all.overall.peak_live, 4);
}

}  // namespace
}  // namespace orrery
