#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "gui/core/chart_parts.hpp"
#include "gui/core/plan_charts.hpp"

namespace orrery::gui {
namespace {

constexpr std::array<const char*, 4> kResults{"step_time_s", "peak_bytes", "days", "usd"};
/// An axis with more values than these has no words at them.
constexpr std::size_t kMostWords = 24;

/// One axis: words of a key at even distances, or a figure on a scale.
struct Axis {
  std::string name;
  std::string key;                 ///< empty: a figure
  std::vector<std::string> words;  ///< of a key, lowest first
  std::size_t metric = 0;
  Scale scale;
  double low = 0, high = 0;  ///< of the figure
  double x = 0, room = 0;    ///< pixels; room for words to its right

  [[nodiscard]] double y_of_word(std::size_t word, const Box& plot) const {
    const double last = static_cast<double>(words.size()) - 1;
    return plot.y + plot.h * (last < 1 ? 0.5 : 1 - static_cast<double>(word) / last);
  }
  [[nodiscard]] std::string end_text(double value) const {
    return digits_text(value, 3) + " " + std::string(shown_unit(metric).unit);
  }
  [[nodiscard]] double widest(const TextMetrics& text) const {
    double most = std::max(text.width(end_text(low)), text.width(end_text(high)));
    if (!key.empty()) most = 0;
    for (const std::string& word : words) most = std::max(most, text.width(word));
    return most;
  }
};

std::vector<Axis> make_axes(const PlanItems& items, const std::vector<std::string>& keys, const Box& plot) {
  std::vector<Axis> axes;
  for (const std::string& key : keys) {
    // Layers per stage follow from the rest and are too long for an axis.
    if (key == "layout.stage_layers") continue;
    axes.push_back({.name = key.substr(key.rfind('.') + 1),
                    .key = key,
                    .words = distinct_values(items, key),
                    .scale = {}});
  }
  for (const char* name : kResults) {
    Axis axis{.name = {},
              .key = {},
              .words = {},
              .metric = static_cast<std::size_t>(metric_index(name)),
              .scale = {}};
    axis.name = metric_label(axis.metric);
    axis.name.resize(axis.name.find(", "));
    axis.low = 1e300;
    axis.high = -1e300;
    for (const PlanItem& item : items) {
      const auto v = shown_value(item.row, axis.metric);
      if (v) axis.low = std::min(axis.low, *v), axis.high = std::max(axis.high, *v);
    }
    if (axis.low > axis.high) continue;  // nobody knows it
    axis.scale = make_scale(axis.low, axis.high, plot.y + plot.h, plot.y, false);
    axes.push_back(std::move(axis));
  }
  return axes;
}

/// Places the axes so that each has the room its words need, or a fair part of it.
void spread(std::vector<Axis>& axes, const Box& plot, const TextMetrics& text) {
  double wanted = 0;
  for (Axis& axis : axes) {
    axis.room = std::max(axis.widest(text) + text.em, text.em * 3);
    wanted += axis.room;
  }
  // The last one has its words to the right of the plot.
  const double stretch = wanted > 0 ? plot.w / wanted : 1;
  double x = plot.x;
  for (Axis& axis : axes) {
    axis.room *= stretch;
    axis.x = x;
    x += axis.room;
  }
}

void add_words(const Axis& axis, const Box& plot, const TextMetrics& text, SceneLayer& layer) {
  const auto put = [&](const std::string& words, double y, Ink ink) {
    const std::string shown = fitted_text(words, axis.room - 8, text);
    // Small letters, on a plate that keeps lines from striking them through.
    layer.rects.push_back({{axis.x + 3, y, text.width(shown) * 0.92, text.em}, Ink::kBackground});
    layer.texts.push_back(
        {{axis.x + 4, y, axis.room - 4, text.em}, shown, Align::kLeft, ink, Ink::kNone, false, true});
  };
  if (axis.key.empty()) {
    put(axis.end_text(axis.high), plot.y, Ink::kMutedText);
    put(axis.end_text(axis.low), plot.y + plot.h - text.em, Ink::kMutedText);
    return;
  }
  if (axis.words.size() > kMostWords) return;
  for (std::size_t v = 0; v < axis.words.size(); ++v)
    put(axis.words[v], axis.y_of_word(v, plot) - text.em / 2, Ink::kText);
}

SceneCurve curve_of(const PlanItem& item, const std::vector<Axis>& axes, const Box& plot) {
  SceneCurve curve;
  for (const Axis& axis : axes) {
    if (axis.key.empty()) {
      if (const auto v = shown_value(item.row, axis.metric))
        curve.points.push_back({axis.x, axis.scale.at(*v)});
      continue;
    }
    const auto at = std::find(axis.words.begin(), axis.words.end(), shown_input(item.row, axis.key));
    if (at == axis.words.end()) continue;
    curve.points.push_back({axis.x, axis.y_of_word(static_cast<std::size_t>(at - axis.words.begin()), plot)});
  }
  return curve;
}

}  // namespace

Chart parallel_chart(const PlanItems& items, const std::vector<std::string>& keys, double width,
                     double height, const TextMetrics& text, int selected) {
  Chart chart{{}, plan_table(items, keys)};
  const auto fits =
      std::count_if(items.begin(), items.end(), [](const PlanItem& item) { return item.row.status == "ok"; });
  if (fits == 0) {
    chart.scene = sentence_chart(
        width, height, items.empty() ? kNothingSearched : "No layout of the search fits: see Why not.");
    return chart;
  }
  chart.scene = start_chart(width, height, fmt::format("{} layouts that fit, one line each", fits), text);
  Box plot = plot_area(width, height, 2, 1.6, text);
  plot.y += text.em * 3;
  plot.h = std::max(1.0, plot.h - text.em * 3);
  std::vector<Axis> axes = make_axes(items, keys, plot);
  spread(axes, plot, text);
  SceneLayer& layer = chart.scene.layer();
  for (std::size_t a = 0; a < axes.size(); ++a) {
    const Axis& axis = axes[a];
    layer.lines.push_back({axis.x, plot.y, axis.x, plot.y + plot.h, Ink::kMutedText, 1});
    // Every second name a line higher, so that each has more room.
    const double line = plot.y - text.em * (a % 2 == 0 ? 1.7 : 2.9);
    const double next = a + 2 < axes.size() ? axes[a + 2].x : width;
    layer.texts.push_back(
        {{axis.x - 3, line, next - axis.x, text.em * 1.2}, fitted_text(axis.name, next - axis.x - 6, text)});
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].row.status != "ok") continue;
    const bool chosen = static_cast<int>(i) == selected;
    SceneCurve curve = curve_of(items[i], axes, plot);
    curve.ink = chosen ? Ink::kSelection : Ink::kGhost;
    curve.width = chosen ? 3.0F : 1.0F;
    for (const ScenePoint& point : curve.points)
      chart.scene.hits.push_back(
          {{point.x - 5, point.y - 4, 10, 8}, static_cast<int>(i), item_tip(items[i])});
    layer.curves.push_back(std::move(curve));
  }
  // The selected line above all others.
  std::stable_partition(layer.curves.begin(), layer.curves.end(),
                        [](const SceneCurve& c) { return c.ink != Ink::kSelection; });
  SceneLayer& above = chart.scene.new_layer();
  for (const Axis& axis : axes) add_words(axis, plot, text, above);
  return chart;
}

}  // namespace orrery::gui
