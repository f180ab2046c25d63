#include "gui/core/lane_layout.hpp"

#include <algorithm>
#include <cmath>

namespace orrery::gui {

double row_height(const TimelineRow& row, double em) {
  switch (row.kind) {
    case RowKind::kCounter: return std::round(em * 4.4);
    case RowKind::kCriticalPath: return std::round(em * 1.5);
    case RowKind::kHeat: return std::round(em * 2.4);
    case RowKind::kTrace:
    case RowKind::kStream: return std::round(em * 2.4);
    case RowKind::kPipelineRank: return std::round(em * 1.5);
  }
  return em * 2;
}

LaneLayout lay_out(std::span<const TimelineRow* const> rows, std::span<const std::string> pins, double scroll,
                   double em) {
  LaneLayout out;
  const auto pinned = [&](const TimelineRow& row) {
    return std::find(pins.begin(), pins.end(), row.name) != pins.end();
  };
  for (const TimelineRow* row : rows) {
    if (!pinned(*row)) continue;
    const double h = row_height(*row, em);
    out.rows.push_back({row, out.pinned_height, h, true});
    out.pinned_height += h;
  }
  for (const TimelineRow* row : rows) {
    if (pinned(*row)) continue;
    const double h = row_height(*row, em);
    out.rows.push_back({row, out.pinned_height + out.content_height - scroll, h, false});
    out.content_height += h;
  }
  return out;
}

int row_at(const LaneLayout& layout, double y) {
  for (std::size_t i = 0; i < layout.rows.size(); ++i) {
    const RowBox& box = layout.rows[i];
    if (!box.pinned && y < layout.pinned_height) continue;
    if (y >= box.y && y < box.y + box.h) return static_cast<int>(i);
  }
  return -1;
}

double clamped_scroll(const LaneLayout& layout, double scroll, double height) {
  return std::clamp(scroll, 0.0, std::max(0.0, layout.pinned_height + layout.content_height - height));
}

}  // namespace orrery::gui
