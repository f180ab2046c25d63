#include <gtest/gtest.h>

#include <numeric>

#include "gui/core/headline.hpp"
#include "gui/core/report_file.hpp"
#include "gui/core/result_charts.hpp"
#include "gui/core/search.hpp"
#include "gui/core/selection.hpp"
#include "planner/uncertainty.hpp"
#include "sim/base/check.hpp"
#include "sim/lower/lower.hpp"
#include "tests/gui/support.hpp"

// Ranges, power, links, the report, and rows of steps without a barrier.

namespace orrery::gui {
namespace {

const Tile& tile(const std::vector<Tile>& tiles, const std::string& key) {
  for (const Tile& t : tiles) {
    if (t.key == key) return t;
  }
  throw std::runtime_error("no tile " + key);
}

TEST(Ranges, AreThoseOfTheResultAndOfTheSampledRun) {
  const RunView& run = *deepseek();
  const Metrics& m = run.metrics();
  const RunData data = find_run_data(test_profiles());
  Ranges ranges = headline_ranges(run, data);
  EXPECT_EQ(ranges.at("step").low, *m.step_time_p10_s);
  EXPECT_EQ(ranges.at("step").high, *m.step_time_p90_s);
  // The longest step has the fewest tokens a second.
  EXPECT_DOUBLE_EQ(ranges.at("throughput").low * *m.step_time_p90_s,
                   m.throughput.tokens_per_s_per_gpu * m.step_time_s);
  for (const OutcomeRange& range : outcome_ranges(run_question(m, run.scenario(), data))) {
    if (range.outcome != Outcome::kDays) continue;
    EXPECT_EQ(ranges.at("days").low, range.p10);
    EXPECT_EQ(ranges.at("days").high, range.p90);
  }
  EXPECT_LT(ranges.at("power").low, *m.power.gpu_mean_w);
  EXPECT_LE(ranges.at("power").high, run.scenario().cluster.gpu.power.cap_w.value);
  EXPECT_EQ(ranges.count("memory"), 0U);
  const std::vector<Tile> tiles = headline(run, nullptr, ranges);
  EXPECT_TRUE(tile(tiles, "step").range.starts_with("P10 to P90 "));
  EXPECT_TRUE(tile(tiles, "memory").range.empty());
  EXPECT_TRUE(tile(headline(run, nullptr), "days").range.empty());
}

TEST(Power, CurvesOfTheRanksHaveTheMeanOfTheResult) {
  const RunView& run = *deepseek();
  double sum = 0;
  std::size_t bins = 0;
  for (int r = 0; r < run.ranks(); ++r) {
    const Counter c = power_counter(run.metrics(), run.scenario(), r);
    ASSERT_FALSE(c.t.empty());
    sum += std::accumulate(c.value.begin(), c.value.end(), 0.0);
    bins += c.value.size();
    // Bins are equal parts of the step.
    const auto bin = static_cast<double>(run.makespan()) / static_cast<double>(c.t.size());
    EXPECT_NEAR(static_cast<double>(c.t.back()), bin * static_cast<double>(c.t.size() - 1), bin * 1e-6);
  }
  EXPECT_NEAR(sum / static_cast<double>(bins), *run.metrics().power.gpu_mean_w, 1e-6);
  EXPECT_EQ(power_counter(run.metrics(), run.scenario(), 99).t.size(), 0U);
}

TEST(Links, TheLoadOfTheNicSumsToTheBytesOfItsClasses) {
  const RunView& run = *deepseek();
  const Counter c = link_load(run.result(), run.scenario(), 3, Link::kNic, 700, run.makespan());
  const double bin_s = static_cast<double>(run.makespan()) * 1e-12 / 700;
  const double rate = run.scenario().cluster.scale_out.bytes_per_s.value;
  const double bytes = std::accumulate(c.value.begin(), c.value.end(), 0.0) * bin_s * rate;
  double wanted = 0;
  for (const ClassWork& work : work_by_class(run.result(), 3)) wanted += work.nic_bytes;
  EXPECT_NEAR(bytes / wanted, 1, 1e-9);
}

TEST(Roofline, EveryDotIsNumberedAndEveryNumberNamed) {
  const RunView& run = *deepseek();
  for (const auto& [w, h] : {std::pair{700.0, 150.0}, {1200.0, 500.0}}) {
    const Chart chart = roofline_chart(run, 5, w, h, plain_text(), -1);
    const std::size_t dots = chart.table.rows.size();
    ASSERT_EQ(dots, 8U);
    std::vector<Box> boxes;
    for (std::size_t i = 0; i < dots; ++i) {
      const std::string number = std::to_string(i + 1);
      const std::string name = number + "  " + chart.table.rows[i][0].text;
      std::size_t numbers = 0;
      std::size_t names = 0;
      for (const SceneLayer& layer : chart.scene.layers) {
        for (const SceneText& text : layer.texts) {
          if (text.text.starts_with(name) && text.text.ends_with(" %")) ++names;
          // A number stands at its dot: no farther than the dot is large and a letter.
          const Box& dot = chart.scene.hits[i].box;
          if (text.text != number) continue;
          ++numbers;
          EXPECT_LT(std::abs(text.box.x + text.box.w / 2 - dot.x - dot.w / 2), dot.w / 2 + 13);
          EXPECT_LT(std::abs(text.box.y + text.box.h / 2 - dot.y - dot.h / 2), dot.h / 2 + 13);
          for (const Box& other : boxes)
            EXPECT_FALSE(text.box.x < other.x + other.w && other.x < text.box.x + text.box.w &&
                         text.box.y < other.y + other.h && other.y < text.box.y + text.box.h)
                << number;
          boxes.push_back(text.box);
        }
      }
      EXPECT_EQ(numbers, 1U) << number;
      EXPECT_EQ(names, 1U) << name;
    }
  }
}

TEST(NoBarrier, ARowIsTheRanksOwnStepAsLongAsTheStepTime) {
  Input input = small_input();
  for (const auto& [key, value] : {std::pair{"layout.pp", "4"},
                                   {"layout.tp", "1"},
                                   {"layout.schedule", "zb-h1"},
                                   {"layout.optimizer_sync", "post-validation"}})
    input.edits.push_back({key, value, "test"});
  const auto run = Workbench::make_run(input, test_profiles());
  ASSERT_TRUE(run->feasible()) << run->metrics().infeasible->text;
  ASSERT_TRUE(run->steps_overlap());
  EXPECT_EQ(run->critical(), nullptr);
  const std::int64_t step = std::llround(run->metrics().step_time_s * 1e12);
  // The last rank begins later than the first and ends after the last task of this step.
  EXPECT_GT(run->window(3).begin, 0);
  EXPECT_GT(run->makespan(), run->result().timeline->makespan.ps);
  for (std::size_t r = 0; r < run->pipeline().rows.size(); ++r) {
    const SliceRow& s = run->pipeline().rows[r]->slices;
    EXPECT_EQ(s.end.back() - s.begin.front(), step);
    EXPECT_LE(s.end.back(), run->makespan());
    std::int64_t idle = 0;
    for (std::size_t i = 0; i < s.size(); ++i) {
      if (i > 0) {
        EXPECT_EQ(s.begin[i], s.end[i - 1]);
      }
      if (s.ink[i] == Ink::kIdle) idle += s.end[i] - s.begin[i];
    }
    EXPECT_EQ(idle, run->bubbles()[r].idle());
  }
  double percent = 0;
  for (const auto& row : statistics(*run, {}).rows) percent += *row[2].value;
  EXPECT_NEAR(percent, 100, 1e-9);
  EXPECT_FALSE(deepseek()->steps_overlap());
}

TEST(Directions, HalfOfDualPipesMicrobatchesEnterAtTheLastRank) {
  const RunView& run = *deepseek();
  int upward = 0;
  for (int m = 0; m < run.result().schedule->microbatches; ++m)
    upward += goes_upward(run, MicrobatchId{m}) ? 1 : 0;
  EXPECT_EQ(upward, 60);
  EXPECT_TRUE(has_upward_flow(run));
  Input other = example_input();
  other.edits.push_back({"layout.schedule", "1f1b", "test"});
  EXPECT_FALSE(has_upward_flow(*Workbench::make_run(other, test_profiles())));
}

TEST(Search, AClassOfOperatorsIsFoundInTheStreams) {
  const RunView& run = *deepseek();
  TimelineState state;
  state.level = Level::kOperators;
  state.rank = 2;
  const std::vector<ClassWork> classes = work_by_class(run.result(), 2);
  ASSERT_FALSE(classes.empty());
  const ClassWork& longest = classes.front();
  const std::vector<SliceId> hits = find_slices(run, state, parse_query("class:" + longest.name));
  std::size_t own = 0;
  for (const SliceId& hit : hits) {
    const TimelineRow* row = find_row(run, state, hit.row);
    const CostedItem* item = run.result().step->item_of(TaskId{row->slices.ref[hit.index]});
    ASSERT_NE(item, nullptr);
    EXPECT_NE(item->op_class.find(longest.name), std::string::npos);
    own += item->op_class == longest.name && row->kind == RowKind::kStream ? 1 : 0;
  }
  EXPECT_EQ(own, longest.count);
  // A search that nobody waits for any more ends at once.
  const HeldRows rows = held_rows(run, state);
  EXPECT_TRUE(find_slices(run, rows.rows, parse_query("class:" + longest.name), kMostHits, [] {
                return true;
              }).empty());
}

TEST(Report, SaysWhatIsMissingAndWritesEveryFormat) {
  const RunView& run = *deepseek();
  const Document document = run_report(run, test_profiles(), {"here.json", "test", "orrery report"}, false);
  for (const std::string& ending : report_endings())
    EXPECT_GT(report_text(document, ending, "r." + ending).size(), 1000U) << ending;
  EXPECT_NE(report_text(document, "md", "r.md").find("days"), std::string::npos);
  try {
    (void)report_text(document, "htm", "r.htm");
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("html"), std::string::npos);
  }
  const auto bare = Workbench::make_run(small_input(), test_profiles());
  try {
    (void)run_report(*bare, test_profiles(), {"bare.json", "test", "orrery report"}, false);
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("bare.json"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("training.tokens"), std::string::npos);
  }
}

}  // namespace
}  // namespace orrery::gui
