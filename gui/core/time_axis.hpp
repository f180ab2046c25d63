#pragma once

#include <string>
#include <vector>

namespace orrery::gui {

/// The shortest stretch of time a view can show, picoseconds.
inline constexpr double kShortestView = 1000;

/// Which stretch of time lies on which pixels. Times in picoseconds since the start of the step, kept as
/// doubles: exact to a picosecond up to 2.5 hours.
struct TimeAxis {
  double t0 = 0;    ///< time at `left`
  double t1 = 1;    ///< time at `left + width`; above t0
  double left = 0;  ///< pixels
  double width = 1;

  bool operator==(const TimeAxis&) const = default;
  [[nodiscard]] double span() const { return t1 - t0; }
  /// Nothing is clamped: times outside the view lie outside of its pixels.
  [[nodiscard]] double x(double t) const { return left + (t - t0) / span() * width; }
  [[nodiscard]] double t(double x_pixel) const { return t0 + (x_pixel - left) / width * span(); }
  [[nodiscard]] double per_pixel() const { return span() / width; }
};

/// All views below stay inside low .. total and show at least kShortestView (or everything, where that is
/// shorter).
[[nodiscard]] TimeAxis fitted(TimeAxis axis, double total, double low = 0);
/// The same pixels over t0 .. t1; the ends may stand in either order.
[[nodiscard]] TimeAxis showing(TimeAxis axis, double t0, double t1, double total, double low = 0);
/// `factor` > 1 shows less time; what lies at `x_pixel` stays there.
[[nodiscard]] TimeAxis zoomed(const TimeAxis& axis, double factor, double x_pixel, double total,
                              double low = 0);
/// Moves the view by pixels; > 0 shows later times.
[[nodiscard]] TimeAxis panned(const TimeAxis& axis, double pixels, double total, double low = 0);

struct Tick {
  double t = 0;
  std::string label;  ///< with unit
};
/// Round times (1, 2 or 5 times a power of ten) at least `apart` pixels from one another.
[[nodiscard]] std::vector<Tick> ticks(const TimeAxis& axis, double apart);

/// "18.99 s", "41.3 ms", "3.2 us": four digits, unit by size. For picoseconds.
[[nodiscard]] std::string time_text(double ps);

}  // namespace orrery::gui
