#include "sim/workload/routing.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <set>
#include <vector>

namespace orrery {
namespace {

constexpr MoeShape kV3{.experts = 256, .top_k = 8, .groups = 8, .groups_kept = 4};

/// Mean distinct units hit by uniform group-limited choices, fixed seed.
double drawn(const MoeShape& moe, std::int64_t per_unit, int tokens = 40000) {
  std::mt19937 random(20241227);
  std::vector<std::int64_t> groups(static_cast<std::size_t>(moe.groups));
  std::iota(groups.begin(), groups.end(), 0);
  const std::int64_t size = moe.experts / moe.groups;
  double sum = 0;
  for (int t = 0; t < tokens; ++t) {
    std::shuffle(groups.begin(), groups.end(), random);
    std::vector<std::int64_t> experts;
    for (std::int64_t g = 0; g < moe.groups_kept; ++g) {
      for (std::int64_t e = 0; e < size; ++e)
        experts.push_back(groups[static_cast<std::size_t>(g)] * size + e);
    }
    std::shuffle(experts.begin(), experts.end(), random);
    std::set<std::int64_t> units;
    for (std::int64_t i = 0; i < moe.top_k; ++i)
      units.insert(experts[static_cast<std::size_t>(i)] / per_unit);
    sum += static_cast<double>(units.size());
  }
  return sum / tokens;
}

TEST(Routing, ADeepSeekV3TokenReachesThreePointSixNodes) {
  // 64 ranks on 8 nodes: a node holds one group of 32. Of the 4 kept groups (128 experts) a node is missed
  // with C(96,8)/C(128,8) = prod (96-i)/(128-i), i = 0..7 = 0.0927: 4 x 0.9073 = 3.629.
  double miss = 1;
  for (int i = 0; i < 8; ++i) miss *= (96.0 - i) / (128.0 - i);
  const ExpertSpread s = expert_spread(kV3, 64, 8);
  EXPECT_NEAR(s.node_copies, 4 * (1 - miss), 1e-12);
  EXPECT_NEAR(s.node_copies, 3.63, 0.005);
  // A rank holds 4 experts; 32 of the 64 ranks are in reach.
  miss = 1;
  for (int i = 0; i < 8; ++i) miss *= (124.0 - i) / (128.0 - i);
  EXPECT_NEAR(s.rank_copies, 32 * (1 - miss), 1e-12);
}

TEST(Routing, RandomChoicesConfirmTheExpectation) {
  struct Case {
    MoeShape moe;
    std::int64_t ranks, per_node;
  };
  const MoeShape v2{.experts = 160, .top_k = 6, .groups = 8, .groups_kept = 3};
  const MoeShape free{.experts = 64, .top_k = 6, .groups = 1, .groups_kept = 1};
  for (const Case& c : {Case{kV3, 64, 8}, Case{kV3, 32, 8}, Case{kV3, 16, 8}, Case{kV3, 128, 8},
                        Case{v2, 40, 8}, Case{v2, 8, 4}, Case{free, 16, 8}, Case{free, 64, 4}}) {
    const ExpertSpread s = expert_spread(c.moe, c.ranks, c.per_node);
    const std::int64_t per_rank = c.moe.experts / c.ranks;
    const double nodes = drawn(c.moe, per_rank * c.per_node);
    const double ranks = drawn(c.moe, per_rank);
    EXPECT_NEAR(s.node_copies, nodes, 0.01 * nodes) << c.moe.experts << " over " << c.ranks;
    EXPECT_NEAR(s.rank_copies, ranks, 0.01 * ranks) << c.moe.experts << " over " << c.ranks;
  }
}

TEST(Routing, NodesOfTwoGroupsAreReachedLessOftenThanSingleGroupsSuggest) {
  // 32 ranks on 4 nodes, two groups each. A node keeps j = 0, 1, 2 of its groups with 15, 40, 15 of 70 ways
  // and is then missed with 1, C(96,8)/C(128,8) = 0.0927, C(64,8)/C(128,8) = 0.0031.
  double one = 1;
  double two = 1;
  for (int i = 0; i < 8; ++i) {
    one *= (96.0 - i) / (128.0 - i);
    two *= (64.0 - i) / (128.0 - i);
  }
  EXPECT_NEAR(expert_spread(kV3, 32, 8).node_copies, 4 * (40 * (1 - one) + 15 * (1 - two)) / 70, 1e-12);
}

TEST(Routing, OneUnitIsAlwaysReachedAndNeverMoreThanTopK) {
  EXPECT_NEAR(expert_spread(kV3, 1, 1).node_copies, 1, 1e-12);
  EXPECT_NEAR(expert_spread(kV3, 1, 1).rank_copies, 1, 1e-12);
  EXPECT_NEAR(expert_spread(kV3, 8, 8).node_copies, 1, 1e-12);
  // One expert per rank: every chosen expert is another rank.
  EXPECT_NEAR(expert_spread(kV3, 256, 8).rank_copies, 8, 1e-9);
  for (std::int64_t ranks : {2, 4, 8, 16, 32, 64, 128, 256}) {
    const ExpertSpread s = expert_spread(kV3, ranks, 8);
    EXPECT_LE(s.node_copies, s.rank_copies + 1e-9);
    EXPECT_LE(s.rank_copies, 8 + 1e-9);
    EXPECT_LE(s.node_copies, static_cast<double>(std::max<std::int64_t>(1, ranks / 8)) + 1e-9);
  }
}

TEST(Routing, WithoutGroupsEveryExpertIsACandidate) {
  // 2 of 8 experts over 4 ranks of 2: a rank is missed with C(6,2)/C(8,2) = 15/28.
  const MoeShape moe{.experts = 8, .top_k = 2};
  EXPECT_NEAR(expert_spread(moe, 4, 2).rank_copies, 4 * (1 - 15.0 / 28), 1e-12);
  // Two nodes of 4: missed with C(4,2)/C(8,2) = 6/28.
  EXPECT_NEAR(expert_spread(moe, 4, 2).node_copies, 2 * (1 - 6.0 / 28), 1e-12);
}

}  // namespace
}  // namespace orrery
