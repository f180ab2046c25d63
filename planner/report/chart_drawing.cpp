#include "planner/report/chart_drawing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "planner/rounded_parts.hpp"

namespace orrery {
namespace {

constexpr double kText = 9;
constexpr double kRowHeight = 18;
constexpr double kBarHeight = 11;
constexpr double kLabelWidth = 170;
constexpr double kValueWidth = 96;

struct Role {
  const char* name;
  RoleColour colour;
};

constexpr std::array kRoles{
    Role{"ink", {"#1a1a1a", "#e8e8e8"}},       Role{"faint", {"#5f5f5f", "#a8a8a8"}},
    Role{"grid", {"#d4d4d4", "#444444"}},      Role{"compute", {"#0072b2", "#56a5dc"}},
    Role{"loss", {"#e69f00", "#f0b840"}},      Role{"recompute", {"#56b4e9", "#8fd0f5"}},
    Role{"expert", {"#cc79a7", "#e0a0c4"}},    Role{"pipeline", {"#b8a800", "#f0e442"}},
    Role{"optimizer", {"#d55e00", "#f08a40"}}, Role{"weights", {"#0072b2", "#56a5dc"}},
    Role{"gradients", {"#009e73", "#40c8a0"}}, Role{"activations", {"#e69f00", "#f0b840"}},
    Role{"other", {"#8a8a8a", "#909090"}},     Role{"idle", {"#bdbdbd", "#6a6a6a"}},
    Role{"low", {"#009e73", "#40c8a0"}},       Role{"high", {"#d55e00", "#f08a40"}}};

/// Steps of 1, 2 or 5 times a power of ten, at most `most` of them over `span`.
double tick_step(double span, int most) {
  if (!(span > 0)) return 1;
  const double rough = span / most;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0, 10.0}) {
    if (factor * power >= rough * (1 - 1e-12)) return factor * power;
  }
  return 10.0 * power;
}

std::string tick_text(double value, double step) {
  return decimal_text(value, std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9))));
}

class Pen {
 public:
  explicit Pen(double width) { out.width = width; }
  void rect(double x, double y, double w, double h, std::string role) {
    out.shapes.push_back(
        {.kind = Shape::Kind::kRect, .x = x, .y = y, .width = w, .height = h, .role = std::move(role)});
  }
  void line(double x, double y, double to_x, double to_y, std::string role) {
    out.shapes.push_back({.kind = Shape::Kind::kLine,
                          .x = x,
                          .y = y,
                          .width = to_x - x,
                          .height = to_y - y,
                          .role = std::move(role)});
  }
  void text(double x, double y, std::string words, Shape::Anchor anchor, std::string role = "ink") {
    out.shapes.push_back({.kind = Shape::Kind::kText,
                          .x = x,
                          .y = y,
                          .role = std::move(role),
                          .text = std::move(words),
                          .anchor = anchor,
                          .size = kText});
  }
  Drawing out;
};

struct Range {
  double low = 0, high = 1;
  [[nodiscard]] double at(double value, double from, double to) const {
    return from + (value - low) / (high - low) * (to - from);
  }
};

Range range_of(double low, double high) {
  if (high <= low) high = low + 1;
  return {low, high};
}

double add_legend(const Chart& chart, Pen& pen, double x, double y) {
  for (const auto& [role, text] : chart.legend) {
    const double width = 16.0 + 5.2 * static_cast<double>(text.size()) + 10.0;
    if (x + width > pen.out.width && x > kLabelWidth) {
      x = kLabelWidth;
      y += 14;
    }
    pen.rect(x, y - 8, 10, 8, role);
    pen.text(x + 14, y, text, Shape::Anchor::kStart, "faint");
    x += width;
  }
  return chart.legend.empty() ? y - 14 : y;
}

Drawing draw_bars(const Chart& chart, double width) {
  Pen pen(width);
  double low = 0;
  double high = 0;
  bool first = true;
  const auto take = [&](double v) {
    low = first ? v : std::min(low, v);
    high = first ? v : std::max(high, v);
    first = false;
  };
  for (const ChartRow& row : chart.rows) {
    for (const ChartSegment& s : row.segments) {
      take(s.from);
      take(s.to);
    }
  }
  for (const auto& [value, label] : chart.markers) take(value);
  if (first) return {};
  const Range axis = range_of(low, high);
  const double left = kLabelWidth;
  const double right = width - kValueWidth;
  const double top = chart.markers.empty() ? 4 : 16;
  const double bottom = top + kRowHeight * static_cast<double>(chart.rows.size());
  const double step = tick_step(axis.high - axis.low, 5);
  for (double v = std::ceil(axis.low / step - 1e-9) * step; v <= axis.high + step * 1e-6; v += step) {
    const double x = axis.at(v, left, right);
    pen.line(x, top, x, bottom, "grid");
    pen.text(x, bottom + 11, tick_text(v, step), Shape::Anchor::kMiddle, "faint");
  }
  pen.text(width, bottom + 11, chart.x_label, Shape::Anchor::kEnd, "faint");
  double y = top;
  for (const ChartRow& row : chart.rows) {
    pen.text(left - 6, y + 12, row.label, Shape::Anchor::kEnd);
    for (const ChartSegment& s : row.segments) {
      const double from = axis.at(std::min(s.from, s.to), left, right);
      const double to = axis.at(std::max(s.from, s.to), left, right);
      if (s.from != s.to) pen.rect(from, y + 3, std::max(0.6, to - from), kBarHeight, s.role);
    }
    pen.text(right + 6, y + 12, row.text, Shape::Anchor::kStart);
    y += kRowHeight;
  }
  for (const auto& [value, label] : chart.markers) {
    const double x = axis.at(value, left, right);
    pen.line(x, top - 4, x, bottom, "ink");
    pen.text(x, top - 6, label, x > (left + right) / 2 ? Shape::Anchor::kEnd : Shape::Anchor::kStart, "ink");
  }
  pen.out.height = add_legend(chart, pen, left, bottom + 28) + 6;
  return std::move(pen.out);
}

Drawing draw_lines(const Chart& chart, double width) {
  Pen pen(width);
  double x_low = 0, x_high = 0, y_high = 0;
  bool first = true;
  for (const ChartSeries& s : chart.series) {
    for (const auto& [x, y] : s.points) {
      x_low = first ? x : std::min(x_low, x);
      x_high = first ? x : std::max(x_high, x);
      y_high = first ? y : std::max(y_high, y);
      first = false;
    }
  }
  for (const auto& [value, label] : chart.markers) y_high = std::max(y_high, value);
  if (first) return {};
  const Range x_axis = range_of(x_low, x_high);
  const Range y_axis = range_of(0, y_high * 1.05);
  constexpr double kHeight = 170;
  const double left = 52, right = width - 12, top = 16, bottom = top + kHeight;
  const double y_step = tick_step(y_axis.high, 5);
  for (double v = 0; v <= y_axis.high; v += y_step) {
    const double y = y_axis.at(v, bottom, top);
    pen.line(left, y, right, y, "grid");
    pen.text(left - 5, y + 3, tick_text(v, y_step), Shape::Anchor::kEnd, "faint");
  }
  const double x_step = tick_step(x_axis.high - x_axis.low, 8);
  for (double v = std::ceil(x_axis.low / x_step - 1e-9) * x_step; v <= x_axis.high + x_step * 1e-6;
       v += x_step) {
    const double x = x_axis.at(v, left, right);
    pen.line(x, bottom, x, bottom + 3, "faint");
    pen.text(x, bottom + 13, tick_text(v, x_step), Shape::Anchor::kMiddle, "faint");
  }
  pen.text(left, top - 5, chart.y_label, Shape::Anchor::kStart, "faint");
  pen.text(right, bottom + 25, chart.x_label, Shape::Anchor::kEnd, "faint");
  for (const ChartSeries& s : chart.series) {
    Shape line{.kind = Shape::Kind::kPolyline, .role = s.role};
    for (const auto& [x, y] : s.points)
      line.points.emplace_back(x_axis.at(x, left, right), y_axis.at(y, bottom, top));
    if (s.line) pen.out.shapes.push_back(line);
    if (s.line && s.points.size() > 12) continue;
    for (const auto& [x, y] : line.points) pen.rect(x - 2.5, y - 2.5, 5, 5, s.role);
  }
  for (const auto& [value, label] : chart.markers) {
    const double y = y_axis.at(value, bottom, top);
    pen.line(left, y, right, y, "ink");
    // Below a line near the bottom, where no curve runs.
    pen.text(right, value < 0.25 * y_high ? y + 11 : y - 3, label, Shape::Anchor::kEnd);
  }
  pen.out.height = add_legend(chart, pen, left, bottom + 40) + 6;
  return std::move(pen.out);
}

}  // namespace

Drawing draw(const Chart& chart, double width) {
  return chart.rows.empty() ? draw_lines(chart, width) : draw_bars(chart, width);
}

RoleColour colour_of(const std::string& role) {
  for (const Role& known : kRoles) {
    if (role == known.name) return known.colour;
  }
  return {"#8a8a8a", "#909090"};
}

const std::vector<std::string>& known_roles() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (const Role& role : kRoles) names.emplace_back(role.name);
    return names;
  }();
  return kNames;
}

}  // namespace orrery
