#pragma once

#include <cstdint>
#include <vector>

namespace orrery {

/// Prices that bound from above what pairs of forwards and backwards save. With forward[i] + backward[k] >=
/// saves[i][k] for all i and k, no choice of pairs saves more than the sum of the prices of what is in them.
struct PairPrices {
  std::vector<std::int64_t> forward;
  std::vector<std::int64_t> backward;
  std::int64_t least = 0;  ///< of forward[i] + backward[k]: what is lost at least by one pair less
};

/// The cheapest prices where all rows have as many members: the dual of the assignment problem, by the
/// Hungarian method (Kuhn 1955) in O(n^3). `saves` [forward's stage on the rank][backward's], square, >= 0.
[[nodiscard]] PairPrices pair_prices(const std::vector<std::vector<std::int64_t>>& saves);

}  // namespace orrery
