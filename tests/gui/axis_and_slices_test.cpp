#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <ctime>
#include <random>
#include <sstream>

#include "gui/core/actions.hpp"
#include "gui/core/lane_layout.hpp"
#include "gui/core/slices.hpp"
#include "gui/core/time_axis.hpp"
#include "tests/gui/support.hpp"

namespace orrery::gui {
namespace {

/// CPU seconds of this process, so that a loaded machine does not change what is measured.
double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// Speed is claimed for optimised builds; under sanitizers or without optimisation the claims are not
/// checked.
bool optimised() {
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__)
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
  return false;
#endif
#endif
  return true;
#else
  return false;
#endif
}

SliceRow random_row(std::size_t n, unsigned seed, std::int64_t length = 1000000) {
  std::mt19937 random(seed);
  SliceRow row;
  std::int64_t t = 0;
  for (std::size_t i = 0; i < n; ++i) {
    t += static_cast<std::int64_t>(random() % 3 == 0 ? random() % static_cast<unsigned>(length) : 0);
    const auto end = t + 1 + static_cast<std::int64_t>(random() % static_cast<unsigned>(length));
    const auto ink = static_cast<Ink>(random() % static_cast<unsigned>(kCategoryCount));
    row.add(t, end, ink, static_cast<std::int32_t>(i));
    t = end;
  }
  return row;
}

std::int64_t busy_by_hand(const SliceRow& row, std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row.ink[i] == Ink::kIdle) continue;
    sum += std::max<std::int64_t>(0, std::min(b, row.end[i]) - std::max(a, row.begin[i]));
  }
  return sum;
}

TEST(TimeAxis, TimeAndPixelAreInversesOverAllZooms) {
  for (double span_s : {1e-9, 1e-6, 1e-3, 1.0, 20.0, 1e3, 1e6}) {
    for (double start_s : {0.0, 1e-3, 17.0, 1e6}) {
      if (span_s < start_s * 1e-11) continue;  // below what a double can tell apart there
      const TimeAxis axis{start_s * 1e12, (start_s + span_s) * 1e12, 130, 1470};
      for (double x : {130.0, 131.5, 777.25, 1599.0})
        EXPECT_NEAR(axis.x(axis.t(x)), x, 0.5) << span_s << " " << start_s;
    }
  }
}

TEST(TimeAxis, ZoomKeepsWhatIsUnderTheCursorAndStaysInsideTheStep) {
  const double total = 19e12;
  TimeAxis axis = fitted({0, 1, 100, 1000}, total);
  const double at = axis.t(400);
  for (int i = 0; i < 12; ++i) {
    axis = zoomed(axis, 1.5, 400, total);
    EXPECT_NEAR(axis.x(at), 400, 1e-3);
  }
  for (int i = 0; i < 200; ++i) axis = zoomed(axis, 4, 400, total);
  EXPECT_DOUBLE_EQ(axis.span(), kShortestView);
  for (int i = 0; i < 200; ++i) axis = zoomed(axis, 0.1, 900, total);
  EXPECT_DOUBLE_EQ(axis.t0, 0);
  EXPECT_DOUBLE_EQ(axis.t1, total);
  axis = zoomed(axis, 2, 600, total);
  axis = panned(axis, 1e9, total);
  EXPECT_DOUBLE_EQ(axis.t1, total);
  EXPECT_NEAR(axis.span(), total / 2, 1);
}

TEST(TimeAxis, TicksAreRoundApartAndHaveAUnit) {
  const TimeAxis axis = fitted({0, 1, 0, 1000}, 18.987e12);
  const std::vector<Tick> all = ticks(axis, 90);
  ASSERT_GE(all.size(), 5U);
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_GE(axis.x(all[i].t) - axis.x(all[i - 1].t), 90 - 1e-6);
  EXPECT_EQ(all[1].label, "2 s");
  EXPECT_EQ(time_text(41.3e9), "41.30 ms");
  EXPECT_EQ(time_text(18.987e12), "18.99 s");
  EXPECT_EQ(time_text(0), "0 s");
  EXPECT_TRUE(ticks({0, 1e12, 0, 0}, 90).empty());
}

TEST(RowIndex, BusyTimeIsExactAndFirstAfterIsTheFirst) {
  for (std::size_t n : {0U, 1U, 2U, 17U, 5000U, 60000U}) {
    const SliceRow row = random_row(n, 7);
    const RowIndex index(row);
    const std::int64_t end = n == 0 ? 100 : row.end.back();
    std::mt19937_64 random(3);
    for (int i = 0; i < 40; ++i) {
      const auto a = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(end + 10)) - 5;
      const auto b = a + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(end));
      EXPECT_EQ(index.busy(a, b), busy_by_hand(row, a, b)) << n << " " << a << " " << b;
      const std::size_t first = index.first_after(a);
      if (first > 0) {
        EXPECT_LE(row.end[first - 1], a);
      }
      if (first < row.size()) {
        EXPECT_GT(row.end[first], a);
      }
    }
  }
}

TEST(RowIndex, ColumnsAgreeWithBruteForceWithinOneLevelAndIdleIsNeverHidden) {
  const SliceRow row = random_row(40000, 11);
  const RowIndex index(row);
  TimeAxis axis = fitted({0, 1, 0, 800}, static_cast<double>(row.end.back()));
  for (int zoom = 0; zoom < 6; ++zoom) {
    const std::vector<StripColumn> columns = index.columns(axis);
    ASSERT_EQ(columns.size(), 800U);
    for (std::size_t i = 0; i < columns.size(); i += 37) {
      const auto a = std::llround(axis.t(static_cast<double>(i)));
      const auto b = std::llround(axis.t(static_cast<double>(i) + 1));
      const std::int64_t busy = busy_by_hand(row, a, b);
      const double share = static_cast<double>(busy) / static_cast<double>(b - a);
      EXPECT_NEAR(columns[i].busy, 255 * share, 1.01);
      if (busy < b - a) {
        EXPECT_LT(columns[i].busy, 255);
      }
      if (busy > 0) {
        EXPECT_GT(columns[i].busy, 0);
      }
    }
    axis = zoomed(axis, 3, 300, static_cast<double>(row.end.back()));
  }
}

TEST(RowIndex, ThePrevailingCategoryIsTheOneWithMostTime) {
  SliceRow row;
  for (int i = 0; i < 3000; ++i) {
    row.add(i * 100, i * 100 + 60, i < 1500 ? Ink::kForward : Ink::kExpert, i);
    row.add(i * 100 + 60, i * 100 + 90, Ink::kBackwardInput, i);
  }
  const RowIndex index(row);
  EXPECT_EQ(index.prevailing(0, 100000), Ink::kForward);
  EXPECT_EQ(index.prevailing(200000, 300000), Ink::kExpert);
  EXPECT_EQ(index.prevailing(62, 88), Ink::kBackwardInput);
  EXPECT_EQ(index.prevailing(91, 99), Ink::kIdle);
}

TEST(RowIndex, FiveMillionSlicesBuildAndAnswerInTime) {
  std::vector<SliceRow> rows;
  for (unsigned r = 0; r < 64; ++r) rows.push_back(random_row(5000000 / 64, r, 4000));
  const double began = cpu_seconds();
  std::vector<RowIndex> index;
  for (const SliceRow& row : rows) index.emplace_back(row);
  const double built = cpu_seconds() - began;
  const auto total = static_cast<double>(rows[0].end.back());
  double worst = 0;
  std::size_t columns = 0;
  for (double zoom : {1.0, 2.0, 5.0, 20.0, 50.0, 200.0}) {
    const TimeAxis axis = zoomed(fitted({0, 1, 0, 1470}, total), zoom, 700, total);
    const double start = cpu_seconds();
    for (const RowIndex& i : index) columns += i.columns(axis).size();
    worst = std::max(worst, cpu_seconds() - start);
  }
  const double hit_start = cpu_seconds();
  std::int64_t found = 0;
  for (int i = 0; i < 100000; ++i)
    found +=
        index[static_cast<std::size_t>(i % 64)].at(static_cast<std::int64_t>(total / 1e5 * i)) >= 0 ? 1 : 0;
  const double hit = (cpu_seconds() - hit_start) / 100000;
  std::size_t bytes = 0;
  for (std::size_t r = 0; r < rows.size(); ++r) bytes += rows[r].size() * 22 + index[r].bytes();
  RecordProperty("build_ms", static_cast<int>(built * 1000));
  RecordProperty("columns_us", static_cast<int>(worst * 1e6));
  printf(
      "5,000,000 slices: build %.0f ms, columns of 64 rows %.1f ms, hit test %.2f us, %.1f bytes a slice\n",
      built * 1e3, worst * 1e3, hit * 1e6, static_cast<double>(bytes) / 5e6);
  EXPECT_EQ(columns, 6U * 64 * 1470);
  EXPECT_GT(found, 0);
  EXPECT_LE(static_cast<double>(bytes) / 5e6,
            32);  // 22 of the columns, 8 of sums, 14 a bucket of 8 to 32 slices
  if (!optimised()) GTEST_SKIP() << "speed is not checked without optimisation or under sanitizers";
  EXPECT_LT(built, 3 * 0.5);
  EXPECT_LT(worst, 3 * 0.016);
  EXPECT_LT(hit, 1e-3);
}

TEST(LaneLayout, PinnedRowsStayOnTopAndCoverWhatScrolls) {
  std::vector<TimelineRow> rows(5);
  std::vector<const TimelineRow*> all;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].name = "rank " + std::to_string(i);
    rows[i].kind = RowKind::kPipelineRank;
    all.push_back(&rows[i]);
  }
  const std::vector<std::string> pins{"rank 3"};
  const LaneLayout layout = lay_out(all, pins, 10, 10);
  EXPECT_EQ(layout.rows[0].row->name, "rank 3");
  EXPECT_DOUBLE_EQ(layout.pinned_height, 15);
  EXPECT_DOUBLE_EQ(layout.content_height, 60);
  EXPECT_EQ(row_at(layout, 14.9), 0);
  EXPECT_EQ(row_at(layout, 15.1), 1);  // rank 0 begins at 15 - 10 = 5, covered until 15
  EXPECT_EQ(row_at(layout, 20.5), 2);
  EXPECT_EQ(row_at(layout, 1000), -1);
  EXPECT_DOUBLE_EQ(clamped_scroll(layout, 1000, 60), 15);
  EXPECT_DOUBLE_EQ(clamped_scroll(layout, -3, 60), 0);
}

TEST(Actions, EveryKeyMeansOneThingInItsScope) {
  std::vector<std::pair<std::string, Scope>> seen;
  for (const ActionInfo& a : actions()) {
    EXPECT_FALSE(a.text.empty());
    EXPECT_TRUE(a.help.ends_with('.')) << a.id;
    if (a.scope == Scope::kMouse) continue;
    std::istringstream keys{std::string(a.keys)};
    for (std::string key; keys >> key;) {
      for (const auto& [other, scope] : seen) EXPECT_NE(other, key) << a.id;
      seen.emplace_back(key, a.scope);
    }
  }
  EXPECT_NE(actions_html().find("Ctrl+Shift+P"), std::string::npos);
  EXPECT_TRUE(fuzzy_match("expc", "Export picture"));
  EXPECT_FALSE(fuzzy_match("zz", "Zoom in"));
}

}  // namespace
}  // namespace orrery::gui
