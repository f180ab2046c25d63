#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "gui/core/step_rows.hpp"

namespace orrery::gui {

/// Where a row stands; `y` is relative to the top of the rows and already scrolled.
struct RowBox {
  const TimelineRow* row = nullptr;
  double y = 0, h = 0;
  bool pinned = false;
};

struct LaneLayout {
  std::vector<RowBox> rows;  ///< pinned ones first, they do not scroll
  double pinned_height = 0;
  double content_height = 0;  ///< of the rows that scroll
};

/// Heights by kind of row, in pixels, for a font of `em` pixels.
[[nodiscard]] double row_height(const TimelineRow& row, double em);
/// Stacks the rows; a name among `pins` goes to the top and stays there. `scroll` in pixels.
[[nodiscard]] LaneLayout lay_out(std::span<const TimelineRow* const> rows, std::span<const std::string> pins,
                                 double scroll, double em);
/// Index into `rows` of the row at height `y`, or -1; pinned rows cover those that scroll below them.
[[nodiscard]] int row_at(const LaneLayout& layout, double y);
/// `scroll` kept between nothing and the last row at the bottom of `height`.
[[nodiscard]] double clamped_scroll(const LaneLayout& layout, double scroll, double height);

}  // namespace orrery::gui
