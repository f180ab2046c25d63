#pragma once

#include <string>
#include <utility>
#include <vector>

namespace orrery {

/// One set of points or one line of a chart. Points whose coordinate does not fit a logarithmic axis are left
/// out.
struct Series {
  std::string label = {};
  std::string colour = {};  ///< of SVG
  std::vector<std::pair<double, double>> points = {};
  bool line = false;
};

/// A chart with labelled axes.
struct Chart {
  std::string title = {}, x_label = {}, y_label = {};
  bool log_x = true, log_y = true;
  std::vector<Series> series = {};
  std::vector<double> levels = {};  ///< horizontal lines
  std::string level_label = {};     ///< written at the first of them
};

/// SVG text of a chart; "" when no point is left to draw. Numbers with three digits, so same input, same
/// bytes.
[[nodiscard]] std::string to_svg(const Chart& chart);

/// The charts as one SVG document, one below the other; "" when none has a point. `style`: CSS.
[[nodiscard]] std::string stacked(const std::vector<Chart>& charts, const std::string& style);

/// Text for HTML and SVG.
[[nodiscard]] std::string escape_markup(const std::string& text);

}  // namespace orrery
