#include "gui/core/alignment.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "gui/core/compare_runs.hpp"
#include "gui/core/difference_over_time.hpp"
#include "gui/core/selection.hpp"
#include "sim/lower/lower.hpp"
#include "tests/gui/support.hpp"

// Two runs on one axis: two ranks and four microbatches each, small enough to lay beside each other on paper.

namespace orrery::gui {
namespace {

/// Llama 3 8B on two pipeline ranks, four microbatches.
std::shared_ptr<const RunView> small(const char* schedule, const char* batch = "8") {
  Input input = small_input();
  input.edits.push_back({"layout.schedule", schedule, "test"});
  input.edits.push_back({"training.global_batch_size", batch, "test"});
  const auto run = Workbench::make_run(input, test_profiles());
  if (!run->feasible()) throw std::runtime_error(run->metrics().infeasible->text);
  return run;
}

constexpr Work kLastIn{ActionKind::kForward, 0, 3};

TEST(Alignment, ByMicrobatchItsWorkBeginsTogetherAndNothingIsStretched) {
  // GPipe sends all four forwards through rank 0 one after the other: F3 begins when three are done. 1F1B has
  // by then turned to the backward of microbatch 0 and takes F3 in after two of them.
  const auto a = small("gpipe");
  const auto b = small("1f1b");
  const Stretch in_a = *when(*a, kLastIn);
  const Stretch in_b = *when(*b, kLastIn);
  EXPECT_LT(in_a.begin, in_b.begin);
  const TimeMap map = time_map(*a, *b, Alignment::kMicrobatch, kLastIn);
  EXPECT_EQ(map.scale, 1);
  EXPECT_EQ(map.shift, static_cast<double>(in_b.begin - in_a.begin));
  EXPECT_EQ(map.to_b(static_cast<double>(in_a.begin)), static_cast<double>(in_b.begin));
  EXPECT_EQ(map.to_a(map.to_b(5e9)), 5e9);
  // The other way round it is the same distance back.
  EXPECT_EQ(time_map(*b, *a, Alignment::kMicrobatch, kLastIn).shift, -map.shift);
  // The first microbatch enters both at time 0.
  EXPECT_EQ(time_map(*a, *b, Alignment::kMicrobatch, {}), TimeMap{});
}

TEST(Alignment, ByStartAndByShareMeetAtTheEndsOfTheSteps) {
  const auto a = small("gpipe");
  const auto b = small("1f1b", "16");  // twice the microbatches: another length
  ASSERT_NE(a->makespan(), b->makespan());
  EXPECT_EQ(time_map(*a, *b, Alignment::kStart, kLastIn), TimeMap{});
  const TimeMap share = time_map(*a, *b, Alignment::kShare, kLastIn);
  EXPECT_EQ(share.to_b(0), 0);
  EXPECT_NEAR(share.to_b(static_cast<double>(a->makespan())), static_cast<double>(b->makespan()), 1);
  EXPECT_EQ(shared_microbatches(*a, *b), 4);
  // Microbatch 7 enters B alone: nothing to meet at, so both begin together.
  EXPECT_FALSE(when(*a, {ActionKind::kForward, 0, 7}).has_value());
  EXPECT_EQ(time_map(*a, *b, Alignment::kMicrobatch, {ActionKind::kForward, 0, 7}), TimeMap{});
}

TEST(Alignment, TheCommonAxisHoldsBothSteps) {
  const auto a = small("gpipe");
  const auto b = small("1f1b");
  for (int i = 0; i < kAlignmentCount; ++i) {
    const TimeMap map = time_map(*a, *b, static_cast<Alignment>(i), kLastIn);
    const AxisRange range = shared_range(*a, *b, map);
    EXPECT_LE(range.low, 0);
    EXPECT_GE(range.high, static_cast<double>(a->makespan()));
    EXPECT_LE(map.to_b(range.low), 1);
    EXPECT_GE(map.to_b(range.high), static_cast<double>(b->makespan()) - 1);
  }
  // B takes F3 in later, so by microbatch B's step begins before A's.
  const TimeMap map = time_map(*a, *b, Alignment::kMicrobatch, kLastIn);
  EXPECT_EQ(shared_range(*a, *b, map).low, -map.shift);
}

TEST(Alignment, WorkAndSliceAreInverses) {
  const RunView& run = *deepseek();
  int seen = 0;
  for (std::size_t i = 0; i < run.pipeline().rows[5]->slices.size(); ++i) {
    const SliceId slice{"rank 5", i};
    const std::optional<Work> work = work_of(run, slice);
    if (!work) continue;
    ++seen;
    EXPECT_EQ(slice_of(run, *work), slice) << to_text(*work);
  }
  // Every step of the rank's program has its slice.
  const LoweredStep& step = *run.result().step;
  EXPECT_EQ(static_cast<std::size_t>(seen), step.rank_begin[6] - step.rank_begin[5]);
  EXPECT_EQ(to_text(kLastIn), "F3 on stage 0");
  EXPECT_FALSE(work_of(run, {"critical path", 0}).has_value());
  EXPECT_FALSE(work_of(run, {"rank 5", 1u << 30}).has_value());
}

TEST(Alignment, TheTableOfMicrobatchesHoldsTheirEntriesAndLives) {
  const auto a = small("gpipe");
  const auto b = small("1f1b");
  const Table table = microbatch_table(*a, *b);
  ASSERT_EQ(table.rows.size(), 4U);
  const auto seconds = [](std::int64_t ps) { return static_cast<double>(ps) * 1e-12; };
  for (int m = 0; m < 4; ++m) {
    const auto& row = table.rows[static_cast<std::size_t>(m)];
    // A microbatch enters with its forward on stage 0 and leaves with its backward there.
    const Work in{ActionKind::kForward, 0, m};
    const Work out{ActionKind::kBackward, 0, m};
    EXPECT_DOUBLE_EQ(*row[1].value, seconds(when(*a, in)->begin));
    EXPECT_DOUBLE_EQ(*row[2].value, seconds(when(*b, in)->begin));
    EXPECT_DOUBLE_EQ(*row[3].value, *row[1].value - *row[2].value);
    EXPECT_DOUBLE_EQ(*row[4].value, seconds(when(*a, out)->end - when(*a, in)->begin));
    EXPECT_DOUBLE_EQ(*row[5].value, seconds(when(*b, out)->end - when(*b, in)->begin));
  }
  // GPipe keeps the first microbatch until all four are through; 1F1B lets it go after one on each rank.
  EXPECT_GT(*table.rows[0][6].value, 0);
}

TEST(DifferenceOverTime, SharesSumToTheStatisticsOfTheStep) {
  const RunView& run = *deepseek();
  std::vector<double> edges;
  for (int i = 0; i <= 311; ++i) edges.push_back(static_cast<double>(run.makespan()) * i / 311);
  std::vector<double> ps(kCategoryCount, 0.0);
  const std::vector<CategoryShares> shares = shares_over_time(run, edges);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    double all = 0;
    for (std::size_t c = 0; c < ps.size(); ++c) {
      ps[c] += shares[i][c] * (edges[i + 1] - edges[i]) * run.ranks();
      all += shares[i][c];
    }
    EXPECT_NEAR(all, 1, 1e-9);  // every rank does something, or waits
  }
  std::vector<const TimelineRow*> rows;
  for (const auto& row : run.pipeline().rows) rows.push_back(row.get());
  for (const CategoryTime& c : time_by_category(rows, 0, run.makespan()))
    EXPECT_NEAR(ps[static_cast<std::size_t>(c.ink)] / static_cast<double>(c.ps), 1, 1e-6);
}

TEST(DifferenceOverTime, ARunHasNoneToItselfAndTwoRunsHaveThatOfTheirTimes) {
  const auto a = small("gpipe");
  const auto b = small("1f1b");
  const auto t1 = static_cast<double>(std::max(a->makespan(), b->makespan()));
  const Chart none = difference_over_time(*a, *a, {}, 0, t1, 100, 900, 40, plain_text());
  EXPECT_EQ(none.scene.layers[0].rects.size(), 1U);  // the ground
  for (const auto& row : none.table.rows) {
    for (std::size_t c = 2; c < row.size(); ++c) EXPECT_NEAR(*row[c].value, 0, 1e-9);
  }
  const Chart chart = difference_over_time(*a, *b, {}, 0, t1, 100, 900, 40, plain_text());
  ASSERT_EQ(chart.table.columns[2].title, "forward, points");
  double mean = 0;
  for (const auto& row : chart.table.rows)
    mean += *row[2].value / static_cast<double>(chart.table.rows.size());
  // Both do the same forwards: over the whole of both steps the difference is nothing.
  EXPECT_NEAR(mean, 0, 1e-6);
  // A pixel has up to as much above the middle as there is below it: ranks that A has busy and B has not.
  bool above = false;
  bool below = false;
  for (const SceneRect& rect : chart.scene.layers[0].rects) {
    if (rect.box.w > 1) continue;
    EXPECT_GE(rect.box.y, 0);
    EXPECT_LE(rect.box.y + rect.box.h, 40);
    above = above || rect.box.y + rect.box.h <= 20 + 1e-9;
    below = below || rect.box.y >= 20 - 1e-9;
  }
  EXPECT_TRUE(above && below);
}

TEST(DifferenceOverTime, BesideTheSameWorkTheSameIsDone) {
  // Aligned at F3, both ranks 0 do F3 at that instant: one of two ranks forward in both.
  const auto a = small("gpipe");
  const auto b = small("1f1b");
  const TimeMap map = time_map(*a, *b, Alignment::kMicrobatch, kLastIn);
  const double at = static_cast<double>(when(*a, kLastIn)->begin);
  const auto forward = static_cast<std::size_t>(Ink::kForward);
  EXPECT_GE(shares_over_time(*a, {at, at + 1e6})[0][forward], 0.5 - 1e-9);
  EXPECT_GE(shares_over_time(*b, {map.to_b(at), map.to_b(at + 1e6)})[0][forward], 0.5 - 1e-9);
  // Before its step begins a run has no ranks that do anything.
  const CategoryShares before = shares_over_time(*a, {-2e9, -1e9})[0];
  for (const double share : before) EXPECT_EQ(share, 0);
}

TEST(TimeAxis, MayBeginBeforeTheStep) {
  const TimeAxis axis = fitted({0, 1, 100, 1000}, 3e12, -1e12);
  EXPECT_EQ(axis.t0, -1e12);
  EXPECT_EQ(axis.t1, 3e12);
  EXPECT_EQ(ticks(axis, 200)[0].label, "-1 s");
  EXPECT_EQ(panned(zoomed(axis, 4, 600, 3e12, -1e12), -1e9, 3e12, -1e12).t0, -1e12);
  EXPECT_EQ(showing(axis, -9e12, 0, 3e12, -1e12).t0, -1e12);
}

}  // namespace
}  // namespace orrery::gui
