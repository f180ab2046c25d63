#pragma once

#include <string>
#include <vector>

#include "planner/report/document.hpp"

namespace orrery {

/// Shapes in points, origin at the top left; what an SVG or PDF writer strokes and fills.
struct Shape {
  enum class Kind { kRect, kLine, kPolyline, kText };
  enum class Anchor { kStart, kMiddle, kEnd };
  Kind kind = Kind::kRect;
  double x = 0, y = 0;           ///< rectangle: top left; text: baseline; line: from
  double width = 0, height = 0;  ///< rectangle; line: to - from
  std::vector<std::pair<double, double>> points = {};
  std::string role;  ///< of colour: "ink", "faint", "grid" or one of the categories
  std::string text = {};
  Anchor anchor = Anchor::kStart;
  double size = 9;  ///< of text
};

struct Drawing {
  double width = 0, height = 0;
  std::vector<Shape> shapes;
};

/// Bars with their labels, values, axis, markers and legend, or lines with axes. Deterministic.
[[nodiscard]] Drawing draw(const Chart& chart, double width = 520);

/// Colour of a role in light and dark, "#rrggbb": the Okabe-Ito family, told apart by people who confuse red
/// and green. Unknown roles are grey.
struct RoleColour {
  const char* light;
  const char* dark;
};
[[nodiscard]] RoleColour colour_of(const std::string& role);
[[nodiscard]] const std::vector<std::string>& known_roles();

}  // namespace orrery
