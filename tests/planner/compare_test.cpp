#include "planner/compare.hpp"

#include <gtest/gtest.h>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

std::string result(const std::string& scenario, const std::string& step,
                   const std::string& feasible = "true") {
  return R"({"schema": "orrery.result/1", "program": {"version": "1"}, "feasible": )" + feasible +
         R"(, "infeasible": {"text": "too large"}, "scenario": )" + scenario + R"(, "step": )" + step +
         R"(, "assumptions": [{"name": "x", "value": 1}]})";
}

TEST(Compare, NamesChangedInputsAndGivesDifferencesWithTheirSign) {
  const Comparison c = compare_results(
      "a", result(R"({"layout": {"pp": 4, "tp": 1}})", R"({"time_s": 20, "breakdown_s": {"bubble": 2}})"),
      "b",
      result(R"({"layout": {"pp": 8, "tp": 1, "vpp": 2}})",
             R"({"time_s": 15, "breakdown_s": {"bubble": null}})"));
  ASSERT_EQ(c.inputs.size(), 2U);
  EXPECT_EQ(c.inputs[0].key, "layout.pp");
  EXPECT_EQ(c.inputs[0].a, "4");
  EXPECT_EQ(c.inputs[0].b, "8");
  EXPECT_EQ(c.inputs[1].key, "layout.vpp");
  EXPECT_EQ(c.inputs[1].a, "");
  ASSERT_EQ(c.metrics.size(), 2U);
  EXPECT_EQ(c.metrics[0].name, "step.time_s");
  EXPECT_EQ(c.metrics[0].unit, "s");
  EXPECT_DOUBLE_EQ(*c.metrics[0].difference(), -5);       // 15 - 20
  EXPECT_DOUBLE_EQ(*c.metrics[0].change_percent(), -25);  // -5 / 20
  EXPECT_FALSE(c.metrics[1].difference().has_value());    // one side does not know it
  EXPECT_TRUE(c.assumptions.empty());
}

TEST(Compare, AnInfeasibleSideSaysWhy) {
  const Comparison c = compare_results("a", result("{}", "{}"), "b", result("{}", "{}", "false"));
  EXPECT_FALSE(c.b_feasible);
  ASSERT_EQ(c.notes.size(), 1U);
  EXPECT_EQ(c.notes[0], "b cannot run: too large");
}

TEST(Compare, WhatIsNoResultIsRefused) {
  EXPECT_THROW((void)compare_results("a", R"({"schema": "orrery.scenario/1"})", "b", "{}"), InputError);
}

}  // namespace
}  // namespace orrery
