#include "gui/core/time_axis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace orrery::gui {
namespace {

struct TimeUnit {
  double ps;
  const char* name;
};
constexpr std::array<TimeUnit, 5> kUnits{{{1e12, "s"}, {1e9, "ms"}, {1e6, "us"}, {1e3, "ns"}, {1, "ps"}}};

const TimeUnit& unit_for(double ps) {
  for (const TimeUnit& unit : kUnits) {
    if (std::abs(ps) >= unit.ps) return unit;
  }
  return kUnits.back();
}

double length(double total, double low) {
  return std::max(total - low, 1.0);
}

TimeAxis inside(TimeAxis axis, double total, double low) {
  const double whole = length(total, low);
  const double span = std::clamp(axis.span(), std::min(kShortestView, whole), whole);
  axis.t0 = std::clamp(axis.t0, low, low + whole - span);
  axis.t1 = axis.t0 + span;
  return axis;
}

}  // namespace

TimeAxis fitted(TimeAxis axis, double total, double low) {
  axis.t0 = low;
  axis.t1 = low + length(total, low);
  return axis;
}

TimeAxis showing(TimeAxis axis, double t0, double t1, double total, double low) {
  axis.t0 = std::min(t0, t1);
  axis.t1 = std::max(t0, t1);
  const double short_by = std::min(kShortestView, length(total, low)) - axis.span();
  if (short_by > 0) {
    axis.t0 -= short_by / 2;
    axis.t1 += short_by / 2;
  }
  return inside(axis, total, low);
}

TimeAxis zoomed(const TimeAxis& axis, double factor, double x_pixel, double total, double low) {
  const double whole = length(total, low);
  const double span = std::clamp(axis.span() / factor, std::min(kShortestView, whole), whole);
  const double at = axis.t(x_pixel);
  TimeAxis out = axis;
  out.t0 = at - (x_pixel - axis.left) / axis.width * span;
  out.t1 = out.t0 + span;
  return inside(out, total, low);
}

TimeAxis panned(const TimeAxis& axis, double pixels, double total, double low) {
  TimeAxis out = axis;
  const double by = std::clamp(pixels * axis.per_pixel(), low - total, total - low);
  out.t0 += by;
  out.t1 += by;
  return inside(out, total, low);
}

std::vector<Tick> ticks(const TimeAxis& axis, double apart) {
  std::vector<Tick> out;
  if (axis.width < 1 || axis.span() <= 0) return out;
  const double least = axis.per_pixel() * std::max(apart, 1.0);
  double step = std::pow(10.0, std::floor(std::log10(least)));
  for (double factor : {1.0, 2.0, 5.0, 10.0}) {
    if (step * factor >= least * (1 - 1e-9)) {
      step *= factor;
      break;
    }
  }
  // Seconds as long as four decimals tell the ticks apart, else the unit below.
  const TimeUnit& whole = unit_for(std::max(axis.t1, 1.0));
  const TimeUnit& unit = step / whole.ps >= 0.9e-4 ? whole : unit_for(std::max(step, axis.t1 / 1000));
  const double relative = step / unit.ps;
  const int digits = relative >= 1 ? 0 : static_cast<int>(std::ceil(-std::log10(relative) - 1e-9));
  for (double n = std::ceil(axis.t0 / step - 1e-9) + 0.0; n * step <= axis.t1 * (1 + 1e-12); ++n) {
    out.push_back({n * step, fmt::format("{:.{}f} {}", n * step / unit.ps, digits, unit.name)});
    if (out.size() > 500) break;
  }
  return out;
}

std::string time_text(double ps) {
  if (ps == 0) return "0 s";
  const TimeUnit& unit = unit_for(ps);
  const double value = ps / unit.ps;
  const double size = std::abs(value);
  const int digits = unit.ps == 1 ? 0 : size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3;
  return fmt::format("{:.{}f} {}", value, digits, unit.name);
}

}  // namespace orrery::gui
