#pragma once

#include <iosfwd>
#include <string>

#include "planner/schedule_bars.hpp"

namespace orrery {

/// A colour with what it means.
struct Ink {
  const char* color;
  const char* label;
};

[[nodiscard]] const Ink& ink_of(BarKind kind);
/// Behind the bars: a rank that waits.
[[nodiscard]] const Ink& waiting_ink();

/// Where the time of a picture runs, in its units (pixels at 100 %).
struct TimeAxis {
  double left = 0;
  double width = 0;
  double total_s = 0;  ///< at left + width

  [[nodiscard]] double x(std::int64_t ps) const { return left + static_cast<double>(ps) * 1e-12 * per_s(); }
  [[nodiscard]] double per_s() const { return width / total_s; }
};

/// Plain text as it may stand between tags.
[[nodiscard]] std::string svg_escaped(const std::string& text);
/// Opens a white picture with a title at `left` on its first line; closed by "</svg>".
void svg_open(std::ostream& out, double width, double height, double left, const std::string& title);
void svg_box(std::ostream& out, double left, double right, double top, double height, const Ink& ink);
/// The colours with their meanings on one line, and below it how a pair is drawn; 34 high.
void svg_legend(std::ostream& out, double left, double top);
/// Ticks from `y` down with their seconds; 24 high.
void svg_axis(std::ostream& out, const TimeAxis& axis, double y);

}  // namespace orrery
