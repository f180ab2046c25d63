#include <fmt/format.h>

#include <algorithm>

#include "gui/core/chart_parts.hpp"
#include "gui/core/plan_charts.hpp"

namespace orrery::gui {
namespace {

/// 1,221,696
std::string whole_text(double n) {
  std::string out = fmt::format("{:.0f}", n);
  for (auto at = static_cast<std::ptrdiff_t>(out.size()) - 3; at > 0; at -= 3)
    out.insert(static_cast<std::size_t>(at), ",");
  return out;
}

}  // namespace

Chart reasons_chart(const std::vector<Fate>& fates, double total, double width, double height,
                    const TextMetrics& text) {
  Chart chart;
  chart.table = {
      "reasons",
      "What became of the layouts",
      {{"reason", "reason", false}, {"layouts", "layouts"}, {"percent", "%"}, {"what", "what", false}},
      {},
      {}};
  if (fates.empty()) {
    chart.scene = sentence_chart(width, height, "Nothing was searched yet: press Search.");
    return chart;
  }
  chart.scene = start_chart(width, height,
                            "What became of " + whole_text(total) + (total == 1 ? " layout" : " layouts") +
                                "; hatched: cannot run or is not wanted",
                            text);
  Box plot = plot_area(width, height, 12, 0.6, text);
  // Number, share and words stand behind the bar.
  plot.w = std::max(1.0, std::min(plot.w - text.em * 12, plot.w * 0.5));
  const double row = std::min(plot.h / static_cast<double>(fates.size()), text.em * 2.6);
  double most = 0;
  for (const Fate& fate : fates) most = std::max(most, fate.layouts);
  SceneLayer& layer = chart.scene.layer();
  for (std::size_t i = 0; i < fates.size(); ++i) {
    const Fate& fate = fates[i];
    const double percent = total > 0 ? 100 * fate.layouts / total : 0;
    const double y = plot.y + row * static_cast<double>(i);
    const double length = most > 0 ? plot.w * fate.layouts / most : 0;
    const Box box{plot.x, y + row * 0.15, fate.layouts > 0 ? std::max(1.5, length) : 0, row * 0.7};
    if (fate.layouts > 0)
      layer.rects.push_back({box, fate.stopped ? Ink::kNone : Ink::kForward,
                             fate.stopped ? Pattern::kHatch : Pattern::kPlain, Ink::kGrid});
    layer.texts.push_back(
        {{0, y, plot.x - 8, row}, fitted_text(fate.code, plot.x - 10, text), Align::kRight});
    const std::string words = fmt::format("{}, {:.3g} %{}{}", whole_text(fate.layouts), percent,
                                          fate.what.empty() ? "" : ": ", fate.what);
    const double room = width - box.x - box.w - 10;
    layer.texts.push_back({{box.x + box.w + 6, y, room, row}, fitted_text(words, room, text), Align::kLeft});
    chart.scene.hits.push_back({{0, y, width, row}, static_cast<int>(i), fate.code + ": " + words});
    chart.table.rows.push_back({fate.code, Cell(whole_text(fate.layouts), fate.layouts, ""),
                                Cell(fmt::format("{:.3g}", percent), percent, "%"), fate.what});
  }
  return chart;
}

}  // namespace orrery::gui
