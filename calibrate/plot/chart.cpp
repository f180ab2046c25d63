#include "calibrate/plot/chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace orrery {
namespace {

constexpr double kWidth = 620, kHeight = 380, kLeft = 76, kRight = 16, kTop = 34, kBottom = 52,
                 kLegendRow = 15;

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
      if (out.size() >= 3) return out;
      // A short axis: ever finer steps within a decade, until there are three.
      for (const std::vector<double>& steps :
           {std::vector{1.0, 2.0, 5.0}, std::vector{1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 7.0},
            std::vector{1.0, 1.05, 1.1, 1.2, 1.3, 1.5, 1.7, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0,
                        9.5}}) {
        out.clear();
        for (double e = std::floor(low); e <= high; e += 1)
          for (const double m : steps)
            if (e + std::log10(m) >= low && e + std::log10(m) <= high) out.push_back(m * std::pow(10, e));
        if (out.size() >= 3) break;
      }
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
  if (size > 0 && size < 0.99e-3) return fmt::format("{:g}u", v * 1e6);
  if (size > 0 && size < 0.05) return fmt::format("{:g}m", v * 1e3);
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

/// The names stand below the drawing, in two columns: over it they would hide points.
std::vector<const Series*> named_series(const Chart& chart) {
  std::vector<const Series*> named;
  for (const Series& s : chart.series)
    if (!s.label.empty()) named.push_back(&s);
  return named;
}
std::size_t legend_rows(std::size_t names) {
  return (names + 1) / 2;
}
double height_of(std::size_t names) {
  return kHeight + kLegendRow * static_cast<double>(legend_rows(names));
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
  const std::vector<const Series*> named = named_series(chart);
  const std::size_t rows = legend_rows(named.size());
  const double height = height_of(named.size());
  std::string out =
      fmt::format("<svg viewBox='0 0 {0} {1}' width='{0}' height='{1}' role='img' aria-label='{2}'>\n",
                  kWidth, height, escape_markup(chart.title));
  out += frame(chart, x, y);
  for (const double level : chart.levels)
    out += fmt::format("<line x1='{}' x2='{}' y1='{:.1f}' y2='{:.1f}' class='l'/>\n", kLeft, kWidth - kRight,
                       y_of(y, level), y_of(y, level));
  for (const Series& s : chart.series) out += drawn(s, x, y);
  if (!chart.levels.empty() && !chart.level_label.empty())
    out += fmt::format("<text x='{}' y='{:.1f}' class='v'>{}</text>\n", kLeft + 4,
                       y_of(y, chart.levels.front()) - 4, escape_markup(chart.level_label));
  for (std::size_t i = 0; i < named.size(); ++i) {
    const double left = i < rows ? kLeft : (kLeft + kWidth) / 2;
    const double base = kHeight + kLegendRow * static_cast<double>(i % rows) + 6;
    out += fmt::format(
        "<rect x='{}' y='{:.1f}' width='10' height='10' fill='{}'/><text x='{}' y='{:.1f}'>{}</text>\n", left,
        base - 9, named[i]->colour, left + 15, base, escape_markup(named[i]->label));
  }
  return out + "</svg>\n";
}

std::string stacked(const std::vector<Chart>& charts, const std::string& style) {
  constexpr double kGap = 12;
  std::string body;
  double below = kGap;
  for (const Chart& chart : charts) {
    const std::string svg = to_svg(chart);
    if (svg.empty()) continue;
    body += fmt::format("<g transform='translate({} {})'>\n{}</g>\n", kGap, below, svg);
    below += height_of(named_series(chart).size()) + kGap;
  }
  if (body.empty()) return "";
  return fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' width='{0}' height='{1}' viewBox='0 0 {0} {1}' "
      "font-family='sans-serif'>\n<style>{2}</style>\n<rect width='100%' height='100%' "
      "fill='white'/>\n{3}</svg>\n",
      kWidth + 2 * kGap, below, style, body);
}

}  // namespace orrery
