#include "sim/layout/stage_partition.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

/// Most expensive run and sum of squares of a cut.
std::pair<double, double> score(const std::vector<double>& costs, const std::vector<std::int64_t>& counts) {
  double worst = 0;
  double squares = 0;
  std::size_t at = 0;
  for (std::int64_t count : counts) {
    double run = 0;
    for (std::int64_t i = 0; i < count; ++i) run += costs.at(at++);
    worst = std::max(worst, run);
    squares += run * run;
  }
  EXPECT_EQ(at, costs.size());
  return {worst, squares};
}

void search(const std::vector<double>& costs, std::vector<std::int64_t>& counts, std::int64_t left,
            std::int64_t stages, std::pair<double, double>& best) {
  if (stages == 1) {
    counts.push_back(left);
    best = std::min(best, score(costs, counts));
    counts.pop_back();
    return;
  }
  for (std::int64_t n = 1; n <= left - (stages - 1); ++n) {
    counts.push_back(n);
    search(costs, counts, left - n, stages - 1, best);
    counts.pop_back();
  }
}

TEST(BalanceStages, NoCutIsBetterThanTheOneFound) {
  std::mt19937 random(20250225);
  for (int round = 0; round < 300; ++round) {
    const auto n = static_cast<std::size_t>(2 + random() % 9);
    const auto stages = static_cast<std::int64_t>(1 + random() % n);
    std::vector<double> costs(n);
    for (double& c : costs) c = static_cast<double>(random() % 8);  // whole numbers: sums are exact
    std::pair<double, double> best{std::numeric_limits<double>::infinity(), 0};
    std::vector<std::int64_t> counts;
    search(costs, counts, static_cast<std::int64_t>(n), stages, best);
    EXPECT_EQ(score(costs, balance_stages(costs, stages)), best)
        << testing::PrintToString(costs) << " into " << stages;
  }
}

TEST(BalanceStages, SixtyOneLayersWithAHeavyEndFitSixteenStages) {
  // Head and MTP make the last unit weigh 2.5 layers. 60 + 2.5 = 62.5 over 16 needs runs of 4: the last
  // stage takes one layer beside the heavy one (3.5), 59 layers over 15 stages are 14 x 4 and 1 x 3.
  std::vector<double> costs(61, 1.0);
  costs.back() = 2.5;
  const std::vector<std::int64_t> counts = balance_stages(costs, 16);
  ASSERT_EQ(counts.size(), 16U);
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}), 61);
  EXPECT_EQ(counts.back(), 2);
  EXPECT_EQ(std::count(counts.begin(), counts.end() - 1, 4), 14);
  EXPECT_EQ(std::count(counts.begin(), counts.end() - 1, 3), 1);
  EXPECT_EQ(score(costs, counts).first, 4.0);
}

TEST(BalanceStages, TheUnitOfTheCostsDoesNotMatter) {
  // Seconds (1e-3) or FLOPs (1e14): the same cut.
  std::vector<double> costs{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8};
  const std::vector<std::int64_t> plain = balance_stages(costs, 5);
  for (double scale : {1e-12, 1e-3, 1e14}) {
    std::vector<double> scaled = costs;
    for (double& c : scaled) c *= scale;
    EXPECT_EQ(balance_stages(scaled, 5), plain) << scale;
  }
}

TEST(BalanceStages, EqualUnitsSpreadEvenly) {
  EXPECT_EQ(balance_stages(std::vector<double>(12, 0.1), 4), (std::vector<std::int64_t>{3, 3, 3, 3}));
  EXPECT_EQ(balance_stages(std::vector<double>(4, 1.0), 4), (std::vector<std::int64_t>{1, 1, 1, 1}));
  EXPECT_EQ(balance_stages(std::vector<double>(5, 1.0), 1), (std::vector<std::int64_t>{5}));
  EXPECT_EQ(balance_stages(std::vector<double>(3, 0.0), 2).size(), 2U);
}

TEST(BalanceStages, MoreStagesThanUnitsIsABug) {
  EXPECT_THROW((void)balance_stages(std::vector<double>(3, 1.0), 4), InternalError);
  EXPECT_THROW((void)balance_stages(std::vector<double>(3, 1.0), 0), InternalError);
}

/// Busiest rank over all cuts of `units` equal layers into `stages`, inner stages not empty.
double busiest_of_best(std::int64_t units, double first, double last,
                       const std::vector<std::int32_t>& ranks) {
  const std::size_t n = ranks.size();
  std::vector<std::int64_t> counts(n, 0);
  double best = 1e300;
  const auto visit = [&](auto&& self, std::size_t stage, std::int64_t left) -> void {
    if (stage + 1 == n) {
      counts[stage] = left;
      std::vector<double> load(n, 0.0);
      for (std::size_t i = 0; i < n; ++i) {
        load[static_cast<std::size_t>(ranks[i])] +=
            static_cast<double>(counts[i]) + (i == 0 ? first : 0) + (i + 1 == n ? last : 0);
      }
      best = std::min(best, *std::max_element(load.begin(), load.end()));
      return;
    }
    for (std::int64_t c = stage == 0 ? 0 : 1; c <= left; ++c) {
      counts[stage] = c;
      self(self, stage + 1, left - c);
    }
  };
  visit(visit, 0, units);
  return best;
}

TEST(BalanceRanks, MeetsTheBestOfAllCutsOnSmallPipelines) {
  // Two ranks with two stages each, placed round robin (0 1 0 1) and in a V (0 1 1 0).
  for (const std::vector<std::int32_t>& ranks :
       {std::vector<std::int32_t>{0, 1, 0, 1}, std::vector<std::int32_t>{0, 1, 1, 0}}) {
    for (std::int64_t units : {4, 7, 12}) {
      for (double last : {0.0, 1.0, 2.5, 6.0}) {
        const std::vector<double> costs(static_cast<std::size_t>(units), 1.0);
        const std::vector<std::int64_t> counts = balance_ranks(costs, 0.25, last, ranks);
        EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}), units);
        std::vector<double> load(2, 0.0);
        for (std::size_t i = 0; i < counts.size(); ++i) {
          load[static_cast<std::size_t>(ranks[i])] +=
              static_cast<double>(counts[i]) + (i == 0 ? 0.25 : 0) + (i == 3 ? last : 0);
        }
        EXPECT_NEAR(std::max(load[0], load[1]), busiest_of_best(units, 0.25, last, ranks), 1e-12)
            << units << " " << last;
      }
    }
  }
}

TEST(BalanceRanks, LeavesAHeavyHeadAloneWhereThatHelps) {
  // 8 layers, head of 4 on 2 ranks of 2 stages: rank 1 holds the head and one inner stage, 6 and 6.
  const std::vector<double> costs(8, 1.0);
  const std::vector<std::int32_t> ranks{0, 1, 0, 1};
  const std::vector<std::int64_t> counts = balance_ranks(costs, 0, 4, ranks);
  EXPECT_EQ(counts[0] + counts[2], 6);
  EXPECT_EQ(counts[1] + counts[3], 2);
}

}  // namespace
}  // namespace orrery
