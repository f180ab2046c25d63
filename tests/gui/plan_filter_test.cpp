#include "gui/core/plan_filter.hpp"

#include <gtest/gtest.h>

#include "gui/core/plan_charts.hpp"
#include "gui/core/plan_values.hpp"
#include "gui/core/work_clock.hpp"
#include "sim/base/check.hpp"
#include "tests/gui/support.hpp"

namespace orrery::gui {
namespace {

PlanItem item(const std::string& tp, const std::string& schedule, double step_s, double bytes,
              const std::string& found_as = {}) {
  PlanItem out;
  out.row.status = "ok";
  out.row.inputs = {{"layout.tp", tp},
                    {"layout.schedule", '"' + schedule + '"'},
                    {"layout.recompute", "[\"norms\",\"activation\"]"}};
  out.row.metrics.resize(sweep_metrics().size());
  out.row.metrics[static_cast<std::size_t>(metric_index("step_time_s"))] = step_s;
  out.row.metrics[static_cast<std::size_t>(metric_index("peak_bytes"))] = bytes;
  out.row.metrics[static_cast<std::size_t>(metric_index("usd"))] = 5.2e6;
  out.found_as = found_as;
  return out;
}

PlanItems some_items() {
  PlanItems items{item("1", "dualpipe", 18.9, 84e9, "best 1, front 1"),
                  item("1", "dualpipev", 19.4, 79e9, "best 2"), item("8", "1f1b", 25, 60e9, "front 2")};
  items.push_back(item("2", "1f1b", 0, 0));
  items.back().row.status = "infeasible";
  items.back().row.reason_code = "memory";
  return items;
}

std::size_t count(const std::string& filter) {
  return filtered(some_items(), parse_filter(filter)).size();
}

std::string problem(const std::string& filter) {
  try {
    (void)parse_filter(filter);
  } catch (const InputError& error) {
    return error.what();
  }
  return {};
}

TEST(PlanFilter, AllConditionsHoldTogether) {
  EXPECT_EQ(count(""), 4U);
  EXPECT_EQ(count("tp:1"), 2U);
  EXPECT_EQ(count("tp:1,8"), 3U);
  EXPECT_EQ(count("tp:1 schedule:dualpipe"), 1U);
  EXPECT_EQ(count("layout.tp:1 gb<80"), 1U);
  EXPECT_EQ(count("tp:4"), 0U);
}

TEST(PlanFilter, AValueIsWholeButAListMatchesByParts) {
  EXPECT_EQ(count("schedule:dualpipe"), 1U);  // not dualpipev
  EXPECT_EQ(count("recompute:norms"), 4U);
  EXPECT_EQ(count("recompute:norms+activation"), 4U);
  EXPECT_EQ(count("recompute:norm"), 0U);
}

TEST(PlanFilter, FiguresAreInTheUnitShown) {
  EXPECT_EQ(count("step<19"), 1U);
  EXPECT_EQ(count("step<=19.4"), 2U);
  EXPECT_EQ(count("step<19.4"), 1U);
  EXPECT_EQ(count("gb>79"), 1U);
  EXPECT_EQ(count("gb>=79"), 2U);
  EXPECT_EQ(count("usd<5.3"), 3U);
  EXPECT_EQ(count("usd<5300k"), 3U);
  EXPECT_EQ(count("usd<5.1M"), 0U);
  EXPECT_EQ(count("peak_bytes<70"), 1U);
  // What does not run has no figures.
  EXPECT_EQ(count("step>0"), 3U);
}

TEST(PlanFilter, ListsAndReasons) {
  EXPECT_EQ(count("as:front"), 2U);
  EXPECT_EQ(count("as:best"), 2U);
  EXPECT_EQ(count("why:memory"), 1U);
  EXPECT_EQ(count("why:ok"), 3U);
}

TEST(PlanFilter, MistakesAreNamedWithWhatWouldBeRight) {
  EXPECT_NE(problem("tpp:1").find("did you mean 'tp'"), std::string::npos) << problem("tpp:1");
  EXPECT_NE(problem("gib<80").find("did you mean 'gb'"), std::string::npos) << problem("gib<80");
  EXPECT_NE(problem("gb<much").find("expected a number"), std::string::npos);
  EXPECT_NE(problem("gb<").find("expected a number"), std::string::npos);
  EXPECT_NE(problem("dualpipe").find("tp:1"), std::string::npos);
  EXPECT_NE(problem("tp:").find("value behind the colon"), std::string::npos);
  EXPECT_NE(problem(":1").find("filter"), std::string::npos);
}

TEST(PlanFilter, EveryExampleOfTheHelpIsUnderstood) {
  for (const auto& [word, meaning] : filter_words()) {
    EXPECT_EQ(problem(word), "") << word;
    EXPECT_FALSE(meaning.empty());
  }
}

TEST(WorkClock, TellsWhatIsLeftAtThePaceSoFar) {
  EXPECT_DOUBLE_EQ(seconds_left(25, 100, 10), 30);
  EXPECT_DOUBLE_EQ(seconds_left(100, 100, 10), 0);
  EXPECT_LT(seconds_left(0, 100, 10), 0);
  EXPECT_LT(seconds_left(1, 100, 0.01), 0);
  EXPECT_EQ(left_text(25, 100, 10), "about 30 s left at this pace");
  EXPECT_EQ(left_text(1, 100, 10), "about 17 min left at this pace");
  EXPECT_EQ(left_text(1, 1000, 36), "about 10.0 h left at this pace");
  EXPECT_EQ(left_text(0, 0, 0), "");
}

TEST(WorkClock, PausesDoNotCount) {
  WorkClock clock;
  EXPECT_EQ(clock.seconds(), 0);
  clock.start();
  clock.pause();
  const double held = clock.seconds();
  clock.pause();
  EXPECT_EQ(clock.seconds(), held);
  clock.resume();
  EXPECT_GE(clock.seconds(), held);
}

TEST(PlanFilter, WhatIsLeftOutIsHollowInTheScatterAndOnNoFront) {
  const PlanItems all = some_items();
  const PlanFilter filter = parse_filter("step<=19");
  const PlanItems in = filtered(all, filter);
  const PlanItems out = filtered(all, filter, false);
  ASSERT_EQ(in.size() + out.size(), all.size());
  const auto step = static_cast<std::size_t>(metric_index("step_time_s"));
  const auto peak = static_cast<std::size_t>(metric_index("peak_bytes"));
  const auto hollow = [&](const PlanItems& others) {
    const Chart chart = scatter_chart(in, step, peak, 700, 400, plain_text(), -1, others);
    EXPECT_EQ(chart.table.rows.size(), in.size());
    std::size_t n = 0;
    for (const SceneHit& hit : chart.scene.hits) n += hit.id == -1 ? 1 : 0;
    return n;
  };
  // 19.4 s and 25 s are longer than 19 s.
  EXPECT_EQ(hollow(out), 2U);
  EXPECT_EQ(hollow({}), 0U);
}

}  // namespace
}  // namespace orrery::gui
