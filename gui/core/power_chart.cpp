#include <fmt/format.h>

#include <algorithm>

#include "gui/core/chart_parts.hpp"
#include "gui/core/result_charts.hpp"

namespace orrery::gui {
namespace {

/// A curve that is constant over each bin.
SceneCurve steps_of(const std::vector<double>& watts, double bin_s, const Scale& x, const Scale& y, Ink ink,
                    float line) {
  SceneCurve curve;
  curve.ink = ink;
  curve.width = line;
  for (std::size_t b = 0; b < watts.size(); ++b) {
    curve.points.push_back({x.at(static_cast<double>(b) * bin_s), y.at(watts[b])});
    curve.points.push_back({x.at(static_cast<double>(b + 1) * bin_s), y.at(watts[b])});
  }
  return curve;
}

}  // namespace

Chart power_chart(const RunView& run, int rank, double width, double height, const TextMetrics& text) {
  Chart chart;
  const Power& power = run.metrics().power;
  chart.table = {"power-over-time",
                 fmt::format("Board power of a GPU of rank {}", rank),
                 {{"t_s", "time, s"}, {"rank_w", "this rank, W"}, {"mean_w", "mean of GPUs, W"}},
                 {},
                 {fmt::format("Means over bins of {:.3g} s", power.bin_s)}};
  if (!run.feasible() || power.rank_by_bin_w.empty()) {
    chart.scene =
        sentence_chart(width, height,
                       run.feasible() ? "The profile has no figures of power."
                                      : "The layout does not fit: nothing was simulated. See Problems.");
    return chart;
  }
  const auto at =
      static_cast<std::size_t>(std::clamp(rank, 0, static_cast<int>(power.rank_by_bin_w.size()) - 1));
  const std::vector<double>& own = power.rank_by_bin_w[at];
  const double cap = run.scenario().cluster.gpu.power.cap_w.value;
  const double peak = *std::max_element(own.begin(), own.end());
  chart.scene = start_chart(
      width, height,
      fmt::format("Board power of a GPU of rank {}: peak {:.0f} W, cap {:.0f} W; means over {:.3g} s", at,
                  peak, cap, power.bin_s),
      text);
  const Box plot = plot_area(width, height, 5.5, 2.6, text);
  const double end_s = power.bin_s * static_cast<double>(own.size());
  const Scale y = make_scale(0, std::max(cap, peak) * 1.08, plot.y + plot.h, plot.y, false);
  const Scale x = make_scale(0, end_s, plot.x, plot.x + plot.w, false);
  add_y_axis(chart.scene, plot, y, "W", text);
  add_x_axis(chart.scene, plot, x, "time in the step, s", text);
  SceneLayer& layer = chart.scene.layer();
  layer.curves.push_back(steps_of(power.gpu_by_bin_w, power.bin_s, x, y, Ink::kGhost, 1.2F));
  layer.curves.push_back(steps_of(own, power.bin_s, x, y, Ink::kCurve, 1.5F));
  layer.lines.push_back({plot.x, y.at(cap), plot.x + plot.w, y.at(cap), Ink::kLimit, 1.5F, false, true});
  const auto key = [&](double left, Ink ink, const std::string& words) {
    const double line = plot.y + plot.h + text.em * 2;
    layer.lines.push_back({plot.x + left, line, plot.x + left + text.em * 1.4, line, ink, 2});
    layer.texts.push_back(
        {{plot.x + left + text.em * 1.8, line - text.em / 2, text.width(words) + 8, text.em},
         words,
         Align::kLeft,
         Ink::kMutedText,
         Ink::kNone,
         false,
         true});
  };
  key(6, Ink::kCurve, fmt::format("rank {}", at));
  key(text.em * 7, Ink::kGhost, "mean of all GPUs");
  for (std::size_t b = 0; b < own.size(); ++b) {
    const double t = static_cast<double>(b) * power.bin_s;
    const double mean = b < power.gpu_by_bin_w.size() ? power.gpu_by_bin_w[b] : 0;
    chart.table.rows.push_back({Cell(fmt::format("{:.4f}", t), t, "s"),
                                Cell(fmt::format("{:.1f}", own[b]), own[b], "W"),
                                Cell(fmt::format("{:.1f}", mean), mean, "W")});
  }
  return chart;
}

}  // namespace orrery::gui
