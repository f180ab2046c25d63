#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace orrery {

/// Cuts a row of units with costs into `stages` runs, each of at least one unit, so that the most expensive
/// run is as cheap as possible; among those the sum of squares is smallest (the rest as even as possible),
/// then the earlier cut is later. Returns the number of units per stage. Dynamic programme, O(stages *
/// units^2).
[[nodiscard]] std::vector<std::int64_t> balance_stages(std::span<const double> unit_costs,
                                                       std::int64_t stages);

}  // namespace orrery
