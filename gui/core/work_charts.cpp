#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "gui/core/chart_parts.hpp"
#include "gui/core/result_charts.hpp"
#include "sim/engine/timeline.hpp"
#include "sim/lower/lower.hpp"

// Roofline and links: what each class of operator did on one rank.

namespace orrery::gui {
namespace {

struct Roof {
  std::string name;
  double flops_per_s = 0;
};

std::vector<Roof> roofs_of(const RunView& run) {
  std::vector<Roof> roofs;
  for (const InputRow& row : run.inputs()) {
    const std::string prefix = "gpu.peak_flops_per_s.";
    if (!row.key.starts_with(prefix)) continue;
    const std::string name = row.key.substr(prefix.size());
    const double rate = std::strtod(row.value.c_str(), nullptr);
    // Precisions of one rate share a roof.
    const auto same =
        std::find_if(roofs.begin(), roofs.end(), [&](const Roof& r) { return r.flops_per_s == rate; });
    if (same == roofs.end())
      roofs.push_back({name, rate});
    else
      same->name += ", " + name;
  }
  return roofs;
}

double memory_rate(const RunView& run) {
  for (const InputRow& row : run.inputs()) {
    if (row.key == "gpu.memory_bytes_per_s" || row.key == "gpu.hbm_bytes_per_s")
      return std::strtod(row.value.c_str(), nullptr);
  }
  return 0;
}

Ink ink_of_class(const std::string& name) {
  if (name.find("wgrad") != std::string::npos) return Ink::kBackwardWeight;
  if (name.find("gemm") != std::string::npos) return Ink::kForward;
  if (name.find("attention") != std::string::npos) return Ink::kBackwardInput;
  return Ink::kOther;
}

}  // namespace

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

Chart roofline_chart(const RunView& run, int rank, double width, double height, const TextMetrics& text,
                     int selected) {
  Chart chart;
  chart.table = {"roofline",
                 fmt::format("Operator classes with FLOPs on rank {}", rank),
                 {{"class", "class", false},
                  {"count", "kernels"},
                  {"s", "time, s"},
                  {"flops", "TFLOP"},
                  {"bytes", "GB (10^9 B)"},
                  {"intensity", "FLOP/B"},
                  {"rate", "TFLOP/s"}},
                 {},
                 {"Bytes are those the workload model counts for the operator; time includes contention."}};
  if (!run.feasible()) {
    chart.scene =
        sentence_chart(width, height, "The layout does not fit: nothing was simulated. See Problems.");
    return chart;
  }
  std::vector<ClassWork> classes;
  double all_seconds = 0;
  double low_rate = 1e300;
  for (const ClassWork& w : work_by_class(run.result(), std::clamp(rank, 0, run.ranks() - 1))) {
    if (w.flops <= 0 || w.bytes <= 0 || w.seconds <= 0) continue;
    all_seconds += w.seconds;
    low_rate = std::min(low_rate, w.flops / w.seconds);
    classes.push_back(w);
  }
  const std::vector<Roof> roofs = roofs_of(run);
  const double memory = memory_rate(run);
  if (classes.empty()) {
    chart.scene = sentence_chart(width, height, "No operator with FLOPs and bytes on this rank.");
    return chart;
  }
  double top = 0;
  for (const Roof& roof : roofs) top = std::max(top, roof.flops_per_s);
  double low_x = 1e300;
  double high_x = 1;
  for (const ClassWork& w : classes) {
    low_x = std::min(low_x, w.flops / w.bytes);
    high_x = std::max(high_x, w.flops / w.bytes);
    top = std::max(top, w.flops / w.seconds);
  }
  chart.scene = start_chart(
      width, height,
      fmt::format(
          "Roofline of rank {}: a dot is a class of operator, its area the share of time; roofs: dense peaks",
          rank),
      text);
  Box plot = plot_area(width, height, 7.5, 2.6, text);
  plot.w = std::max(1.0, plot.w - text.em * 12);  // names of the roofs stand behind them
  // To the right of the last dot there is room for its name.
  const Scale x = make_scale(low_x, high_x * 2.5, plot.x, plot.x + plot.w, true);
  const Scale y = make_scale(low_rate, top, plot.y + plot.h, plot.y, true);
  add_y_axis(chart.scene, plot, y, "FLOP/s", text);
  add_x_axis(chart.scene, plot, x, "FLOPs per byte of device memory (log)", text);
  const auto label = [&](Box at, std::string words, Ink ink) {
    chart.scene.layer().texts.push_back({at, std::move(words), Align::kLeft, ink, Ink::kNone, false, true});
  };
  for (const Roof& roof : roofs) {
    if (roof.flops_per_s <= 0) continue;
    const double ridge = memory > 0 ? roof.flops_per_s / memory : x.low;
    const double level = y.at(roof.flops_per_s);
    chart.scene.layer().lines.push_back(
        {x.at(std::max(ridge, x.low)), level, plot.x + plot.w + 4, level, Ink::kLimit, 1.2F});
    label({plot.x + plot.w + 8, level - text.em / 2, text.em * 13, text.em},
          fmt::format("{} {:.4g} TFLOP/s", roof.name, roof.flops_per_s * 1e-12), Ink::kLimit);
  }
  if (memory > 0)
    label({plot.x + plot.w + 8, plot.y + plot.h - text.em, text.em * 13, text.em},
          fmt::format("memory {:.4g} TB/s", memory * 1e-12), Ink::kMark);
  SceneLayer& layer = chart.scene.new_layer(plot);
  if (memory > 0)
    layer.lines.push_back(
        {x.at(x.low), y.at(memory * x.low), x.at(x.high), y.at(memory * x.high), Ink::kMark, 1.2F});
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const ClassWork& w = classes[i];
    const double radius = 3 + std::sqrt(w.seconds / all_seconds) * text.em * 1.2;
    const double px = x.at(w.flops / w.bytes);
    const double py = y.at(w.flops / w.seconds);
    layer.dots.push_back({px, py, radius, ink_of_class(w.name),
                          static_cast<int>(i) == selected ? Ink::kSelection : Ink::kText});
    chart.scene.hits.push_back({{px - radius, py - radius, 2 * radius, 2 * radius},
                                static_cast<int>(i),
                                fmt::format("{}: {:.4g} TFLOP/s, {:.4g} FLOP/B, {:.3f} s", w.name,
                                            w.flops / w.seconds * 1e-12, w.flops / w.bytes, w.seconds)});
    chart.table.rows.push_back(
        {w.name, Cell(std::to_string(w.count), static_cast<double>(w.count), ""),
         Cell(digits_text(w.seconds), w.seconds, "s"),
         Cell(digits_text(w.flops * 1e-12), w.flops * 1e-12, "TFLOP"),
         Cell(digits_text(w.bytes * 1e-9), w.bytes * 1e-9, "GB"),
         Cell(digits_text(w.flops / w.bytes), w.flops / w.bytes, "FLOP/B"),
         Cell(digits_text(w.flops / w.seconds * 1e-12), w.flops / w.seconds * 1e-12, "TFLOP/s")});
  }
  // Names at the largest dots, where they do not meet another name.
  std::vector<Box> taken;
  std::size_t named = 0;
  for (const SceneDot& dot : layer.dots)
    taken.push_back({dot.x - dot.radius, dot.y - dot.radius, 2 * dot.radius, 2 * dot.radius});
  for (std::size_t i = 0; i < classes.size() && named < 8; ++i) {
    const SceneDot& dot = layer.dots[i];
    const double w = text.width(classes[i].name) * 0.94 + 3;  // small letters
    const double r = dot.radius + 2;
    const double d = dot.radius * 0.7;
    const auto at = [&](double x0, double y0) { return Box{dot.x + x0, dot.y + y0, w, text.em}; };
    const std::array<Box, 8> places{at(r, -text.em / 2),      at(-r - w, -text.em / 2),
                                    at(-w / 2, -r - text.em), at(-w / 2, r),
                                    at(d, -d - text.em),      at(d, d),
                                    at(-d - w, -d - text.em), at(-d - w, d)};
    const auto place = std::find_if(places.begin(), places.end(), [&](const Box& box) {
      const bool inside = box.x >= plot.x && box.x + box.w <= plot.x + plot.w && box.y >= plot.y &&
                          box.y + box.h <= plot.y + plot.h;
      return inside && std::none_of(taken.begin(), taken.end(), [&](const Box& b) {
               return box.x < b.x + b.w && b.x < box.x + box.w && box.y < b.y + b.h && b.y < box.y + box.h;
             });
    });
    if (place == places.end()) continue;
    layer.texts.push_back({*place, classes[i].name, Align::kLeft, Ink::kText, Ink::kNone, false, true});
    taken.push_back(*place);
    ++named;
  }
  return chart;
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
