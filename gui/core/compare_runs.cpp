#include "gui/core/compare_runs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gui/core/alignment.hpp"
#include "gui/core/chart_parts.hpp"

namespace orrery::gui {

std::optional<SliceId> same_work(const RunView& a, const SliceId& slice, const RunView& b) {
  const std::optional<Work> work = work_of(a, slice);
  return work ? slice_of(b, *work) : std::nullopt;
}

Table changed_inputs(const RunView& a, const RunView& b) {
  Table t{"changed-inputs",
          "Inputs that differ",
          {{"key", "input", false}, {"a", "A", false}, {"b", "B", false}, {"unit", "unit", false}},
          {},
          {}};
  for (const InputRow& x : a.inputs()) {
    const auto y = std::find_if(b.inputs().begin(), b.inputs().end(),
                                [&](const InputRow& row) { return row.key == x.key; });
    const std::string other = y == b.inputs().end() ? "absent" : y->value;
    if (other != x.value) t.rows.push_back({x.key, x.value, other, x.unit});
  }
  for (const InputRow& y : b.inputs()) {
    const bool known = std::any_of(a.inputs().begin(), a.inputs().end(),
                                   [&](const InputRow& row) { return row.key == y.key; });
    if (!known) t.rows.push_back({y.key, "absent", y.value, y.unit});
  }
  return t;
}

Table changed_results(const RunView& a, const RunView& b) {
  Table t{"changed-results",
          "Results",
          {{"what", "figure", false}, {"a", "A"}, {"b", "B"}, {"difference", "A - B"}, {"percent", "%"}},
          {},
          {}};
  const auto add = [&](const char* name, std::optional<double> x, std::optional<double> y, const char* unit) {
    if (!x || !y) return;
    const double d = *x - *y;
    const std::string signed_d = (d < 0 ? "-" : "+") + digits_text(std::abs(d));
    t.rows.push_back({std::string(name) + ", " + unit, Cell(digits_text(*x), *x, unit),
                      Cell(digits_text(*y), *y, unit), Cell(d == 0 ? "0" : signed_d, d, unit),
                      *y == 0 ? Cell("") : Cell(fmt::format("{:+.1f}", 100 * d / *y), 100 * d / *y, "%")});
  };
  const Metrics& x = a.metrics();
  const Metrics& y = b.metrics();
  if (!a.feasible() || !b.feasible()) {
    t.rows.push_back({"fits", a.feasible() ? "yes" : "no", b.feasible() ? "yes" : "no", "", ""});
    return t;
  }
  add("step time", x.step_time_s, y.step_time_s, "s");
  add("throughput per GPU", x.throughput.tokens_per_s_per_gpu, y.throughput.tokens_per_s_per_gpu, "tokens/s");
  add("MFU, causal", 100 * x.throughput.mfu_causal, 100 * y.throughput.mfu_causal, "%");
  add("bubble, slowest rank", x.breakdown.bubble, y.breakdown.bubble, "s");
  add("peak memory", x.memory_peak * 1e-9, y.memory_peak * 1e-9, "GB");
  add("whole run", x.run.days, y.run.days, "days");
  const auto millions = [](std::optional<double> usd) {
    return usd ? std::optional<double>(*usd * 1e-6) : std::nullopt;
  };
  add("rent", millions(x.run.usd), millions(y.run.usd), "M USD");
  add("GPU power, mean", x.power.gpu_mean_w, y.power.gpu_mean_w, "W");
  return t;
}

Chart difference_chart(const RunView& a, const RunView& b, double width, double height,
                       const TextMetrics& text, int selected) {
  Chart chart;
  chart.table = {"difference",
                 "A - B by cause, slowest rank of each",
                 {{"cause", "cause", false}, {"a_s", "A, s"}, {"b_s", "B, s"}, {"difference_s", "A - B, s"}},
                 {},
                 {}};
  if (!a.feasible() || !b.feasible()) {
    chart.scene =
        sentence_chart(width, height, "One of the two layouts does not fit: there is no difference to show.");
    return chart;
  }
  const std::vector<Cause> xs = causes(a.metrics().waterfall);
  const std::vector<Cause> ys = causes(b.metrics().waterfall);
  const double from = b.metrics().step_time_s;
  const double to = a.metrics().step_time_s;
  chart.scene = start_chart(
      width, height, fmt::format("From B, {:.4g} s, to A, {:.4g} s: {:+.3f} s", from, to, to - from), text);
  Box plot = plot_area(width, height, 12, 0.6, text);
  plot.w = std::max(1.0, plot.w - text.em * 7);
  struct Line {
    std::string name;
    double low, high;
    Ink ink;
    std::string value;
  };
  std::vector<Line> lines;
  double at = from;
  double low = std::min(from, to);
  double high = std::max(from, to);
  for (const Cause& x : xs) {
    const auto y = std::find_if(ys.begin(), ys.end(), [&](const Cause& c) { return c.name == x.name; });
    const double other = y == ys.end() ? 0 : y->seconds;
    const double d = x.seconds - other;
    chart.table.rows.push_back({x.name, Cell(fmt::format("{:.4f}", x.seconds), x.seconds, "s"),
                                Cell(fmt::format("{:.4f}", other), other, "s"),
                                Cell(fmt::format("{:+.4f}", d), d, "s")});
    if (std::abs(d) < 5e-5 * from) continue;
    lines.push_back({x.name, std::min(at, at + d), std::max(at, at + d), x.ink, fmt::format("{:+.3f} s", d)});
    at += d;
    low = std::min(low, at);
    high = std::max(high, at);
  }
  const double air = std::max((high - low) * 0.15, from * 1e-3);
  const Scale x = make_scale(std::max(0.0, low - air), high + air, plot.x, plot.x + plot.w, false);
  lines.insert(lines.begin(), {"B", x.low, from, Ink::kGhost, fmt::format("{:.3f} s", from)});
  lines.push_back({"A", x.low, to, Ink::kGhost, fmt::format("{:.3f} s", to)});
  const double row = plot.h / static_cast<double>(lines.size());
  if (row < text.em * kLeastRowEms) {
    chart.scene = sentence_chart(width, height, kTooLow);
    return chart;
  }
  const double bar = std::min(row * 0.8, text.em * 1.7);
  SceneLayer& layer = chart.scene.layer();
  double y = plot.y;
  for (const Line& line : lines) {
    const Box box{x.at(line.low), y + (row - bar) / 2, std::max(1.0, x.at(line.high) - x.at(line.low)), bar};
    layer.rects.push_back({box, line.ink == Ink::kIdle ? Ink::kNone : line.ink,
                           category(std::min(line.ink, Ink::kIdle)).pattern, Ink::kGrid});
    layer.texts.push_back(
        {{0, y, plot.x - 8, row}, fitted_text(line.name, plot.x - 10, text), Align::kRight});
    layer.texts.push_back(
        {{box.x + box.w + 6, y, text.width(line.value) + 6, row}, line.value, Align::kLeft});
    y += row;
  }
  (void)selected;
  return chart;
}

}  // namespace orrery::gui
