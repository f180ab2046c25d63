#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "gui/core/chart_parts.hpp"
#include "gui/core/result_charts.hpp"
#include "sim/engine/timeline.hpp"
#include "sim/lower/lower.hpp"

// Links: what each class of communication did on one rank.

namespace orrery::gui {

std::vector<ClassWork> work_by_class(const SimResult& result, int rank) {
  std::map<std::string, ClassWork> by_name;
  const Timeline& timeline = *result.timeline;
  for (int lane = 0; lane < kLaneCount; ++lane) {
    for (TaskId task : timeline.graph.lane_tasks(result.step->lane(RankId{rank}, static_cast<Lane>(lane)))) {
      const CostedItem* item = result.step->item_of(task);
      if (item == nullptr) continue;
      ClassWork& work = by_name[item->op_class];
      work.name = item->op_class;
      work.flops += item->flops;
      work.bytes += item->bytes;
      work.nic_bytes += item->scale_out_bytes;
      work.seconds += to_seconds(timeline.end[task.at()] - timeline.start[task.at()]).value;
      work.communication = item->op_class.starts_with("communication");
      ++work.count;
    }
  }
  std::vector<ClassWork> out;
  for (auto& [name, work] : by_name) out.push_back(std::move(work));
  std::stable_sort(out.begin(), out.end(),
                   [](const ClassWork& a, const ClassWork& b) { return a.seconds > b.seconds; });
  return out;
}

Chart links_chart(const RunView& run, int rank, double width, double height, const TextMetrics& text,
                  int selected) {
  Chart chart;
  chart.table = {"links",
                 fmt::format("Communication of rank {} in the step", rank),
                 {{"class", "class", false},
                  {"count", "transfers"},
                  {"s", "time, s"},
                  {"bytes", "payload, GB (10^9 B)"},
                  {"nic", "through the NIC, GB"},
                  {"rate", "NIC rate, GB/s"},
                  {"percent", "% of nominal"}},
                 {},
                 {}};
  if (!run.feasible()) {
    chart.scene =
        sentence_chart(width, height, "The layout does not fit: nothing was simulated. See Problems.");
    return chart;
  }
  const double nominal = run.scenario().cluster.scale_out.bytes_per_s.value;
  std::vector<ClassWork> classes;
  double most = 0;
  for (const ClassWork& w : work_by_class(run.result(), std::clamp(rank, 0, run.ranks() - 1))) {
    if (!w.communication) continue;
    classes.push_back(w);
    most = std::max(most, w.seconds);
  }
  if (classes.empty()) {
    chart.scene = sentence_chart(width, height, "This rank communicates with nobody.");
    return chart;
  }
  chart.scene = start_chart(
      width, height,
      fmt::format("Communication of rank {} in the step; NIC nominal {:.4g} GB/s a GPU and direction", rank,
                  nominal * 1e-9),
      text);
  Box plot = plot_area(width, height, 11, 2.6, text);
  plot.w = std::max(1.0, plot.w - text.em * 15);
  const Scale x = make_scale(0, most, plot.x, plot.x + plot.w, false);
  add_x_axis(chart.scene, plot, x, "time on the wire, s", text);
  const double row = plot.h / static_cast<double>(classes.size());
  const bool low = row < text.em * kLeastRowEms;
  SceneLayer& layer = chart.scene.layer();
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const ClassWork& w = classes[i];
    const std::string name = w.name.substr(w.name.find('.') + 1);
    const double y = plot.y + row * static_cast<double>(i);
    const double bar = std::min(row * 0.7, text.em * 1.7);
    const double rate = w.seconds > 0 ? w.nic_bytes / w.seconds : 0;
    const double percent = nominal > 0 ? 100 * rate / nominal : 0;
    const Ink ink = name.find("send") != std::string::npos ? Ink::kPipeline
                    : name.find("dispatch") != std::string::npos || name.find("combine") != std::string::npos
                        ? Ink::kExpert
                        : Ink::kOptimizer;
    const Box box{plot.x, y + (row - bar) / 2, std::max(1.0, x.at(w.seconds) - plot.x), bar};
    layer.rects.push_back({box, ink, category(ink).pattern,
                           static_cast<int>(i) == selected ? Ink::kSelection : Ink::kGrid, 0,
                           static_cast<int>(i) == selected ? 2.5F : 1});
    layer.texts.push_back(
        {{0, y, plot.x - 8, row}, fitted_text(name, plot.x - 10, text), Align::kRight, Ink::kText});
    const std::string value =
        fmt::format("{:.3f} s, NIC {:.4g} GB at {:.0f} %", w.seconds, w.nic_bytes * 1e-9, percent);
    layer.texts.push_back(
        {{box.x + box.w + 6, y, text.width(value) + 6, row}, value, Align::kLeft, Ink::kText});
    chart.scene.hits.push_back({{0, y, width, row}, static_cast<int>(i), name + ": " + value});
    chart.table.rows.push_back({name, Cell(std::to_string(w.count), static_cast<double>(w.count), ""),
                                Cell(digits_text(w.seconds), w.seconds, "s"),
                                Cell(digits_text(w.bytes * 1e-9), w.bytes * 1e-9, "GB"),
                                Cell(digits_text(w.nic_bytes * 1e-9), w.nic_bytes * 1e-9, "GB"),
                                Cell(digits_text(rate * 1e-9), rate * 1e-9, "GB/s"),
                                Cell(fmt::format("{:.1f}", percent), percent, "%")});
  }
  if (low) chart.scene = sentence_chart(width, height, kTooLow);
  return chart;
}

}  // namespace orrery::gui
