#include "sim/layout/stage_partition.hpp"

#include <algorithm>
#include <limits>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// Costs come from identical kinds of layers: equal sums may differ in the last bits.
constexpr double kSlack = 1e-9;

double run_cost(std::span<const double> prefix, std::size_t cut, std::size_t end) {
  return prefix[end] - prefix[cut];
}

/// Cost of the most expensive run of the best cut.
double least_worst(std::span<const double> prefix, std::size_t stages) {
  const std::size_t n = prefix.size() - 1;
  std::vector<double> before(n + 1, kInfinity);
  before[0] = 0;
  for (std::size_t k = 1; k <= stages; ++k) {
    std::vector<double> worst(n + 1, kInfinity);
    for (std::size_t end = k; end <= n; ++end) {
      // Runs get longer towards the front, so nothing better follows one that is no better by itself.
      for (std::size_t cut = end; cut-- > k - 1;) {
        const double run = run_cost(prefix, cut, end);
        if (run >= worst[end]) break;
        worst[end] = std::min(worst[end], std::max(before[cut], run));
      }
    }
    before = std::move(worst);
  }
  return before[n];
}

}  // namespace

std::vector<std::int64_t> balance_stages(std::span<const double> unit_costs, std::int64_t stages) {
  const std::size_t n = unit_costs.size();
  const auto s = static_cast<std::size_t>(stages);
  SIM_CHECK(stages >= 1 && s <= n, "more stages than units");
  std::vector<double> prefix(n + 1, 0.0);
  for (std::size_t i = 0; i < n; ++i) prefix[i + 1] = prefix[i] + unit_costs[i];
  const double limit = least_worst(prefix, s) * (1 + kSlack);

  // Among all cuts whose runs stay below the limit, the least sum of squares.
  std::vector<std::vector<double>> squares(s + 1, std::vector<double>(n + 1, kInfinity));
  std::vector<std::vector<std::size_t>> cuts(s + 1, std::vector<std::size_t>(n + 1, 0));
  squares[0][0] = 0;
  for (std::size_t k = 1; k <= s; ++k) {
    for (std::size_t end = k; end + (s - k) <= n; ++end) {
      for (std::size_t cut = end; cut-- > k - 1;) {
        const double run = run_cost(prefix, cut, end);
        if (run > limit) break;  // costs are not negative: longer runs cost no less
        const double sum = squares[k - 1][cut] + run * run;
        if (!(sum < squares[k][end] * (1 - kSlack))) continue;
        squares[k][end] = sum;
        cuts[k][end] = cut;
      }
    }
  }
  std::vector<std::int64_t> counts(s);
  std::size_t end = n;
  for (std::size_t k = s; k > 0; --k) {
    const std::size_t cut = cuts[k][end];
    counts[k - 1] = static_cast<std::int64_t>(end - cut);
    end = cut;
  }
  return counts;
}

}  // namespace orrery
