#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "sim/base/check.hpp"
#include "sim/schedule/generators.hpp"
#include "sim/schedule/schedule.hpp"

namespace orrery {
namespace {

// Two stages, two microbatches, 1F1B: the smallest schedule with an order worth getting wrong.
constexpr const char* kSmall = "0F0,0F1,0B0,0B1\n1F0,1B0,1F1,1B1\n";

// The error of parsing `text`, or "accepted".
std::string error_of(const std::string& text) {
  try {
    (void)parse_csv(text, "s.csv");
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

void expect_error(const std::string& text, const std::string& beginning) {
  const std::string error = error_of(text);
  EXPECT_EQ(error.substr(0, beginning.size()), beginning) << error;
}

TEST(ScheduleCsv, EveryGeneratorsScheduleRoundTripsToTheSameBytes) {
  for (const GeneratorInfo& info : generators()) {
    const Schedule made = make_schedule(info.name, 8, info.default_vpp, 24);
    const std::string text = to_csv(made);
    Schedule read = parse_csv(text, info.name);
    EXPECT_EQ(to_csv(read), text) << info.name;
    EXPECT_EQ(read, made) << info.name;  // owners, stages and microbatches found again too
  }
}

TEST(ScheduleCsv, ReadsWhatStandsThere) {
  const Schedule schedule = parse_csv(kSmall, "s.csv");
  EXPECT_EQ(schedule.stages, 2);
  EXPECT_EQ(schedule.microbatches, 2);
  ASSERT_EQ(schedule.ranks.size(), 2U);
  EXPECT_EQ(to_text(schedule.ranks[1][2]), "1F1");
  EXPECT_EQ(schedule.rank_of(StageId{1}, MicrobatchId{0}), RankId{1});
  EXPECT_EQ(schedule.stages_of(RankId{0}), std::vector{StageId{0}});
}

TEST(ScheduleCsv, EmptyCellsBlanksByteOrderMarkAndCrlfAreDropped) {
  const std::string odd =
      "\xEF\xBB\xBF"
      "0F0,0F1,,,0B0, 0B1 ,\r\n,1F0,1B0,\t1F1,1B1\r\n\r\n \n";
  EXPECT_EQ(to_csv(parse_csv(odd, "s.csv")), kSmall);
  EXPECT_EQ(to_csv(parse_csv("0F0,0F1,0B0,0B1\n1F0,1B0,1F1,1B1", "s.csv")), kSmall);  // no last line feed
}

TEST(ScheduleCsv, EmptyTextIsRefused) {
  for (const char* text : {"", "\n", " \r\n\t\n", "\xEF\xBB\xBF"}) {
    expect_error(text, "s.csv:1:1: no actions found; expected one row of actions per pipeline rank");
  }
}

TEST(ScheduleCsv, BadCellIsNamedByLineAndColumn) {
  expect_error("0F0,0F1,0B0,0B1\n1F0,1B0, 1X1,1B1\n", "s.csv:2:10: '1X1' is not an action; expected <stage>");
  expect_error("0F0,0F1;0B0\n", "s.csv:1:5: '0F1;0B0' is not an action");
  expect_error("0F0,0SEND_F0,0B0\n", "s.csv:1:5: '0SEND_F0' is a communication action");
}

TEST(ScheduleCsv, MissingBackwardIsShownAtItsForward) {
  expect_error("0F0,0F1,0B0,0B1\n1F0,1B0,1F1\n", "s.csv:2:9: 1B1 (or 1I1 and 1W1) is missing on rank 1");
}

TEST(ScheduleCsv, MissingForwardIsShownAtItsBackward) {
  expect_error(
      "0F0,0F1,0B0,0B1\n1F0,1B0,1B1\n",
      "s.csv:2:9: 1F1 is missing; expected one forward for each of stages 0 to 1 and microbatches 0 to 1");
}

TEST(ScheduleCsv, MissingForwardAndBackwardAreShownAtTheEndOfTheStagesRow) {
  expect_error("0F0,0F1,0B0,0B1\n1F0,1B0\n", "s.csv:2:8: 1F1 is missing");
}

TEST(ScheduleCsv, MissingWeightGradientIsRefused) {
  expect_error("0F0,0I0\n", "s.csv:1:5: 0W0 is missing on rank 0");
}

TEST(ScheduleCsv, DuplicateIsShownAtItsSecondPlace) {
  expect_error(
      "0F0,0F1,0B0,0B1,0B1\n1F0,1B0,1F1,1B1\n",
      "s.csv:1:17: 0B1 does what rank 0 step 3 did already; expected one F and one B, or one I and one W");
}

TEST(ScheduleCsv, UnknownStageIsRefused) {
  expect_error("0F0,0F1,0B0,0B1\n1F0,1B0,1F1,1B1,7B0\n",
               "s.csv:2:17: 7B0 names the unknown stage 7; expected 0 to 1");
  expect_error(
      "0F0,0F1,0B0,0B1\n1F0,1B0,1F1,1B1,7F0\n",
      "s.csv:2:17: 7F0 names stage 7, but no forward of stage 2 stands in the file; expected stage numbers "
      "0, 1, 2, ... without a gap");
}

TEST(ScheduleCsv, UnknownMicrobatchIsRefused) {
  expect_error("0F0,0F1,0B0,0B1\n1F0,1B0,1F1,1B1,1B5\n",
               "s.csv:2:17: 1B5 names the unknown microbatch 5; expected 0 to 1");
  expect_error("0F0,0F1,0B0,0B1\n1F0,1B0,1F3,1B3\n",
               "s.csv:2:9: 1F3 names microbatch 3, but no forward of microbatch 2 stands in the file");
}

TEST(ScheduleCsv, HugeNumbersAreRefusedWithoutATableOfTheirSize) {
  expect_error("999999999F999999999,999999999B999999999\n",
               "s.csv:1:1: 999999999F999999999 names stage 999999999");
}

TEST(ScheduleCsv, RowTooManyIsRefused) {
  expect_error(std::string(kSmall) + "1F0,1B0\n", "s.csv:3:1: 1F0 does what rank 1 step 0 did already");
  expect_error(std::string(kSmall) + ",,,\n", "s.csv:3:1: row without an action");
  expect_error("0F0,0F1,0B0,0B1\n\n1F0,1B0,1F1,1B1\n", "s.csv:2:1: empty line; expected one row");
}

TEST(ScheduleCsv, BackwardOnAnotherRankThanItsForwardIsRefused) {
  expect_error("0F0,0F1,0B0,1B1\n1F0,1B0,1F1,0B1\n",
               "s.csv:1:13: 1B1 stands on rank 0, but rank 1 runs microbatch 1 of stage 1");
}

TEST(ScheduleCsv, DeadlockIsShownWithTheCircle) {
  // Rank 0 wants the gradient of microbatch 1 before it sends microbatch 1 forward.
  const std::string error = error_of("0F0,0B0,0F1,0B1\n1F0,1F1,1B0,1B1\n");
  EXPECT_EQ(error,
            "s.csv:1:5: deadlock: 0B0 at rank 0 step 1 waits in a circle of 2 ranks\n"
            "  rank 0 step 1: 0B0 waits for 1B0 at rank 1 step 2\n"
            "  rank 1 step 1: 1F1 waits for 0F1 at rank 0 step 2\n"
            "step           0      1    2    3\n"
            "rank 0       0F0  >0B0<  0F1  0B1\n"
            "rank 1       1F0    1F1  1B0  1B1\n");
}

// 100 MB of anything must be refused (or, were it a schedule, read) within seconds. The limit is loose
// because sanitised builds run it too.
void expect_quick_error(const std::string& text, const std::string& beginning) {
  const auto start = std::chrono::steady_clock::now();
  expect_error(text, beginning);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

std::string repeated(std::string_view text, std::size_t bytes) {
  std::string out;
  out.reserve(bytes + text.size());
  while (out.size() < bytes) out += text;
  return out;
}

constexpr std::size_t kHundredMegabytes = 100'000'000;

TEST(ScheduleCsv, HundredMegabytesOfGarbageAreRefusedQuickly) {
  expect_quick_error(std::string(kHundredMegabytes, 'x'), "s.csv:1:1: 'xxxxx");
  expect_quick_error(std::string(kHundredMegabytes, '\0'), "s.csv:1:1: '\\x00\\x00");
  expect_quick_error(std::string(kHundredMegabytes, '('), "s.csv:1:1: '((((");
  expect_quick_error(std::string(kHundredMegabytes, '7'), "s.csv:1:1: '7777");
  expect_quick_error(std::string(kHundredMegabytes, ' '), "s.csv:1:1: no actions found");
}

TEST(ScheduleCsv, HundredMegabytesOfSeparatorsAreRefusedQuickly) {
  expect_quick_error(std::string(kHundredMegabytes, ','), "s.csv:1:1: row without an action");
  expect_quick_error(std::string(kHundredMegabytes, '\n'), "s.csv:1:1: no actions found");
  expect_quick_error(std::string(kHundredMegabytes, '\n') + "0F0,0B0", "s.csv:1:1: empty line");
}

TEST(ScheduleCsv, HundredMegabytesOfActionsAreRefusedQuickly) {
  expect_quick_error(repeated("0F0,", kHundredMegabytes),
                     "s.csv:1:16777217: more than the 4194304 steps read");
  expect_quick_error(repeated("0F0\n", kHundredMegabytes),
                     "s.csv:65537:1: more rows than the 65536 pipeline ranks");
}

TEST(ScheduleCsv, ManyStagesAndManyMicrobatchesThatHardlyMeetAreRefusedQuickly) {
  // A million stages of microbatch 0 and a million microbatches of stage 0: a table would have 10^12 places.
  std::string text;
  for (int i = 0; i < 1'000'000; ++i) {
    text += std::to_string(i) + "F0,0F" + std::to_string(i + 1) + ",";
  }
  expect_quick_error(text, "s.csv:1:");
}

}  // namespace
}  // namespace orrery
