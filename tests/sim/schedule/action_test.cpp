#include "sim/schedule/action.hpp"

#include <gtest/gtest.h>

#include <type_traits>

namespace orrery {
namespace {

constexpr Action make(ActionKind kind, std::int32_t stage, std::int32_t microbatch) {
  return {.kind = kind, .stage = StageId{stage}, .microbatch = MicrobatchId{microbatch}};
}

TEST(Action, IsWrittenAsStageLetterMicrobatch) {
  EXPECT_EQ(to_text(make(ActionKind::kForward, 0, 0)), "0F0");
  EXPECT_EQ(to_text(make(ActionKind::kInputGrad, 3, 12)), "3I12");
  EXPECT_EQ(to_text(make(ActionKind::kWeightGrad, 15, 119)), "15W119");
  EXPECT_EQ(to_text(make(ActionKind::kBackward, 999999999, 1)), "999999999B1");
}

TEST(Action, PairIsWrittenAsPyTorchWritesIt) {
  const Step pair = overlap(make(ActionKind::kForward, 1, 6), make(ActionKind::kBackward, 6, 10));
  EXPECT_EQ(to_text(pair), "(1F6;6B10)OVERLAP_F_B");
}

TEST(Action, ParseIsTheInverseOfPrint) {
  for (const ActionKind kind :
       {ActionKind::kForward, ActionKind::kInputGrad, ActionKind::kWeightGrad, ActionKind::kBackward}) {
    for (const std::int32_t number : {0, 1, 9, 10, 123, 999999999}) {
      const Action action = make(kind, number, 999999999 - number);
      EXPECT_EQ(parse_action(to_text(action)), action) << to_text(action);
      EXPECT_EQ(parse_step(to_text(action)), alone(action)) << to_text(action);
    }
  }
  const Step pair = overlap(make(ActionKind::kForward, 999999999, 999999998),
                            make(ActionKind::kBackward, 999999997, 999999996));
  EXPECT_EQ(parse_step(to_text(pair)), pair);
}

TEST(Action, AnyOtherTextIsRefused) {
  for (const char* text : {"",
                           "F",
                           "0",
                           "0F",
                           "F0",
                           "0f0",
                           "0X0",
                           "00F0",
                           "0F00",
                           "-1F0",
                           "+1F0",
                           "0F-1",
                           "0F1 ",
                           " 0F1",
                           "0F1x",
                           "1234567890F0",
                           "0F1234567890",
                           "0F1;0B0",
                           "(0F1;0B0)",
                           "(0F1;0B0)OVERLAP_F_B ",
                           "(0F1;0B0)OVERLAP_B_F",
                           "(0F1,0B0)OVERLAP_F_B",
                           "(0F1;0F0)OVERLAP_F_B",
                           "(0B1;0F0)OVERLAP_F_B",
                           "(0F1;0I0)OVERLAP_F_B",
                           "(0F1;0B0;0B1)OVERLAP_F_B",
                           "()OVERLAP_F_B",
                           "(;)OVERLAP_F_B",
                           "OVERLAP_F_B",
                           "(OVERLAP_F_B",
                           ")OVERLAP_F_B",
                           "(0F1;)OVERLAP_F_B",
                           "((0F1;0B0)OVERLAP_F_B"}) {
    EXPECT_FALSE(parse_step(text)) << text;
    EXPECT_FALSE(explain_bad_step(text).empty());
  }
}

TEST(Action, RefusalSaysWhatWasFoundAndWhatWasExpected) {
  EXPECT_NE(explain_bad_step("0X3").find("'0X3' is not an action; expected <stage><F|I|W|B><microbatch>"),
            std::string::npos);
  EXPECT_NE(explain_bad_step("(0F1;0I0)OVERLAP_F_B").find("expected a forward and a full backward"),
            std::string::npos);
  EXPECT_NE(explain_bad_step("1RECV_F0").find("'1RECV_F0' is a communication action"), std::string::npos);
}

TEST(Action, RefusalQuotesLongAndBinaryTextShortAndPrintable) {
  EXPECT_NE(explain_bad_step(std::string(1000, 'x')).find(std::string(40, 'x') + "...' (1000 characters)"),
            std::string::npos);
  EXPECT_NE(explain_bad_step(std::string("\0\x1b[", 3)).find("'\\x00\\x1b['"), std::string::npos);
}

TEST(Action, StepIsPlainAndSmall) {
  static_assert(std::is_trivially_copyable_v<Step>);
  static_assert(sizeof(Step) <= 28);
  EXPECT_EQ(alone(make(ActionKind::kForward, 0, 0)).count(), 1);
  const Step pair = overlap(make(ActionKind::kForward, 1, 2), make(ActionKind::kBackward, 3, 4));
  EXPECT_EQ(pair.count(), 2);
  EXPECT_EQ(to_text(pair.action(0)), "1F2");
  EXPECT_EQ(to_text(pair.action(1)), "3B4");
}

}  // namespace
}  // namespace orrery
