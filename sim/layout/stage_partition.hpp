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

/// The same for ranks that hold several stages: starts from `balance_stages` and moves single units between
/// stages as long as that makes the busiest rank less busy, or as busy with the loads more even, or with the
/// stages more even. `rank_of_stage[s]` is the rank that holds stage s. Inner stages keep at least one unit;
/// the first and the last may be empty, since they hold embedding and head besides: `first_extra` and
/// `last_extra` are the costs of those. A descent to a local optimum, checked against all cuts on small
/// cases.
[[nodiscard]] std::vector<std::int64_t> balance_ranks(std::span<const double> unit_costs, double first_extra,
                                                      double last_extra,
                                                      std::span<const std::int32_t> rank_of_stage);

}  // namespace orrery
