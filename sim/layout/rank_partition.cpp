#include <algorithm>
#include <array>

#include "sim/base/check.hpp"
#include "sim/layout/stage_partition.hpp"

namespace orrery {
namespace {

/// Busiest rank, evenness of ranks, evenness of stages: smaller is better, in this order.
using Score = std::array<double, 3>;

bool better(const Score& a, const Score& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    // Equal sums of equal costs may differ in the last bits.
    const double slack = 1e-9 * std::max(a[i], b[i]);
    if (a[i] < b[i] - slack) return true;
    if (a[i] > b[i] + slack) return false;
  }
  return false;
}

class Balancer {
 public:
  Balancer(std::span<const double> costs, double first_extra, double last_extra,
           std::span<const std::int32_t> rank_of_stage)
      : prefix_(costs.size() + 1, 0.0),
        first_extra_(first_extra),
        last_extra_(last_extra),
        rank_of_stage_(rank_of_stage) {
    for (std::size_t i = 0; i < costs.size(); ++i) prefix_[i + 1] = prefix_[i] + costs[i];
    const auto [least, most] = std::minmax_element(costs.begin(), costs.end());
    least_ = *least;
    spread_ = *most - *least;
    for (std::size_t i = 1; i < costs.size(); ++i) changes_ += costs[i] != costs[i - 1] ? 1 : 0;
    load_.resize(static_cast<std::size_t>(*std::max_element(rank_of_stage.begin(), rank_of_stage.end())) + 1);
  }

  Score score(const std::vector<std::int64_t>& counts) {
    std::fill(load_.begin(), load_.end(), 0.0);
    Score s{};
    std::size_t at = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const std::size_t end = at + static_cast<std::size_t>(counts[i]);
      double cost = prefix_[end] - prefix_[at];
      if (i == 0) cost += first_extra_;
      if (i + 1 == counts.size()) cost += last_extra_;
      load_[static_cast<std::size_t>(rank_of_stage_[i])] += cost;
      s[2] += cost * cost;
      at = end;
    }
    for (double load : load_) {
      s[0] = std::max(s[0], load);
      s[1] += load * load;
    }
    return s;
  }

  /// Makes the best single move; false when none helps.
  bool improve(std::vector<std::int64_t>& counts) {
    Score best = score(counts);
    loads_now_ = load_;
    std::size_t from = counts.size();
    std::size_t to = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const bool end = i == 0 || i + 1 == counts.size();
      if (counts[i] <= (end ? 0 : 1)) continue;
      for (std::size_t j = 0; j < counts.size(); ++j) {
        if (i == j || !may_help(i, j)) continue;
        --counts[i];
        ++counts[j];
        const Score s = score(counts);
        ++counts[i];
        --counts[j];
        if (!better(s, best)) continue;
        best = s;
        from = i;
        to = j;
      }
    }
    if (from == counts.size()) return false;
    --counts[from];
    ++counts[to];
    return true;
  }

 private:
  /// A unit of cost c that goes from a rank with load A to one with load B lowers the busiest load or the sum
  /// of squares only where B + c < A. The stages between take in a unit at one end and hand one on at the
  /// other: their costs change, by at most the spread, only where the row changes between the two, and each
  /// place of change lies in at most two stages.
  [[nodiscard]] bool may_help(std::size_t i, std::size_t j) const {
    const auto a = static_cast<std::size_t>(rank_of_stage_[i]);
    const auto b = static_cast<std::size_t>(rank_of_stage_[j]);
    if (a == b) return true;
    const double shifts = 2.0 * static_cast<double>(changes_) * spread_;
    return loads_now_[b] + least_ <= (loads_now_[a] + 2 * shifts) * (1 + 1e-6);
  }

  std::vector<double> prefix_;
  double least_ = 0;         ///< of the units' costs
  double spread_ = 0;        ///< most minus least
  std::size_t changes_ = 0;  ///< places where a unit costs other than the one before
  double first_extra_;
  double last_extra_;
  std::span<const std::int32_t> rank_of_stage_;
  std::vector<double> load_;
  std::vector<double> loads_now_;  ///< before a move
};

}  // namespace

std::vector<std::int64_t> balance_ranks(std::span<const double> unit_costs, double first_extra,
                                        double last_extra, std::span<const std::int32_t> rank_of_stage) {
  SIM_CHECK(!rank_of_stage.empty(), "no stages");
  std::vector<double> whole(unit_costs.begin(), unit_costs.end());
  whole.front() += first_extra;
  whole.back() += last_extra;
  std::vector<std::int64_t> counts = balance_stages(whole, static_cast<std::int64_t>(rank_of_stage.size()));
  Balancer balancer(unit_costs, first_extra, last_extra, rank_of_stage);
  // Every move lowers the score, so this ends; the bound is a guard against rounding.
  for (std::size_t moves = 0; moves < 16 * unit_costs.size() && balancer.improve(counts); ++moves) {
  }
  return counts;
}

}  // namespace orrery
