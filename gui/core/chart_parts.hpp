#pragma once

#include <string>
#include <vector>

#include "gui/core/scene.hpp"
#include "gui/core/timeline_scene.hpp"

namespace orrery::gui {

// Pieces that the charts share.

/// Values from `low` at pixel `a` to `high` at pixel `b`, linear or logarithmic.
struct Scale {
  double low = 0, high = 1, a = 0, b = 1;
  bool logarithmic = false;
  [[nodiscard]] double at(double value) const;
};
/// A scale that covers low .. high with a little air, never empty.
[[nodiscard]] Scale make_scale(double low, double high, double a, double b, bool logarithmic);

/// The plot area inside a chart after title, axis numbers and labels have their room.
[[nodiscard]] Box plot_area(double width, double height, double left_ems, double bottom_ems,
                            const TextMetrics& text);
void add_title(Scene& scene, const std::string& title, const TextMetrics& text);
/// Numbers and lines of a vertical or horizontal axis; at most one number in `apart` pixels.
void add_y_axis(Scene& scene, const Box& plot, const Scale& y, const std::string& unit,
                const TextMetrics& text);
void add_x_axis(Scene& scene, const Box& plot, const Scale& x, const std::string& label,
                const TextMetrics& text);
/// `text` shortened with an ellipsis until it fits.
[[nodiscard]] std::string fitted_text(const std::string& text, double width, const TextMetrics& metrics);
/// `text` in lines that fit `width`, broken between words; a word that is wider alone has a line to itself.
[[nodiscard]] std::vector<std::string> wrapped_text(const std::string& text, double width,
                                                    const TextMetrics& metrics);
/// A background and the title; the scene a chart starts with.
[[nodiscard]] Scene start_chart(double width, double height, const std::string& title,
                                const TextMetrics& text);
/// Rows of bars that are lower than this have no room for their words.
inline constexpr double kLeastRowEms = 0.72;
inline constexpr const char* kTooLow = "Too low to draw; see the table.";
/// A chart with only a sentence in the middle.
[[nodiscard]] Scene sentence_chart(double width, double height, const std::string& sentence);

}  // namespace orrery::gui
