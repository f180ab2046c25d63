#include "calibrate/plot/chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace orrery {
namespace {

constexpr double kWidth = 620, kHeight = 380, kLeft = 76, kRight = 16, kTop = 34, kBottom = 52;

struct Axis {
  bool logarithmic = true;
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();

  [[nodiscard]] bool fits(double v) const { return std::isfinite(v) && (!logarithmic || v > 0); }
  [[nodiscard]] double scaled(double v) const { return logarithmic ? std::log10(v) : v; }
  void include(double v) {
    if (!fits(v)) return;
    low = std::min(low, scaled(v));
    high = std::max(high, scaled(v));
  }
  void widen() {
    const double margin = std::max(1e-9, 0.04 * (high - low));
    low -= margin;
    high += margin;
  }
  /// 0 to 1.
  [[nodiscard]] double part(double v) const { return (scaled(v) - low) / (high - low); }

  [[nodiscard]] std::vector<double> ticks() const {
    std::vector<double> out;
    if (logarithmic) {
      const double step = std::max(1.0, std::ceil((high - low) / 7));
      for (double e = std::ceil(low); e <= high; e += step) out.push_back(std::pow(10, e));
      if (out.size() >= 2) return out;
      out.clear();
      for (double e = std::floor(low); e <= high; e += 1)
        for (const double m : {1.0, 2.0, 5.0})
          if (e + std::log10(m) >= low && e + std::log10(m) <= high) out.push_back(m * std::pow(10, e));
      return out;
    }
    const double rough = (high - low) / 6, unit = std::pow(10, std::floor(std::log10(rough)));
    double step = unit;
    for (const double m : {1.0, 2.0, 5.0, 10.0})
      if (m * unit >= rough) {
        step = m * unit;
        break;
      }
    for (double v = std::ceil(low / step) * step; v <= high + 1e-12; v += step) out.push_back(v);
    return out;
  }
};

std::string number_text(double v) {
  const double size = std::abs(v);
  for (const auto& [unit, letter] : {std::pair{1e15, "P"}, std::pair{1e12, "T"}, std::pair{1e9, "G"},
                                     std::pair{1e6, "M"}, std::pair{1e3, "k"}})
    if (size >= unit) return fmt::format("{:g}{}", v / unit, letter);
  if (size > 0 && size < 1e-3) return fmt::format("{:g}u", v * 1e6);
  if (size > 0 && size < 1) return fmt::format("{:g}", std::round(v * 1e4) / 1e4);
  return fmt::format("{:g}", v);
}

double x_of(const Axis& axis, double v) {
  return kLeft + axis.part(v) * (kWidth - kLeft - kRight);
}
double y_of(const Axis& axis, double v) {
  return kHeight - kBottom - axis.part(v) * (kHeight - kTop - kBottom);
}

std::string frame(const Chart& chart, const Axis& x, const Axis& y) {
  std::string out;
  for (const double v : x.ticks())
    out += fmt::format(
        "<line x1='{0:.1f}' x2='{0:.1f}' y1='{1}' y2='{2}' class='g'/>"
        "<text x='{0:.1f}' y='{3}' text-anchor='middle'>{4}</text>\n",
        x_of(x, v), kTop, kHeight - kBottom, kHeight - kBottom + 16, number_text(v));
  for (const double v : y.ticks())
    out += fmt::format(
        "<line x1='{0}' x2='{1}' y1='{2:.1f}' y2='{2:.1f}' class='g'/>"
        "<text x='{3}' y='{4:.1f}' text-anchor='end'>{5}</text>\n",
        kLeft, kWidth - kRight, y_of(y, v), kLeft - 6, y_of(y, v) + 4, number_text(v));
  out += fmt::format("<text x='{}' y='18' class='t'>{}</text>\n", kLeft, escape_markup(chart.title));
  out += fmt::format("<text x='{}' y='{}' text-anchor='middle'>{}</text>\n", (kLeft + kWidth - kRight) / 2,
                     kHeight - 14, escape_markup(chart.x_label));
  out += fmt::format("<text transform='translate(14 {}) rotate(-90)' text-anchor='middle'>{}</text>\n",
                     (kTop + kHeight - kBottom) / 2, escape_markup(chart.y_label));
  return out;
}

std::string drawn(const Series& s, const Axis& x, const Axis& y) {
  std::string out;
  if (s.line) {
    for (const auto& [px, py] : s.points)
      if (x.fits(px) && y.fits(py)) out += fmt::format("{:.1f},{:.1f} ", x_of(x, px), y_of(y, py));
    return fmt::format("<polyline points='{}' fill='none' stroke='{}' stroke-width='1.8'/>\n", out, s.colour);
  }
  for (const auto& [px, py] : s.points)
    if (x.fits(px) && y.fits(py))
      out += fmt::format("<circle cx='{:.1f}' cy='{:.1f}' r='1.8' fill='{}' fill-opacity='.55'/>\n",
                         x_of(x, px), y_of(y, py), s.colour);
  return out;
}

}  // namespace

std::string escape_markup(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else
      out += c;
  }
  return out;
}

std::string to_svg(const Chart& chart) {
  Axis x{.logarithmic = chart.log_x}, y{.logarithmic = chart.log_y};
  for (const Series& s : chart.series)
    for (const auto& [px, py] : s.points)
      if (x.fits(px) && y.fits(py)) {
        x.include(px);
        y.include(py);
      }
  if (!(x.high >= x.low)) return "";
  for (const double level : chart.levels) y.include(level);
  x.widen();
  y.widen();
  std::string out =
      fmt::format("<svg viewBox='0 0 {0} {1}' width='{0}' height='{1}' role='img' aria-label='{2}'>\n",
                  kWidth, kHeight, escape_markup(chart.title));
  out += frame(chart, x, y);
  for (const double level : chart.levels)
    out += fmt::format("<line x1='{}' x2='{}' y1='{:.1f}' y2='{:.1f}' class='l'/>\n", kLeft, kWidth - kRight,
                       y_of(y, level), y_of(y, level));
  double legend = kTop + 14;
  for (const Series& s : chart.series) out += drawn(s, x, y);
  for (const Series& s : chart.series) {
    if (s.label.empty()) continue;
    out += fmt::format(
        "<rect x='{}' y='{:.1f}' width='10' height='10' fill='{}'/><text x='{}' y='{:.1f}'>{}</text>\n",
        kLeft + 8, legend - 9, s.colour, kLeft + 23, legend, escape_markup(s.label));
    legend += 15;
  }
  return out + "</svg>\n";
}

}  // namespace orrery
