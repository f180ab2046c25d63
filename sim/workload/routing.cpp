#include "sim/workload/routing.hpp"

#include <algorithm>
#include <vector>

namespace orrery {
namespace {

double d(std::int64_t x) {
  return static_cast<double>(x);
}

/// C(n, k); 0 where k lies outside of 0 .. n.
double choose(std::int64_t n, std::int64_t k) {
  if (k < 0 || k > n) return 0;
  double ways = 1;
  for (std::int64_t i = 0; i < k; ++i) ways *= d(n - i) / d(i + 1);
  return ways;
}

/// 1 - C(candidates - on_unit, k) / C(candidates, k).
double hit_probability(std::int64_t candidates, std::int64_t on_unit, std::int64_t k) {
  double miss = 1.0;
  for (std::int64_t i = 0; i < k; ++i) miss *= std::max(0.0, d(candidates - on_unit - i) / d(candidates - i));
  return 1.0 - miss;
}

/// Probability that a token has an expert among those numbered from `first` to `last` - 1. The kept groups
/// are drawn first: ways[kept][u] counts the choices among the groups that reach into the range that keep
/// `kept` of them with u of the range's experts.
double reach_probability(const MoeShape& moe, std::int64_t first, std::int64_t last) {
  const std::int64_t groups = std::max<std::int64_t>(1, moe.groups);
  const std::int64_t kept_groups = groups > 1 ? moe.groups_kept : 1;
  const std::int64_t size = moe.experts / groups;
  const std::int64_t width = last - first;
  std::int64_t touched = 0;
  std::vector<std::vector<double>> ways(static_cast<std::size_t>(kept_groups) + 1,
                                        std::vector<double>(static_cast<std::size_t>(width) + 1, 0.0));
  ways[0][0] = 1;
  for (std::int64_t g = first / size; g < groups && g * size < last; ++g) {
    ++touched;
    const auto inside = static_cast<std::size_t>(std::min(last, (g + 1) * size) - std::max(first, g * size));
    for (std::size_t kept = ways.size(); kept-- > 1;) {
      for (std::size_t u = inside; u < ways[kept].size(); ++u) ways[kept][u] += ways[kept - 1][u - inside];
    }
  }
  double probability = 0;
  for (std::size_t kept = 0; kept < ways.size(); ++kept) {
    const double rest = choose(groups - touched, kept_groups - static_cast<std::int64_t>(kept));
    for (std::size_t u = 0; u < ways[kept].size(); ++u) {
      if (ways[kept][u] == 0 || rest == 0) continue;
      probability += ways[kept][u] * rest / choose(groups, kept_groups) *
                     hit_probability(kept_groups * size, static_cast<std::int64_t>(u), moe.top_k);
    }
  }
  return probability;
}

/// Expected number of units with an expert of the token, `per_unit` experts on each but perhaps the last.
double expected_units(const MoeShape& moe, std::int64_t per_unit) {
  double expected = 0;
  for (std::int64_t first = 0; first < moe.experts; first += per_unit)
    expected += reach_probability(moe, first, std::min(moe.experts, first + per_unit));
  return expected;
}

}  // namespace

ExpertSpread expert_spread(const MoeShape& moe, std::int64_t ranks, std::int64_t ranks_per_node) {
  const std::int64_t per_rank = std::max<std::int64_t>(1, moe.experts / ranks);
  const std::int64_t per_node = std::clamp<std::int64_t>(ranks_per_node, 1, ranks) * per_rank;
  return {.node_copies = expected_units(moe, per_node), .rank_copies = expected_units(moe, per_rank)};
}

}  // namespace orrery
