#pragma once

#include <array>
#include <vector>

#include "gui/core/alignment.hpp"
#include "gui/core/result_charts.hpp"

namespace orrery::gui {

/// Share of a run's ranks in each category, 0 to 1, by category; what is left is no part of the step.
using CategoryShares = std::array<double, static_cast<std::size_t>(kCategoryCount)>;

/// Mean shares between neighbours of `edges` (picoseconds, ascending), over the pipeline's ranks. An
/// overlapped pair is half forward and half backward, as in the statistics.
[[nodiscard]] std::vector<CategoryShares> shares_over_time(const RunView& run,
                                                           const std::vector<double>& edges);

/// Ranks of A minus ranks of B by category, at each instant of A's time t0 to t1 and the time of B that
/// `map` puts beside it: upwards what A has more of, downwards what B has more of. Waiting has no place in
/// it: what one run does and the other does not, stands on one side alone. The first pixel is at `left`.
[[nodiscard]] Chart difference_over_time(const RunView& a, const RunView& b, const TimeMap& map, double t0,
                                         double t1, double left, double width, double height,
                                         const TextMetrics& text);

}  // namespace orrery::gui
