#include "gui/core/result_charts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "gui/core/chart_parts.hpp"
#include "sim/engine/timeline.hpp"
#include "sim/lower/lower.hpp"

namespace orrery::gui {
namespace {

Cell seconds_cell(double s) {
  return {fmt::format("{:.4f}", s), s, "s"};
}

Cell number_cell(double v, const char* unit) {
  return {digits_text(v), v, unit};
}

const char* const kInfeasible = "The layout does not fit: nothing was simulated. See Problems.";

}  // namespace

std::vector<Cause> causes(const Waterfall& w) {
  std::vector<Cause> out{{"compute", w.compute, Ink::kForward},
                         {"recompute", w.recompute, Ink::kRecompute},
                         {"exposed tensor parallel", w.exposed_tp, Ink::kTensor},
                         {"exposed context parallel", w.exposed_cp, Ink::kTensor},
                         {"exposed expert parallel", w.exposed_ep, Ink::kExpert},
                         {"exposed pipeline", w.exposed_pp, Ink::kPipeline},
                         {"exposed data parallel", w.exposed_dp, Ink::kOptimizer},
                         {"exposed copies to the host", w.exposed_offload, Ink::kHost},
                         {"waiting for the host's calls", w.exposed_host, Ink::kHost},
                         {"contention", w.contention, Ink::kHost},
                         {"bubble", w.bubble, Ink::kIdle}};
  if (w.imbalance) out.push_back({"imbalance", *w.imbalance, Ink::kIdle});
  out.push_back({"optimizer", w.optimizer, Ink::kOptimizer});
  out.push_back({"other", w.other, Ink::kOther});
  return out;
}

Chart waterfall_chart(const RunView& run, double width, double height, const TextMetrics& text,
                      int selected) {
  Chart chart;
  chart.table = {"waterfall",
                 "Where the step goes: causes",
                 {{"cause", "cause", false},
                  {"rank_s", fmt::format("rank {}, s", run.metrics().slowest_rank)},
                  {"percent", "%"}},
                 {},
                 {}};
  if (!run.feasible()) {
    chart.scene = sentence_chart(width, height, kInfeasible);
    return chart;
  }
  const std::vector<Cause> on_rank = causes(run.metrics().waterfall);
  // Steps that overlap one another have no single critical path.
  const std::optional<Waterfall>& path = run.metrics().critical_path;
  const std::vector<Cause> on_path = path ? causes(*path) : std::vector<Cause>{};
  if (path) chart.table.columns.push_back({"critical_s", "critical path, s"});
  const double step = run.metrics().step_time_s;
  chart.scene = start_chart(width, height,
                            fmt::format("Where the {:.4g} s of the step go, rank {} (the slowest)", step,
                                        run.metrics().slowest_rank),
                            text);
  Box plot = plot_area(width, height, 12, 0.6, text);
  plot.w = std::max(1.0, plot.w - text.em * 8);
  const Scale x = make_scale(0, step, plot.x, plot.x + plot.w, false);
  std::vector<std::size_t> shown;
  for (std::size_t i = 0; i < on_rank.size(); ++i) {
    chart.table.rows.push_back(
        {on_rank[i].name, seconds_cell(on_rank[i].seconds),
         Cell(fmt::format("{:.1f}", 100 * on_rank[i].seconds / step), 100 * on_rank[i].seconds / step, "%")});
    if (path) chart.table.rows.back().push_back(seconds_cell(i < on_path.size() ? on_path[i].seconds : 0));
    if (on_rank[i].seconds > 0) shown.push_back(i);
  }
  chart.table.rows.push_back({"sum", seconds_cell(run.metrics().waterfall.sum()), Cell("100.0", 100, "%")});
  if (path) chart.table.rows.back().push_back(seconds_cell(path->sum()));
  const double row = plot.h / static_cast<double>(shown.size() + 1);
  if (row < text.em * kLeastRowEms) {
    chart.scene = sentence_chart(width, height, kTooLow);
    return chart;
  }
  const double bar = std::min(row * 0.8, text.em * 1.7);
  double at = 0;
  double y = plot.y;
  SceneLayer& layer = chart.scene.layer();
  const auto line = [&](const std::string& name, double from, double to, Ink ink, int id) {
    const Box box{x.at(from), y + (row - bar) / 2, std::max(1.0, x.at(to) - x.at(from)), bar};
    layer.rects.push_back({box, ink == Ink::kIdle ? Ink::kNone : ink,
                           category(std::min(ink, Ink::kIdle)).pattern,
                           id == selected ? Ink::kSelection : Ink::kGrid, 0, id == selected ? 2.5F : 1});
    // Letters are whole even where they are higher than the row; then they are small.
    const double high = std::max(row, text.em);
    const double top = y + (row - high) / 2;
    const bool small = row < text.em;
    layer.texts.push_back({{0, top, plot.x - 8, high},
                           fitted_text(name, plot.x - 10, text),
                           Align::kRight,
                           Ink::kText,
                           Ink::kNone,
                           false,
                           small});
    const std::string value = fmt::format("{:.3f} s, {:.1f} %", to - from, 100 * (to - from) / step);
    layer.texts.push_back({{box.x + box.w + 6, top, text.width(value) + 6, high},
                           value,
                           Align::kLeft,
                           Ink::kText,
                           Ink::kNone,
                           false,
                           small});
    chart.scene.hits.push_back({{0, y, width, row}, id, name + ": " + value});
    y += row;
  };
  for (std::size_t i : shown) {
    line(on_rank[i].name, at, at + on_rank[i].seconds, on_rank[i].ink, static_cast<int>(i));
    at += on_rank[i].seconds;
  }
  line("step", 0, step, Ink::kGhost, static_cast<int>(on_rank.size()));
  return chart;
}

Chart memory_chart(const RunView& run, double width, double height, const TextMetrics& text, int selected) {
  Chart chart;
  const Metrics& m = run.metrics();
  chart.table = {"memory",
                 "Memory of a GPU by pipeline rank, GB (10^9 B)",
                 {{"rank", "rank"},
                  {"weights", "weights"},
                  {"gradients", "gradients"},
                  {"optimizer", "optimizer"},
                  {"activations", "activations"},
                  {"buffers", "buffers"},
                  {"reserve", "reserve"},
                  {"total", "total"},
                  {"percent", "% full"}},
                 {},
                 {}};
  if (m.memory.empty()) {
    chart.scene =
        sentence_chart(width, height, "Memory was not computed: another rule broke first. See Problems.");
    return chart;
  }
  constexpr std::array<Ink, 6> kInks{Ink::kForward,        Ink::kBackwardInput, Ink::kOptimizer,
                                     Ink::kBackwardWeight, Ink::kExpert,        Ink::kHost};
  constexpr std::array<const char*, 6> kNames{"weights",     "gradients", "optimizer",
                                              "activations", "buffers",   "reserve"};
  double most = m.memory_capacity;
  for (const RankMemoryRow& row : m.memory) most = std::max(most, row.total);
  chart.scene = start_chart(width, height,
                            fmt::format("Memory of a GPU by pipeline rank at its peak; capacity {:.1f} GB",
                                        m.memory_capacity * 1e-9),
                            text);
  Box plot = plot_area(width, height, 5.5, 3.2, text);
  const Scale y = make_scale(0, most * 1e-9 * 1.06, plot.y + plot.h, plot.y, false);
  add_y_axis(chart.scene, plot, y, "GB", text);
  SceneLayer& layer = chart.scene.layer();
  const double column = plot.w / static_cast<double>(m.memory.size());
  const double bar = std::max(1.0, std::min(column * 0.8, text.em * 4));
  const auto every = static_cast<std::size_t>(std::max(1.0, std::ceil(text.em * 2 / std::max(column, 0.1))));
  for (std::size_t r = 0; r < m.memory.size(); ++r) {
    const RankMemoryRow& row = m.memory[r];
    const std::array<double, 6> parts{row.weights,     row.gradients, row.optimizer,
                                      row.activations, row.buffers,   row.reserve};
    std::vector<Cell> cells{Cell(std::to_string(row.rank), static_cast<double>(row.rank), "")};
    const double x = plot.x + column * static_cast<double>(r) + (column - bar) / 2;
    double base = 0;
    for (std::size_t k = 0; k < parts.size(); ++k) {
      const double top = y.at((base + parts[k]) * 1e-9);
      const double bottom = y.at(base * 1e-9);
      layer.rects.push_back({{x, top, bar, bottom - top}, kInks[k], category(kInks[k]).pattern});
      cells.push_back(number_cell(parts[k] * 1e-9, "GB"));
      base += parts[k];
    }
    cells.push_back(number_cell(row.total * 1e-9, "GB"));
    const double full = m.memory_capacity > 0 ? 100 * row.total / m.memory_capacity : 0;
    cells.push_back(Cell(fmt::format("{:.1f}", full), full, "%"));
    chart.table.rows.push_back(std::move(cells));
    if (static_cast<int>(r) == selected)
      layer.rects.push_back(
          {{x - 2, y.at(row.total * 1e-9) - 2, bar + 4, y.at(0) - y.at(row.total * 1e-9) + 4},
           Ink::kNone,
           Pattern::kPlain,
           Ink::kSelection,
           0,
           2.5F});
    if (r % every == 0)
      layer.texts.push_back({{x + bar / 2 - text.em * 1.5, plot.y + plot.h + 2, text.em * 3, text.em},
                             std::to_string(row.rank),
                             Align::kCentre,
                             Ink::kMutedText,
                             Ink::kNone,
                             false,
                             true});
    chart.scene.hits.push_back({{plot.x + column * static_cast<double>(r), plot.y, column, plot.h},
                                static_cast<int>(r),
                                fmt::format("rank {}: {:.2f} GB, {:.1f} % full, headroom {:.2f} GB", row.rank,
                                            row.total * 1e-9, full, (m.memory_capacity - row.total) * 1e-9)});
  }
  const double limit = y.at(m.memory_capacity * 1e-9);
  layer.lines.push_back({plot.x, limit, plot.x + plot.w, limit, Ink::kLimit, 1.5F, false, true});
  double at = plot.x;
  for (std::size_t k = 0; k < kNames.size(); ++k) {
    const double legend = plot.y + plot.h + text.em * 1.9;
    const double w = text.width(kNames[k]) + text.em * 1.6;
    if (at + w > width) break;
    layer.rects.push_back(
        {{at, legend + 1, text.em * 0.8, text.em * 0.8}, kInks[k], category(kInks[k]).pattern});
    layer.texts.push_back({{at + text.em, legend - 1, w, text.em * 1.1},
                           kNames[k],
                           Align::kLeft,
                           Ink::kText,
                           Ink::kNone,
                           false,
                           true});
    at += w;
  }
  return chart;
}

Chart memory_curve_chart(const RunView& run, int rank, double width, double height, const TextMetrics& text) {
  Chart chart;
  chart.table = {"memory-over-time",
                 fmt::format("Memory of rank {} over the step", rank),
                 {{"t_s", "time, s"}, {"bytes", "GB (10^9 B)"}},
                 {},
                 {}};
  if (!run.feasible() || run.memory().empty()) {
    chart.scene = sentence_chart(width, height, kInfeasible);
    return chart;
  }
  const auto at = static_cast<std::size_t>(std::clamp(rank, 0, run.ranks() - 1));
  const MemoryOverTime& memory = run.memory()[at];
  const double capacity = run.metrics().memory_capacity;
  chart.scene = start_chart(width, height,
                            fmt::format("Memory of rank {} over the step: peak {:.2f} GB of {:.1f} GB", at,
                                        memory.peak() * 1e-9, capacity * 1e-9),
                            text);
  const Box plot = plot_area(width, height, 5.5, 2.6, text);
  const double total_s = static_cast<double>(run.makespan()) * 1e-12;
  const Scale y =
      make_scale(0, std::max(capacity, memory.peak()) * 1e-9 * 1.06, plot.y + plot.h, plot.y, false);
  const Scale x = make_scale(0, total_s, plot.x, plot.x + plot.w, false);
  add_y_axis(chart.scene, plot, y, "GB", text);
  add_x_axis(chart.scene, plot, x, "time in the step, s", text);
  SceneLayer& layer = chart.scene.layer();
  SceneCurve curve;
  double last = y.at(memory.fixed * 1e-9);
  curve.points.push_back({plot.x, last});
  for (std::size_t i = 1; i < memory.t_ps.size(); ++i) {
    const double t = static_cast<double>(memory.t_ps[i]) * 1e-12;
    const double gb = (memory.fixed + memory.activations[i]) * 1e-9;
    curve.points.push_back({x.at(t), last});
    last = y.at(gb);
    curve.points.push_back({x.at(t), last});
    chart.table.rows.push_back({Cell(fmt::format("{:.6f}", t), t, "s"), number_cell(gb, "GB")});
  }
  curve.points.push_back({plot.x + plot.w, last});
  layer.curves.push_back(std::move(curve));
  layer.lines.push_back({plot.x, y.at(capacity * 1e-9), plot.x + plot.w, y.at(capacity * 1e-9), Ink::kLimit,
                         1.5F, false, true});
  layer.lines.push_back({plot.x, y.at(memory.fixed * 1e-9), plot.x + plot.w, y.at(memory.fixed * 1e-9),
                         Ink::kGhost, 1, false, true});
  layer.texts.push_back(
      {{plot.x + 6, y.at(memory.fixed * 1e-9) + 1, plot.w, text.em},
       fmt::format("weights, gradients, optimizer, buffers, reserve: {:.2f} GB", memory.fixed * 1e-9),
       Align::kLeft,
       Ink::kMutedText,
       Ink::kNone,
       false,
       true});
  return chart;
}

}  // namespace orrery::gui
