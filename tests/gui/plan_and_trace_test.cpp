#include <gtest/gtest.h>

#include "gui/core/compare_runs.hpp"
#include "gui/core/plan_charts.hpp"
#include "gui/core/plan_search.hpp"
#include "gui/core/trace_overlay.hpp"
#include "sim/base/check.hpp"
#include "tests/gui/support.hpp"

namespace orrery::gui {
namespace {

const PlanItems& searched() {
  static const PlanItems items = [] {
    PlanSearch search(test_profiles());
    const auto run = Workbench::make_run(small_input(), test_profiles());
    search.start(run->scenario(), {},
                 {{"layout.tp", {"1", "2", "3"}},
                  {"layout.pp", {"1", "2", "4"}},
                  {"layout.recompute", {"none", "full"}}});
    search.wait();
    return search.items();
  }();
  return items;
}

TEST(PlanSearch, GivesTheNumbersOfASimulationOfEachCombination) {
  ASSERT_EQ(searched().size(), 18U);
  std::size_t fits = 0;
  for (const auto& item : searched()) {
    if (item.row.status != "ok") {
      EXPECT_FALSE(item.row.reason_code.empty());
      continue;
    }
    ++fits;
    Input input = small_input();
    for (const Override& o : item.overrides) input.edits.push_back(o);
    const auto run = Workbench::make_run(input, test_profiles());
    EXPECT_DOUBLE_EQ(*item.row.metrics[static_cast<std::size_t>(metric_index("step_time_s"))],
                     run->metrics().step_time_s);
  }
  EXPECT_GT(fits, 0U);
}

TEST(PlanSearch, TheFrontIsWhatNoOtherBeatsInBoth) {
  const auto x = static_cast<std::size_t>(metric_index("step_time_s"));
  const auto y = static_cast<std::size_t>(metric_index("peak_bytes"));
  ASSERT_EQ(sweep_metrics()[x].better, -1);
  const std::vector<std::size_t> front = front_of(searched(), x, y);
  for (std::size_t i = 0; i < searched().size(); ++i) {
    const SweepRow& a = searched()[i].row;
    if (a.status != "ok") continue;
    bool beaten = false;
    for (const auto& other : searched()) {
      const SweepRow& b = other.row;
      if (b.status != "ok") continue;
      const double by = sweep_metrics()[y].better == 0 ? -1 : sweep_metrics()[y].better;
      const bool no_worse = *b.metrics[x] <= *a.metrics[x] && by * *b.metrics[y] >= by * *a.metrics[y];
      beaten = beaten || (no_worse && (*b.metrics[x] != *a.metrics[x] || *b.metrics[y] != *a.metrics[y]));
    }
    if (std::find(front.begin(), front.end(), i) != front.end()) {
      EXPECT_FALSE(beaten) << i;
    }
  }
  EXPECT_FALSE(front.empty());
}

TEST(PlanSearch, RefusesKeysAndAxesThatAreNone) {
  PlanSearch search(test_profiles());
  const auto run = Workbench::make_run(small_input(), test_profiles());
  EXPECT_THROW(search.start(run->scenario(), {}, {{"layout.zz", {"1"}}}), InputError);
  EXPECT_THROW(search.start(run->scenario(), {}, {{"layout.pp", {}}}), InputError);
  EXPECT_THROW(search.start(run->scenario(), {}, {}), InputError);
  EXPECT_EQ(split_values(" 4, 8 ,,16 "), (std::vector<std::string>{"4", "8", "16"}));
  search.start(run->scenario(), {}, {{"layout.pp", {"1", "2"}}});
  search.cancel();  // and closed while it runs
}

TEST(PlanCharts, AreMadeForNothingSomethingAndEverySize) {
  const std::vector<std::string> keys{"layout.tp", "layout.pp", "layout.recompute"};
  for (const PlanItems& items : {PlanItems{}, searched()}) {
    for (const auto& [w, h] : {std::pair{1.0, 1.0}, {60.0, 40.0}, {900.0, 600.0}}) {
      (void)scatter_chart(items, 0, 1, w, h, plain_text(), 3);
      (void)heat_chart(items, "layout.tp", "layout.pp", 0, w, h, plain_text());
      (void)parallel_chart(items, keys, w, h, plain_text(), 2);
      (void)reasons_chart(fates_of(items), static_cast<double>(items.size()), w, h, plain_text());
    }
  }
  EXPECT_EQ(plan_table(searched(), keys).rows.size(), 18U);
  double layouts = 0;
  for (const auto& row : reasons_chart(fates_of(searched()), 18, 500, 300, plain_text()).table.rows)
    layouts += *row[1].value;
  EXPECT_EQ(layouts, 18);
}

TEST(PlanAnswers, OfAGridWhatFitsComesFirstTheShortestStepOnTop) {
  PlanItems items = searched();
  put_best_first(items);
  ASSERT_EQ(items.size(), searched().size());
  const auto step = static_cast<std::size_t>(metric_index("step_time_s"));
  for (std::size_t i = 1; i < items.size(); ++i) {
    const bool before = items[i - 1].row.status == "ok";
    const bool fits = items[i].row.status == "ok";
    EXPECT_TRUE(before || !fits) << i;
    if (before && fits) {
      EXPECT_LE(*items[i - 1].row.metrics[step], *items[i].row.metrics[step]);
    }
  }
}

TEST(Compare, FindsTheSameWorkAndSumsDifferencesToTheStep) {
  Input other = example_input();
  other.edits.push_back({"layout.schedule", "1f1b", "test"});
  const auto b = Workbench::make_run(other, test_profiles());
  const RunView& a = *deepseek();
  const std::optional<SliceId> match = same_work(a, {"rank 3", 30}, *b);
  ASSERT_TRUE(match.has_value());
  ASSERT_EQ(changed_inputs(a, *b).rows.size(), 1U);
  EXPECT_EQ(changed_inputs(a, *b).rows[0][0].text, "layout.schedule");
  double sum = 0;
  for (const auto& row : difference_chart(a, *b, 600, 300, plain_text(), -1).table.rows) sum += *row[3].value;
  EXPECT_NEAR(sum, a.metrics().step_time_s - b->metrics().step_time_s, 1e-9);
  EXPECT_TRUE(changed_inputs(a, a).rows.empty());
}

TEST(TraceOverlay, ReadsCompleteEventsByThreadAndDepth) {
  const TraceOverlay t = read_trace(R"({"traceEvents": [
    {"ph":"M","name":"thread_name","pid":1,"tid":7,"args":{"name":"stream"}},
    {"ph":"X","name":"gemm","pid":1,"tid":7,"ts":100.5,"dur":10},
    {"ph":"X","name":"nccl send","pid":1,"tid":7,"ts":102,"dur":3},
    {"ph":"X","name":"dispatch","pid":1,"tid":8,"ts":110.5,"dur":2},
    {"ph":"B","name":"old","pid":1,"tid":8,"ts":1}]})",
                                    "t.json");
  EXPECT_EQ(t.events, 3U);
  EXPECT_EQ(t.left_out, 2U);
  ASSERT_EQ(t.rows.rows.size(), 3U);
  EXPECT_EQ(t.rows.rows[0]->name, "trace stream 1/7");
  EXPECT_EQ(t.rows.rows[0]->slices.begin[0], 0);
  EXPECT_EQ(t.rows.rows[0]->slices.end[0], 10000000);
  EXPECT_EQ(t.rows.rows[1]->slices.ink[0], Ink::kPipeline);
  EXPECT_EQ(t.length_ps, 12000000);
  for (const char* bad : {"", "{", "7", "{}", R"({"traceEvents": []})", R"([{"ph":"X","ts":"a","dur":1}])"})
    EXPECT_THROW((void)read_trace(bad, "t.json"), InputError) << bad;
}

TEST(Journal, RowsAreReadAndDamagedLinesCounted) {
  const std::string row = to_json_line(searched()[0].row);
  const std::string text =
      "0123456789abcdef 00000000000000000000000000000000 {\"schema\": \"orrery.journal/1\"}\n"
      "0123456789abcdef 11111111111111111111111111111111 " +
      row + "\n" + "0123456789abcdef 22222222222222222222222222222222 " + row.substr(0, row.size() / 2) +
      "\n";
  const JournalRows rows = read_journal(text, "s.journal");
  EXPECT_EQ(rows.items.size(), 1U);
  EXPECT_EQ(rows.damaged, 1U);
  EXPECT_EQ(rows.items[0].row.status, searched()[0].row.status);
  EXPECT_THROW((void)read_journal("hello\n", "s.journal"), InputError);
}

}  // namespace
}  // namespace orrery::gui
