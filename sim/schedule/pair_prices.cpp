#include "sim/schedule/pair_prices.hpp"

#include <algorithm>
#include <limits>

namespace orrery {
namespace {

/// Rows enter one by one; each time the cheapest way of changes along free columns is followed. Index 0 of
/// columns and of `row_of` stands for "none yet".
class Assignment {
 public:
  explicit Assignment(const std::vector<std::vector<std::int64_t>>& saves)
      : saves_(saves), n_(saves.size()), row_price_(n_ + 1), column_price_(n_ + 1), row_of_(n_ + 1) {}

  PairPrices solve() {
    for (std::size_t row = 1; row <= n_; ++row) enter(row);
    PairPrices out;
    for (std::size_t i = 1; i <= n_; ++i) {
      out.forward.push_back(-row_price_[i]);
      out.backward.push_back(-column_price_[i]);
    }
    if (n_ > 0) out.least = *std::ranges::min_element(out.forward) + *std::ranges::min_element(out.backward);
    return out;
  }

 private:
  void enter(std::size_t row) {
    std::vector<std::int64_t> slack(n_ + 1, std::numeric_limits<std::int64_t>::max());
    std::vector<std::size_t> from(n_ + 1, 0);
    std::vector<bool> used(n_ + 1, false);
    std::size_t column = 0;
    row_of_[0] = row;
    do {
      used[column] = true;
      const std::size_t at = row_of_[column];
      std::size_t next = 0;
      std::int64_t step = std::numeric_limits<std::int64_t>::max();
      for (std::size_t k = 1; k <= n_; ++k) {
        if (used[k]) continue;
        const std::int64_t left = -saves_[at - 1][k - 1] - row_price_[at] - column_price_[k];
        if (left < slack[k]) {
          slack[k] = left;
          from[k] = column;
        }
        if (slack[k] < step) {
          step = slack[k];
          next = k;
        }
      }
      for (std::size_t k = 0; k <= n_; ++k) {
        if (used[k]) {
          row_price_[row_of_[k]] += step;
          column_price_[k] -= step;
        } else {
          slack[k] -= step;
        }
      }
      column = next;
    } while (row_of_[column] != 0);
    for (; column != 0; column = from[column]) row_of_[column] = row_of_[from[column]];
  }

  const std::vector<std::vector<std::int64_t>>& saves_;
  std::size_t n_;
  std::vector<std::int64_t> row_price_, column_price_;
  std::vector<std::size_t> row_of_;
};

}  // namespace

PairPrices pair_prices(const std::vector<std::vector<std::int64_t>>& saves) {
  return Assignment(saves).solve();
}

}  // namespace orrery
