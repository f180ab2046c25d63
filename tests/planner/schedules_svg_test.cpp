#include "planner/export/schedules_svg.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000'000;

/// One rank: a forward of one second, a pair of two, the optimizer for one; with the given name.
ComparedSchedule by_hand(const std::string& name, std::int64_t makespan_s) {
  ComparedSchedule row;
  row.name = name;
  row.step_time_s = static_cast<double>(makespan_s);
  row.bubble.drain_s = row.step_time_s - 4;
  row.bars.makespan_ps = makespan_s * kSecond;
  row.bars.ranks = {{{.kind = BarKind::kForward, .begin_ps = 0, .end_ps = kSecond},
                     {.kind = BarKind::kForward,
                      .second = BarKind::kBackward,
                      .pair = true,
                      .begin_ps = kSecond,
                      .end_ps = 3 * kSecond},
                     {.kind = BarKind::kTail, .begin_ps = 3 * kSecond, .end_ps = 4 * kSecond}}};
  return row;
}

std::string drawn(const std::vector<ComparedSchedule>& rows) {
  std::ostringstream out;
  write_schedules_svg(rows, "a & b", out);
  return out.str();
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(SchedulesSvg, AllPanelsShareTheAxisOfTheLongestStep) {
  // 1180 wide for 5 s from 64 on: one second is 236. A hair of 0.4 is left white after a bar.
  const std::string svg = drawn({by_hand("short", 4), by_hand("long", 5)});
  EXPECT_TRUE(holds(svg, ">short: step 4.000 s, bubble 0.0 %</text>"));
  EXPECT_TRUE(holds(svg, ">long: step 5.000 s, bubble 20.0 %</text>"));
  EXPECT_TRUE(holds(svg, "width=\"944.00\""));   // what stands behind the short one
  EXPECT_TRUE(holds(svg, "width=\"1180.00\""));  // and the long one
  // The forward alone at full height; the pair's halves above each other.
  EXPECT_TRUE(holds(svg, "stroke=\"#4477aa\" stroke-width=\"18\" d=\"M64 129h235.6\""));
  EXPECT_TRUE(holds(svg, "stroke=\"#4477aa\" stroke-width=\"9\" d=\"M300 124.5h471.6\""));
  EXPECT_TRUE(holds(svg, "stroke=\"#228833\" stroke-width=\"9\" d=\"M300 133.5h471.6\""));
  EXPECT_TRUE(holds(svg, ">a &amp; b</text>"));
}

TEST(SchedulesSvg, WhatDoesNotFitStandsBelowWithItsReason) {
  ComparedSchedule none;
  none.name = "big";
  none.infeasible = Infeasible{.reason = Reason::kMemory, .quantity = "bytes", .text = "needs 9 of 8 GB"};
  const std::string svg = drawn({none, by_hand("fits", 4)});
  EXPECT_TRUE(holds(svg, ">big does not fit: needs 9 of 8 GB</text>"));
  EXPECT_LT(svg.find("fits: step"), svg.find("big does not fit"));
}

TEST(SchedulesSvg, ALongReasonIsBrokenIntoLinesThatFit) {
  ComparedSchedule none;
  none.name = "big";
  std::string text;
  for (int i = 0; i < 50; ++i) text += "word ";  // 250 letters: two lines
  none.infeasible = Infeasible{.reason = Reason::kMemory, .quantity = "bytes", .text = text + "end"};
  const std::string svg = drawn({none, by_hand("fits", 4)});
  EXPECT_TRUE(holds(svg, "word</text>"));
  EXPECT_TRUE(holds(svg, "end</text>"));
  EXPECT_FALSE(holds(svg, text));
}

TEST(SchedulesSvg, NothingToDrawIsAFaultOfTheCaller) {
  ComparedSchedule none;
  none.infeasible = Infeasible{};
  EXPECT_THROW(drawn({none}), InternalError);
}

}  // namespace
}  // namespace orrery
