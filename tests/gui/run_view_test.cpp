#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "gui/core/result_charts.hpp"
#include "gui/core/search.hpp"
#include "gui/core/selection.hpp"
#include "planner/training_run.hpp"
#include "sim/base/check.hpp"
#include "sim/engine/timeline.hpp"
#include "sim/lower/lower.hpp"
#include "sim/report/report_json.hpp"
#include "tests/gui/support.hpp"

namespace orrery::gui {
namespace {

TEST(RunView, ShowsWhatTheFacadeComputes) {
  const RunView& run = *deepseek();
  ASSERT_TRUE(run.feasible());
  const Scenario scenario = parse_scenario(example_input().text, "example", {test_profiles(), {}}, {});
  Metrics expected = simulate(scenario).metrics;
  complete_run(expected, scenario, find_run_data(test_profiles()));
  EXPECT_EQ(result_json(run.metrics(), run.scenario(), {}), result_json(expected, scenario, {}));
  EXPECT_NE(run.published("step.time_s"), nullptr);
  EXPECT_EQ(run.replicas(), 128);
}

TEST(RunView, EveryPipelineRowCoversTheStepWithoutGapOrOverlap) {
  const RunView& run = *deepseek();
  ASSERT_EQ(run.pipeline().rows.size(), 16U);
  for (const auto& row : run.pipeline().rows) {
    const SliceRow& s = row->slices;
    std::int64_t clock = 0;
    for (std::size_t i = 0; i < s.size(); ++i) {
      EXPECT_EQ(s.begin[i], clock);
      clock = s.end[i];
    }
    EXPECT_EQ(clock, run.makespan());
  }
}

TEST(RunView, WaitingInTheRowsIsTheIdleTimeOfBubbleCauses) {
  const RunView& run = *deepseek();
  for (const RankBubble& bubble : run.bubbles()) {
    const TimelineRow& row = *run.pipeline().rows[bubble.rank.at()];
    EXPECT_EQ(row.index.busy(0, run.makespan()), bubble.busy);
    EXPECT_EQ(run.makespan() - bubble.busy, bubble.idle());
  }
}

TEST(RunView, TheCriticalRowSumsToTheStep) {
  const SliceRow& s = deepseek()->critical()->slices;
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < s.size(); ++i) sum += s.end[i] - s.begin[i];
  EXPECT_EQ(sum, deepseek()->makespan());
}

TEST(RunView, MemoryOverTimePeaksWhereTheResultSays) {
  for (const RankMemoryRow& row : deepseek()->metrics().memory) {
    const MemoryOverTime& curve = deepseek()->memory()[static_cast<std::size_t>(row.rank)];
    EXPECT_NEAR(curve.peak(), row.total, row.total * 1e-12);
    EXPECT_NEAR(curve.activations.back(), 0, 1.0);
    EXPECT_TRUE(std::is_sorted(curve.t_ps.begin(), curve.t_ps.end()));
  }
}

TEST(RunView, StreamsHoldTheBusyTimeOfTheirLanesAtBothLevels) {
  const RunView& run = *deepseek();
  const LevelRows merged = stream_rows(run.result(), 3, false);
  const LevelRows every = stream_rows(run.result(), 3, true);
  ASSERT_EQ(merged.rows.size(), every.rows.size());
  for (std::size_t lane = 0; lane < merged.rows.size(); ++lane) {
    EXPECT_EQ(merged.rows[lane]->index.busy(0, run.makespan()),
              every.rows[lane]->index.busy(0, run.makespan()));
    EXPECT_LE(merged.rows[lane]->slices.size(), every.rows[lane]->slices.size());
  }
  EXPECT_GT(every.slice_count(), 10 * run.pipeline().rows[3]->slices.size());
}

TEST(RunView, DependenciesOfAMiddleForwardAreItsNeighboursInThePipeline) {
  const RunView& run = *deepseek();
  const LoweredStep& lowered = *run.result().step;
  int checked = 0;
  for (std::size_t s = 0; s < lowered.steps.size() && checked < 50; s += 41) {
    for (std::size_t before : steps_before(run.result(), s)) {
      // What a step needs began earlier; a pair hands its output on before the whole pair has ended.
      EXPECT_LT(stretch_of(run.result(), before).begin, stretch_of(run.result(), s).begin);
      EXPECT_LT(stretch_of(run.result(), before).end, stretch_of(run.result(), s).end);
      const std::vector<std::size_t> back = steps_after(run.result(), before);
      EXPECT_NE(std::find(back.begin(), back.end(), s), back.end());
    }
    ++checked;
  }
}

TEST(Selection, StatisticsOfARangeAreTheSumOfItsSlices) {
  const RunView& run = *deepseek();
  TimelineState state;
  state.area = Area{run.makespan() / 7, run.makespan() / 3, {"rank 2", "rank 9"}};
  double sum = 0;
  for (const auto& row : statistics(run, state).rows) sum += *row[1].value;
  EXPECT_NEAR(sum, 2e-12 * static_cast<double>(state.area->t1 - state.area->t0), 1e-9);
  std::int64_t forward = 0;
  for (const char* name : {"rank 2", "rank 9"}) {
    const SliceRow& s = find_row(run, state, name)->slices;
    for (std::size_t i = 0; i < s.size(); ++i) {
      const std::int64_t part = std::min(s.end[i], state.area->t1) - std::max(s.begin[i], state.area->t0);
      if (part <= 0 || s.ink[i] != Ink::kForward) continue;
      forward += s.second[i] == Ink::kNone ? part : part - part / 2;
    }
  }
  EXPECT_NEAR(*statistics(run, state).rows[0][1].value, static_cast<double>(forward) * 1e-12, 1e-12);
  EXPECT_NE(statistics_scope(run, state).find("2 rows"), std::string::npos);
}

TEST(Selection, RowsOfTheClusterHaveTheStatisticsOfTheirRanks) {
  const auto seconds_of = [](const TimelineState& state) {
    double sum = 0;
    for (const std::vector<Cell>& row : statistics(*deepseek(), state).rows) sum += *row[1].value;
    return sum;
  };
  TimelineState pipeline, cluster;
  cluster.level = Level::kCluster;
  EXPECT_GT(seconds_of(cluster), 0);
  EXPECT_DOUBLE_EQ(seconds_of(cluster), seconds_of(pipeline));
  cluster.area = Area{1'000'000'000'000, 2'000'000'000'000, {"stage rank 3"}};
  pipeline.area = Area{1'000'000'000'000, 2'000'000'000'000, {"rank 3"}};
  EXPECT_DOUBLE_EQ(seconds_of(cluster), seconds_of(pipeline));
  EXPECT_NE(statistics_scope(*deepseek(), cluster).find("1 row"), std::string::npos);
}

TEST(Selection, DetailsOfASliceNameItsMicrobatchAndWhatItNeeds) {
  const RunView& run = *deepseek();
  TimelineState state;
  state.selected = SliceId{"rank 2", 20};
  bool needs = false;
  for (const auto& [name, value] : details(run, state)) needs = needs || name == "needs";
  EXPECT_TRUE(needs);
  EXPECT_NE(spoken(run, state).find("rank 2, "), std::string::npos);
  state.selected = SliceId{"rank 99", 0};
  EXPECT_TRUE(details(run, state).empty());
}

TEST(Search, FindsByMicrobatchStageKindAndLength) {
  const RunView& run = *deepseek();
  TimelineState state;
  state.critical = false;
  const auto count = [&](const char* text) { return find_slices(run, state, parse_query(text)).size(); };
  // Microbatch 12 on stage 3: one forward and one backward, alone or in a pair, and at most one postponed W.
  EXPECT_GE(count("mb:12 stage:3"), 2U);
  EXPECT_LE(count("mb:12 stage:3"), 3U);
  EXPECT_EQ(count("rank:0"), run.pipeline().rows[0]->slices.size());
  EXPECT_EQ(count("dur>1000s"), 0U);
  EXPECT_GT(count("wait:warm-up"), 0U);
  EXPECT_GT(count("kind:weight dur>1ms"), 0U);
  state.level = Level::kOperators;
  state.rank = 4;
  EXPECT_GT(count("op:dispatch"), 100U);
  EXPECT_THROW((void)parse_query("microbatch:3"), InputError);
  EXPECT_THROW((void)parse_query("mb:x"), InputError);
  EXPECT_THROW((void)parse_query("dur>5parsec"), InputError);
}

std::size_t slice_rects(const Scene& scene) {
  std::size_t n = 0;
  for (const SceneLayer& layer : scene.layers) n += layer.rects.size();
  return n;
}

TEST(TimelineScene, DrawsEverySliceThatIsAPixelWideAndNothingOutside) {
  const RunView& run = *deepseek();
  TimelineState state;
  state.critical = false;
  const double w = 1600;
  const double h = 900;
  state.t0 = 8e12;
  state.t1 = 8.6e12;
  const TimelineGeometry g = geometry(run, state, w, h, plain_text());
  std::size_t expected = 0;
  for (const auto& row : run.pipeline().rows) {
    for (std::size_t i = 0; i < row->slices.size(); ++i) {
      const double x0 = std::max(g.body.x, g.axis.x(static_cast<double>(row->slices.begin[i])));
      const double x1 = std::min(g.body.x + g.body.w, g.axis.x(static_cast<double>(row->slices.end[i])));
      if (x1 - x0 >= 1) expected += row->slices.second[i] == Ink::kNone ? 1 : 2;  // a pair is two halves
    }
  }
  std::size_t drawn = 0;
  for (const SceneLayer& layer : timeline_scene(run, state, w, h, plain_text()).layers) {
    if (layer.clip != Box{g.body.x, g.body.y, g.body.w, g.body.h}) continue;
    for (const SceneRect& rect : layer.rects) {
      if (rect.frame == Ink::kNone) ++drawn;
      EXPECT_GE(rect.box.x, g.body.x - 0.01);
      EXPECT_LE(rect.box.x + rect.box.w, g.body.x + g.body.w + 0.01);
    }
  }
  EXPECT_EQ(drawn, expected);
}

TEST(TimelineScene, EveryArrowShowsItsHeadEvenWhereItPointsOutOfView) {
  TimelineState state;
  const auto arrows = [&] {
    const Scene scene = timeline_scene(*deepseek(), state, 1200, 700, plain_text());
    std::vector<SceneLine> found;
    for (const SceneLayer& layer : scene.layers) {
      for (const SceneLine& line : layer.lines) {
        if (line.arrow) found.push_back(line);
      }
    }
    return found;
  };
  EXPECT_TRUE(arrows().empty());
  // In the middle of the step, far from both ends: it needs and is needed.
  const TimelineRow& row = *deepseek()->pipeline().rows[5];
  std::size_t forward = row.slices.size() / 2;
  while (row.slices.ink[forward] != Ink::kForward) ++forward;
  state.selected = SliceId{row.name, forward};
  const std::vector<SceneLine> whole = arrows();
  EXPECT_GE(whole.size(), 2U);
  std::size_t in = 0;
  for (const SceneLine& line : whole) in += line.ink == Ink::kArrowIn ? 1 : 0;
  EXPECT_GE(in, 1U);
  EXPECT_LT(in, whole.size());
  // So near that hardly more than the slice itself is in view: heads stay inside the rows.
  const auto begin = static_cast<double>(row.slices.begin[forward]);
  const auto end = static_cast<double>(row.slices.end[forward]);
  for (const double share : {1.0, 0.2}) {
    state.t0 = begin;
    state.t1 = begin + (end - begin) * share;
    const TimelineGeometry g = geometry(*deepseek(), state, 1200, 700, plain_text());
    for (const SceneLine& line : arrows()) {
      EXPECT_GE(line.x2, g.body.x);
      EXPECT_LE(line.x2, g.body.x + g.body.w);
      EXPECT_GE(line.y2, g.body.y);
      EXPECT_LE(line.y2, g.body.y + g.body.h);
    }
  }
  state.flows = false;
  EXPECT_TRUE(arrows().empty());
}

TEST(TimelineScene, IsMadeForEverySizeAndLevel) {
  const RunView& run = *deepseek();
  for (int level = 0; level < kLevelCount; ++level) {
    for (const auto& [w, h] : {std::pair{1.0, 1.0},
                               {1.0, 900.0},
                               {30.0, 12.0},
                               {200.0, 150.0},
                               {1600.0, 900.0},
                               {3840.0, 2160.0}}) {
      TimelineState state;
      state.level = static_cast<Level>(level);
      state.rank = 15;
      state.selected = SliceId{"rank 3", 40};
      const Scene scene = timeline_scene(run, state, w, h, plain_text());
      EXPECT_EQ(scene.width, w);
      if (w >= 200) {
        EXPECT_GT(slice_rects(scene), 0U);
      }
      for (const SceneLayer& layer : scene.layers) {
        for (const SceneRect& rect : layer.rects)
          EXPECT_TRUE(std::isfinite(rect.box.x) && std::isfinite(rect.box.w));
      }
    }
  }
}

TEST(TimelineScene, ASliceIsFoundUnderTheMiddleOfItsRectangle) {
  const RunView& run = *deepseek();
  TimelineState state;
  state.t0 = 8e12;
  state.t1 = 8.6e12;
  const TimelineGeometry g = geometry(run, state, 1600, 900, plain_text());
  for (const RowBox& box : g.lanes.rows) {
    const SliceRow& s = box.row->slices;
    for (std::size_t i = 0; i < s.size(); ++i) {
      const double x = g.axis.x(static_cast<double>(s.begin[i] + s.end[i]) / 2);
      if (x < g.body.x + 1 || x > g.body.x + g.body.w - 1) continue;
      const double y = g.body.y + box.y + box.h / 2;
      if (y >= g.body.y + g.body.h) continue;
      EXPECT_EQ(slice_at(g, x, y), (SliceId{box.row->name, i}));
    }
  }
}

TEST(Charts, WaterfallSumsToTheStepAndMemoryToItsTotal) {
  const RunView& run = *deepseek();
  const Chart waterfall = waterfall_chart(run, 700, 300, plain_text(), -1);
  double sum = 0;
  for (std::size_t i = 0; i + 1 < waterfall.table.rows.size(); ++i) sum += *waterfall.table.rows[i][1].value;
  EXPECT_NEAR(sum, run.metrics().step_time_s, 1e-9);
  EXPECT_NEAR(*waterfall.table.rows.back()[1].value, run.metrics().step_time_s, 1e-9);
  const Chart memory = memory_chart(run, 700, 300, plain_text(), 2);
  ASSERT_EQ(memory.table.rows.size(), 16U);
  for (const auto& row : memory.table.rows) {
    double parts = 0;
    for (std::size_t c = 1; c <= 6; ++c) parts += *row[c].value;
    EXPECT_NEAR(parts, *row[7].value, 1e-6);
  }
}

TEST(Charts, ClassesOfWorkHoldTheFlopsOfTheRank) {
  const RunView& run = *deepseek();
  double by_class = 0;
  for (const ClassWork& w : work_by_class(run.result(), 5)) by_class += w.flops;
  double by_task = 0;
  for (std::size_t t = 0; t < run.result().timeline->graph.task_count(); ++t) {
    if (run.result().timeline->graph.lane(TaskId{t}).value / kLaneCount != 5) continue;
    if (const CostedItem* item = run.result().step->item_of(TaskId{t})) by_task += item->flops;
  }
  EXPECT_NEAR(by_class / by_task, 1, 1e-12);
  for (int rank : {0, 5, 15}) {
    EXPECT_FALSE(roofline_chart(run, rank, 700, 300, plain_text(), -1).table.rows.empty());
    EXPECT_FALSE(links_chart(run, rank, 700, 300, plain_text(), -1).table.rows.empty());
    EXPECT_FALSE(memory_curve_chart(run, rank, 700, 300, plain_text()).table.rows.empty());
  }
}

TEST(Charts, AnInfeasibleRunHasASentenceInsteadOfACurve) {
  Input input = example_input();
  input.edits.push_back({"layout.recompute", "none", "test"});
  const auto run = Workbench::make_run(input, test_profiles());
  ASSERT_FALSE(run->feasible());
  EXPECT_TRUE(visible_rows(*run, {}).empty());
  for (const Chart& chart :
       {waterfall_chart(*run, 500, 200, plain_text(), -1),
        roofline_chart(*run, 0, 500, 200, plain_text(), -1), links_chart(*run, 0, 500, 200, plain_text(), -1),
        memory_curve_chart(*run, 0, 500, 200, plain_text())})
    EXPECT_EQ(chart.scene.layers[0].texts.size(), 1U);
  EXPECT_EQ(memory_chart(*run, 500, 200, plain_text(), -1).table.rows.size(), 16U);
  EXPECT_EQ(timeline_scene(*run, {}, 800, 600, plain_text()).layers.size(), 1U);
}

}  // namespace
}  // namespace orrery::gui
