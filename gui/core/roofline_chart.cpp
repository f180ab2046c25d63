#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "gui/core/chart_parts.hpp"
#include "gui/core/result_charts.hpp"

// Roofline: operator classes of one rank by FLOPs a byte and the rate they reached.

namespace orrery::gui {
namespace {

constexpr double kRoofsEms = 9.5;
constexpr double kNamesEms = 17;

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

bool meet(const Box& a, const Box& b) {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

/// Each dot's number, 1 for the class with the most time: in the dot where there is room, else beside it.
void add_numbers(const std::vector<ClassWork>& classes, const Box& plot, const TextMetrics& text,
                 SceneLayer& layer) {
  std::vector<Box> taken;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const SceneDot& dot = layer.dots[i];
    const std::string number = std::to_string(i + 1);
    const double w = text.width(number) + 2;
    const double h = text.em * 0.9;
    const double r = dot.radius + 1;
    const auto at = [&](double x, double y) { return Box{dot.x + x, dot.y + y, w, h}; };
    const Box inside = at(-w / 2, -h / 2);
    std::vector<Box> places;
    if (dot.radius >= std::max(w, h) / 2) places.push_back(inside);
    for (const Box& beside : {at(r, -h / 2), at(-r - w, -h / 2), at(-w / 2, -r - h), at(-w / 2, r),
                              at(r, -h - r / 2), at(r, r / 2), at(-r - w, -h - r / 2), at(-r - w, r / 2)})
      places.push_back(beside);
    const auto in_dot = [&](const Box& box) { return box.x == inside.x && box.y == inside.y; };
    const auto free = [&](const Box& box) {
      const bool in_plot = box.x >= plot.x && box.x + box.w <= plot.x + plot.w && box.y >= plot.y &&
                           box.y + box.h <= plot.y + plot.h;
      if (!in_plot || std::any_of(taken.begin(), taken.end(), [&](const Box& b) { return meet(box, b); }))
        return false;
      // Beside a dot there is no other one.
      for (std::size_t k = 0; k < layer.dots.size(); ++k) {
        const SceneDot& other = layer.dots[k];
        // A number in a dot may stand where a neighbour begins, not where it has its middle.
        const double reach = in_dot(box) ? other.radius / 2 : other.radius;
        if (k != i && meet(box, {other.x - reach, other.y - reach, 2 * reach, 2 * reach})) return false;
      }
      return true;
    };
    auto place = std::find_if(places.begin(), places.end(), free);
    if (place == places.end()) place = places.begin();
    layer.texts.push_back(
        {*place, number, Align::kCentre, Ink::kText, in_dot(*place) ? dot.ink : Ink::kNone, false, true});
    taken.push_back(*place);
  }
}

/// The names of all numbers with their share of the time, from `left` on; what finds no line is counted.
void add_names(const std::vector<ClassWork>& classes, double seconds, double left, double width,
               double height, const TextMetrics& text, SceneLayer& layer) {
  const double top = text.em * 1.7;
  const double line = std::min(
      text.em * 1.15, std::max(text.em * 0.85, (height - top) / static_cast<double>(classes.size())));
  const auto fit = static_cast<std::size_t>(std::max(0.0, std::floor((height - top) / line)));
  for (std::size_t i = 0; i < std::min(classes.size(), fit); ++i) {
    const bool last = i + 1 == fit && classes.size() > fit;
    const std::string share = fmt::format("{:.1f} %", 100 * classes[i].seconds / seconds);
    // Small letters take less than that.
    const double room = (width - left - text.em) / 0.9;
    const std::string name = fmt::format("{}  {}", i + 1, classes[i].name);
    layer.texts.push_back({{left, top + line * static_cast<double>(i), width - left, line},
                           last ? fmt::format("and {} more: see the table", classes.size() - i)
                                : fitted_text(name, room - text.width(share), text) + "  " + share,
                           Align::kLeft,
                           Ink::kText,
                           Ink::kNone,
                           false,
                           true});
  }
}

}  // namespace

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
  // Names of the roofs stand behind them, those of the dots behind these.
  plot.w = std::max(1.0, plot.w - text.em * (kRoofsEms + kNamesEms));
  const Scale x = make_scale(low_x, high_x, plot.x, plot.x + plot.w, true);
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
    label({plot.x + plot.w + 8, level - text.em / 2, text.em * kRoofsEms, text.em},
          fmt::format("{} {:.4g} TFLOP/s", roof.name, roof.flops_per_s * 1e-12), Ink::kLimit);
  }
  if (memory > 0)
    label({plot.x + plot.w + 8, plot.y + plot.h - text.em, text.em * kRoofsEms, text.em},
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
  add_numbers(classes, plot, text, layer);
  add_names(classes, all_seconds, width - text.em * kNamesEms, width, height, text, chart.scene.new_layer());
  return chart;
}

}  // namespace orrery::gui
