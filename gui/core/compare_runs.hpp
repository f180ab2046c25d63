#pragma once

#include <optional>

#include "gui/core/result_charts.hpp"
#include "gui/core/timeline_scene.hpp"

namespace orrery::gui {

// Two runs beside each other. A is the present run, B the one kept; differences are A - B.

/// The slice of `b` that does what the pipeline slice of `a` does: same kind, stage and microbatch; nullopt
/// where there is none.
[[nodiscard]] std::optional<SliceId> same_work(const RunView& a, const SliceId& slice, const RunView& b);
/// Inputs that differ, with both values.
[[nodiscard]] Table changed_inputs(const RunView& a, const RunView& b);
/// Headline figures of both, difference in the unit and in percent.
[[nodiscard]] Table changed_results(const RunView& a, const RunView& b);
/// From B's step time by cause to A's, as falling and rising bars.
[[nodiscard]] Chart difference_chart(const RunView& a, const RunView& b, double width, double height,
                                     const TextMetrics& text, int selected);

}  // namespace orrery::gui
