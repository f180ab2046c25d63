// The schedules of "Zero Bubble Pipeline Parallelism" against what its authors measured on A100: do the
// simulated steps rank them as the measured ones? Nothing is fitted to these rows.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "sim/base/check.hpp"
#include "tests/validation/zero_bubble_step.hpp"

namespace orrery {
namespace {

using test::ZeroBubbleRun;
using test::ZeroBubbleStep;

struct Row {
  ZeroBubbleRun run;
  ZeroBubbleStep step;

  /// Samples per second and GPU when steps follow one another.
  [[nodiscard]] double predicted() const { return per_gpu(step.period_s); }
  [[nodiscard]] double per_gpu(double seconds) const {
    return static_cast<double>(run.batch) / seconds / static_cast<double>(run.pp);
  }
};

ZeroBubbleRun parse(const std::string& line) {
  std::vector<std::string> cells;
  std::stringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) cells.push_back(cell);
  SIM_CHECK(cells.size() == 13, line);
  const auto whole = [&](std::size_t i) { return std::stoll(cells[i]); };
  return {.id = cells[0],
          .model = cells[1],
          .layers = whole(2),
          .hidden = whole(3),
          .heads = whole(4),
          .sequence = whole(5),
          .pp = whole(7),
          .schedule = cells[8],
          .microbatch = whole(9),
          .batch = whole(10),
          .samples_per_s = std::stod(cells[11]),
          .peak_gb = std::stod(cells[12])};
}

Row simulated(const ZeroBubbleRun& run) {
  static const ClusterProfile cluster =
      load_cluster("a100-sxm-ib200", {{std::filesystem::path(ORRERY_SOURCE_DIR) / "hwprofiles"}});
  return {.run = run, .step = test::simulate_zero_bubble(run, cluster)};
}

/// Every row of the table, simulated once for all tests of this program.
const std::vector<Row>& rows() {
  static const std::vector<Row> all = [] {
    std::vector<Row> made;
    std::ifstream in(std::filesystem::path(ORRERY_SOURCE_DIR) / "tests" / "data" / "zero_bubble_pp.csv");
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("ZB-")) made.push_back(simulated(parse(line)));
    }
    return made;
  }();
  return all;
}

/// Ranks from 0; equal values share the mean of theirs.
std::vector<double> ranks_of(const std::vector<double>& values) {
  std::vector<double> ranks;
  for (const double v : values) {
    const auto below = std::count_if(values.begin(), values.end(), [&](double o) { return o < v; });
    const auto equal = std::count(values.begin(), values.end(), v);
    ranks.push_back(static_cast<double>(below) + static_cast<double>(equal - 1) / 2);
  }
  return ranks;
}

/// Spearman's rank correlation.
double rank_correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const std::vector<double> x = ranks_of(a);
  const std::vector<double> y = ranks_of(b);
  const double mean = static_cast<double>(x.size() - 1) / 2;
  double xy = 0;
  double xx = 0;
  double yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  return xy / std::sqrt(xx * yy);
}

double throughput_correlation(const std::function<bool(const ZeroBubbleRun&)>& wanted, bool barrier = false) {
  std::vector<double> predicted;
  std::vector<double> measured;
  for (const Row& row : rows()) {
    if (!wanted(row.run)) continue;
    predicted.push_back(row.per_gpu(barrier ? row.step.makespan_s : row.step.period_s));
    measured.push_back(row.run.samples_per_s);
  }
  EXPECT_GE(predicted.size(), 4U);
  return rank_correlation(predicted, measured);
}

std::set<std::string> models() {
  std::set<std::string> all;
  for (const Row& row : rows()) all.insert(row.run.model);
  return all;
}

TEST(ZeroBubbleRuns, RankCorrelationByHand) {
  EXPECT_DOUBLE_EQ(rank_correlation({1, 2, 3, 4}, {10, 20, 30, 40}), 1);
  EXPECT_DOUBLE_EQ(rank_correlation({1, 2, 3, 4}, {4, 3, 2, 1}), -1);
  EXPECT_DOUBLE_EQ(rank_correlation({1, 2, 3, 4}, {10, 20, 40, 30}), 0.8);  // 1 - 6 * 2 / (4 * 15)
  // Ranks 0, 1.5, 1.5, 3 against 0..3: 4.5 / sqrt(4.5 * 5).
  EXPECT_DOUBLE_EQ(rank_correlation({1, 2, 2, 4}, {1, 2, 3, 4}), 4.5 / std::sqrt(22.5));
}

TEST(ZeroBubbleRuns, AreAllThere) {
  // Three models, three batches each, four schedules.
  ASSERT_EQ(rows().size(), 36U);
  EXPECT_EQ(models().size(), 3U);
}

TEST(ZeroBubbleRuns, ThroughputOfAllRowsRanksAsMeasured) {
  // Simulated: 0.996.
  EXPECT_GE(throughput_correlation([](const ZeroBubbleRun&) { return true; }), 0.9);
}

TEST(ZeroBubbleRuns, ThroughputOverTheSchedulesAndBatchesOfAModelRanksAsMeasured) {
  // Simulated: 0.956 for 1.5B, 0.951 for 6.2B, 0.990 for 28.3B.
  for (const std::string& model : models()) {
    EXPECT_GE(throughput_correlation([&](const ZeroBubbleRun& run) { return run.model == model; }), 0.9)
        << model;
  }
}

TEST(ZeroBubbleRuns, ThroughputOfTheFourSchedulesAtOneModelAndBatchRanksAsMeasured) {
  // Simulated: 1 in seven of the nine groups. 0.949 for 1.5B at 192, where 1F1B-I and ZB-1p measure the same;
  // 0.8 for 6.2B at 192, where 1F1B-I comes out 0.4 % ahead of ZB-1p, which measures 0.2 % ahead.
  for (const Row& row : rows()) {
    if (row.run.schedule != "1F1B") continue;
    const auto same = [&](const ZeroBubbleRun& run) {
      return run.model == row.run.model && run.batch == row.run.batch;
    };
    EXPECT_GE(throughput_correlation(same), 0.8 - 1e-12) << row.run.model << " " << row.run.batch;
  }
}

TEST(ZeroBubbleRuns, CorrelatesLessWithABarrierAfterEveryStep) {
  // ZB-2p and ZB-V start and end rank by rank: what they gain is lost if every rank waits for all others
  // before its update. Ranked by the makespan the rows of 1.5B and 6.2B correlate less.
  for (const char* model : {"gpt-1.5B", "gpt-6.2B"}) {
    const auto wanted = [&](const ZeroBubbleRun& run) { return run.model == model; };
    EXPECT_LT(throughput_correlation(wanted, true), throughput_correlation(wanted) - 0.1) << model;
  }
}

TEST(ZeroBubbleRuns, ThroughputIsOverestimatedByNoMoreThanAThird) {
  // Simulated over measured: 1.10 to 1.31, median 1.24. The kernels of Megatron-LM of 2023 and its host are
  // not modelled: these rows are for ranking.
  for (const Row& row : rows()) {
    const double ratio = row.predicted() / row.run.samples_per_s;
    EXPECT_GT(ratio, 1.0) << row.run.id;
    EXPECT_LT(ratio, 4.0 / 3) << row.run.id;
  }
}

TEST(ZeroBubbleRuns, PeakMemoryRanksTheSchedulesOfAModelAsMeasuredAndFits) {
  // 1F1B < ZB-1p < 1F1B-I < ZB-2p in each model. The level is too low by 20 to 49 %.
  for (const std::string& model : models()) {
    std::vector<double> predicted;
    std::vector<double> measured;
    for (const Row& row : rows()) {
      EXPECT_LT(row.step.peak_bytes, 84.9e9) << row.run.id;
      if (row.run.model != model) continue;
      predicted.push_back(row.step.peak_bytes);
      measured.push_back(row.run.peak_gb);
    }
    EXPECT_DOUBLE_EQ(rank_correlation(predicted, measured), 1) << model;
  }
}

TEST(ZeroBubbleRuns, ZbVBeatsZb1pInLessMemoryThanZb2p) {
  // The table has no rows of ZB-V; this is what its authors claim for it (arXiv 2405.15362).
  for (const Row& h1 : rows()) {
    if (h1.run.schedule != "ZB-1p") continue;
    ZeroBubbleRun run = h1.run;
    run.schedule = "ZB-V";
    const Row v = simulated(run);
    EXPECT_GT(v.predicted(), h1.predicted()) << run.id;
    for (const Row& h2 : rows()) {
      if (h2.run.schedule != "ZB-2p" || h2.run.model != run.model) continue;
      EXPECT_LT(v.step.peak_bytes, h2.step.peak_bytes) << run.id;
    }
  }
}

}  // namespace
}  // namespace orrery
