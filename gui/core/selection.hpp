#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gui/core/timeline_scene.hpp"
#include "sim/report/table.hpp"

namespace orrery::gui {

/// Time by category over a stretch of rows: exactly the parts of the slices inside it.
struct CategoryTime {
  Ink ink = Ink::kOther;
  std::int64_t ps = 0;
  std::size_t slices = 0;  ///< that lie in the stretch, wholly or in part
};
/// In the order of the categories, without those that have no time.
[[nodiscard]] std::vector<CategoryTime> time_by_category(const std::vector<const TimelineRow*>& rows,
                                                         std::int64_t t0, std::int64_t t1);

/// What the statistics panel shows: the dragged range, else the whole step over the rows shown. Pairs count
/// as forward and backward in halves.
[[nodiscard]] Table statistics(const RunView& run, const TimelineState& state);
/// One sentence about where the statistics come from.
[[nodiscard]] std::string statistics_scope(const RunView& run, const TimelineState& state);

/// The selected slice in words and numbers, (name, value with unit); empty without one.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> details(const RunView& run,
                                                                       const TimelineState& state);
/// "rank 2, backward, microbatch 12, 41.3 ms": what a screen reader speaks.
[[nodiscard]] std::string spoken(const RunView& run, const TimelineState& state);

}  // namespace orrery::gui
