#include "sim/engine/sharing.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/check.hpp"

namespace orrery {

Slowdown to_slowdown(double factor) {
  SIM_CHECK(factor >= 1.0 && factor < 65536.0, "a slowdown lies in [1, 65536)");
  return static_cast<Slowdown>(std::min(std::llround(factor * kNoSlowdown), (1LL << 32) - 1));
}

SlowdownTable::SlowdownTable() {
  SlowdownRow ones;
  ones.fill(kNoSlowdown);
  rows_.push_back(ones);
}

std::uint16_t SlowdownTable::add(const SlowdownRow& row) {
  SIM_CHECK(row[0] == kNoSlowdown, "a task that runs alone is not slowed");
  SIM_CHECK(*std::ranges::min_element(row) >= kNoSlowdown, "a slowdown is at least 1");
  const auto found = std::ranges::find(rows_, row);
  const auto index = found - rows_.begin();
  if (found == rows_.end()) {
    SIM_CHECK(rows_.size() < (std::size_t{1} << 16), "at most 65536 slowdown rows");
    rows_.push_back(row);
    largest_ = std::max(largest_, *std::ranges::max_element(row));
  }
  return static_cast<std::uint16_t>(index);
}

}  // namespace orrery
