#include "gui/core/input_text.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/gui/support.hpp"

namespace orrery::gui {
namespace {

TEST(InputText, LongNumbersAreShortAndExact) {
  EXPECT_EQ(short_value("14800000000000"), "14.8e12");
  EXPECT_EQ(short_value("15000000000000"), "15e12");
  EXPECT_EQ(short_value("100000000"), "100e6");
  EXPECT_EQ(short_value("15360"), "15360");
  EXPECT_EQ(short_value("671026404352"), "671026404352");  // no short form is exact
  EXPECT_EQ(short_value("00000000"), "00000000");
  EXPECT_EQ(short_value("not given"), "not given");
  EXPECT_EQ(short_value(""), "");
  for (const char* text : {"14800000000000", "123000000", "1001000000000", "10000000"})
    EXPECT_EQ(std::strtod(short_value(text).c_str(), nullptr), std::strtod(text, nullptr));
}

TEST(InputText, AUnitFollowsItsNumber) {
  const auto after = [](const char* value, const char* unit) {
    return unit_after({.key = "k", .value = value, .unit = unit, .bounds = "", .source = ""});
  };
  EXPECT_EQ(after("1", "GPUs"), "GPU");
  EXPECT_EQ(after("2", "GPUs"), "GPUs");
  EXPECT_EQ(after("1", "s"), "s");
  EXPECT_EQ(after("1", "tokens/s"), "tokens/s");
  EXPECT_EQ(after("not given", "SMs"), "");
}

TEST(InputText, ABadgeIsAWord) {
  const auto badge = [](const char* value, const char* source) {
    return source_badge({.key = "k", .value = value, .unit = "", .bounds = "", .source = source});
  };
  EXPECT_EQ(badge("1", "assumed: nobody says"), "assumed");
  EXPECT_EQ(badge("1", "edit of layout.tp"), "edited");
  EXPECT_EQ(badge("1", "as the profile h800 has it"), "profile");
  EXPECT_EQ(badge("1", "measured: a table, 2025-02"), "measured");
  EXPECT_EQ(badge("1", "follows: gpus / (tp*cp*pp)"), "follows");
  EXPECT_EQ(badge("not given", "what it is"), "default");
  EXPECT_EQ(badge("1", "runs/My File: a.json"), "file");
}

TEST(InputText, WhatIsShownOfTokensMayBeTypedAgain) {
  Input input = example_input();
  const auto tokens_of = [](const RunView& run) {
    for (const InputRow& row : run.inputs()) {
      if (row.key == "training.tokens") return row.value;
    }
    return std::string();
  };
  const std::string before = tokens_of(*deepseek());
  EXPECT_EQ(short_value(before), "14.8e12");
  input.edits.push_back({"training.tokens", short_value(before), "edit of training.tokens"});
  EXPECT_EQ(tokens_of(*Workbench::make_run(input, test_profiles())), before);
}

}  // namespace
}  // namespace orrery::gui
