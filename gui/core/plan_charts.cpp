#include "gui/core/plan_charts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include "gui/core/chart_parts.hpp"
#include "gui/core/plan_values.hpp"

namespace orrery::gui {
namespace {

/// Numbers in their order, words after them by name.
bool before(const std::string& a, const std::string& b) {
  char* end_a = nullptr;
  char* end_b = nullptr;
  const double x = std::strtod(a.c_str(), &end_a);
  const double y = std::strtod(b.c_str(), &end_b);
  const bool number_a = end_a != a.c_str() && *end_a == 0;
  const bool number_b = end_b != b.c_str() && *end_b == 0;
  if (number_a && number_b) return x < y;
  return number_a != number_b ? number_a : a < b;
}

std::vector<std::string> values_of(const PlanItems& items, const std::string& key) {
  std::vector<std::string> out;
  for (const auto& item : items) {
    const std::string v = shown_input(item.row, key);
    if (!v.empty() && std::find(out.begin(), out.end(), v) == out.end()) out.push_back(v);
  }
  std::sort(out.begin(), out.end(), before);
  return out;
}

std::string metric_label(std::size_t metric) {
  // The name without its base unit: that is not the one shown.
  std::string name(sweep_metrics()[metric].name);
  if (name == "step_j") name = "energy of a step";
  if (name == "peak_bytes") name = "peak memory";
  if (name == "usd") name = "rent";
  for (const std::string_view end : {"_bytes", "_s", "_w", "_t", "_mwh"}) {
    if (name.ends_with(end) && !name.ends_with("_per_s")) name.resize(name.size() - end.size());
  }
  std::replace(name.begin(), name.end(), '_', ' ');
  return name + ", " + std::string(shown_unit(metric).unit);
}

constexpr const char* kNothing = "Nothing was searched yet: press Search.";

/// The edits of a layout, one a line.
std::string tip_of(const PlanItem& item) {
  std::string tip = item.found_as;
  for (const Override& o : item.overrides) tip += (tip.empty() ? "" : "\n") + o.key + " = " + o.value;
  return tip;
}

bool better(std::size_t metric, double a, double b) {
  return sweep_metrics()[metric].better > 0 ? a > b : a < b;
}

}  // namespace

Table plan_table(const PlanItems& items, const std::vector<std::string>& keys) {
  Table t{"plan", "Layouts", {}, {}, {}};
  const bool named =
      std::any_of(items.begin(), items.end(), [](const PlanItem& item) { return !item.found_as.empty(); });
  const bool all_fit =
      std::all_of(items.begin(), items.end(), [](const PlanItem& item) { return item.row.status == "ok"; });
  if (named) t.columns.push_back({"found_as", "found as", false});
  if (!all_fit) t.columns.push_back({"status", "status", false});
  static constexpr std::array<std::pair<const char*, const char*>, 7> kShown{
      {{"step_time_s", "step, s"},
       {"tokens_per_s_per_gpu", "tokens/s per GPU"},
       {"mfu_causal", "MFU causal, %"},
       {"peak_bytes", "peak memory, GB"},
       {"days", "run, days"},
       {"usd", "rent, M USD"},
       {"gpu_mean_w", "GPU, W"}}};
  for (const auto& [name, title] : kShown) t.columns.push_back({name, title});
  for (const std::string& key : keys) {
    const std::size_t dot = key.find('.');
    t.columns.push_back({key, dot == std::string::npos ? key : key.substr(dot + 1), false});
  }
  if (!all_fit) t.columns.push_back({"reason", "why not", false});
  for (const auto& item : items) {
    std::vector<Cell> row;
    if (named) row.emplace_back(item.found_as);
    if (!all_fit) row.emplace_back(item.row.status);
    for (const auto& [name, title] : kShown) {
      const int at = metric_index(name);
      const std::optional<double> v =
          at < 0 ? std::nullopt : shown_value(item.row, static_cast<std::size_t>(at));
      row.push_back(v ? Cell(digits_text(*v), *v, "") : Cell(""));
    }
    for (const std::string& key : keys) row.emplace_back(shown_input(item.row, key));
    if (!all_fit)
      row.emplace_back(item.row.reason_code.empty() ? "" : item.row.reason_code + ": " + item.row.reason);
    t.rows.push_back(std::move(row));
  }
  return t;
}

std::vector<std::size_t> front_of(const PlanItems& items, std::size_t x_metric, std::size_t y_metric) {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (shown_value(items[i].row, x_metric) && shown_value(items[i].row, y_metric)) all.push_back(i);
  }
  std::stable_sort(all.begin(), all.end(), [&](std::size_t a, std::size_t b) {
    const double xa = *shown_value(items[a].row, x_metric);
    const double xb = *shown_value(items[b].row, x_metric);
    if (xa != xb) return better(x_metric, xa, xb);
    return better(y_metric, *shown_value(items[a].row, y_metric), *shown_value(items[b].row, y_metric));
  });
  std::vector<std::size_t> front;
  for (std::size_t i : all) {
    if (front.empty() || better(y_metric, *shown_value(items[i].row, y_metric),
                                *shown_value(items[front.back()].row, y_metric)))
      front.push_back(i);
  }
  return front;
}

Chart scatter_chart(const PlanItems& items, std::size_t x_metric, std::size_t y_metric, double width,
                    double height, const TextMetrics& text, int selected) {
  Chart chart;
  std::set<std::string> keys;
  double low_x = 1e300, high_x = -1e300, low_y = 1e300, high_y = -1e300;
  std::size_t fits = 0;
  for (const auto& item : items) {
    const auto x = shown_value(item.row, x_metric);
    const auto y = shown_value(item.row, y_metric);
    if (!x || !y) continue;
    ++fits;
    low_x = std::min(low_x, *x);
    high_x = std::max(high_x, *x);
    low_y = std::min(low_y, *y);
    high_y = std::max(high_y, *y);
  }
  chart.table = {"scatter",
                 "Layouts and the front",
                 {{"item", "layout"},
                  {"x", metric_label(x_metric)},
                  {"y", metric_label(y_metric)},
                  {"front", "on the front", false}},
                 {},
                 {}};
  if (fits == 0) {
    chart.scene = sentence_chart(width, height,
                                 items.empty() ? kNothing : "No layout of the search fits: see Why not.");
    return chart;
  }
  chart.scene = start_chart(
      width, height,
      fmt::format("{} of {} layouts fit; the line joins those that none beats in both", fits, items.size()),
      text);
  const Box plot = plot_area(width, height, 9, 2.8, text);
  const double air_x = std::max((high_x - low_x) * 0.06, std::abs(high_x) * 1e-6);
  const double air_y = std::max((high_y - low_y) * 0.06, std::abs(high_y) * 1e-6);
  const Scale x = make_scale(low_x - air_x, high_x + air_x, plot.x, plot.x + plot.w, false);
  const Scale y = make_scale(low_y - air_y, high_y + air_y, plot.y + plot.h, plot.y, false);
  add_y_axis(chart.scene, plot, y, std::string(shown_unit(y_metric).unit), text);
  add_x_axis(chart.scene, plot, x, metric_label(x_metric) + "  (across), " + metric_label(y_metric) + " (up)",
             text);
  SceneLayer& layer = chart.scene.layer();
  const std::vector<std::size_t> front = front_of(items, x_metric, y_metric);
  SceneCurve curve;
  for (std::size_t i : front) {
    const double vx = *shown_value(items[i].row, x_metric);
    const double vy = *shown_value(items[i].row, y_metric);
    curve.points.push_back({x.at(vx), y.at(vy)});
  }
  layer.curves.push_back(std::move(curve));
  std::vector<SceneDot> above;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto vx = shown_value(items[i].row, x_metric);
    const auto vy = shown_value(items[i].row, y_metric);
    chart.table.rows.push_back({Cell(std::to_string(i + 1), static_cast<double>(i + 1), ""),
                                vx ? Cell(digits_text(*vx), *vx, "") : Cell(""),
                                vy ? Cell(digits_text(*vy), *vy, "") : Cell(""), Cell("")});
    if (!vx || !vy) continue;
    const bool on_front = std::find(front.begin(), front.end(), i) != front.end();
    const bool chosen = static_cast<int>(i) == selected;
    if (on_front) chart.table.rows.back()[3] = Cell("yes");
    (on_front ? above : layer.dots)
        .push_back({x.at(*vx), y.at(*vy),
                    chosen     ? 7.0
                    : on_front ? 5.0
                               : 3.5,
                    on_front ? Ink::kForward : Ink::kGhost, chosen ? Ink::kSelection : Ink::kNone});
    const std::string tip = tip_of(items[i]) + "\n";
    chart.scene.hits.push_back({{x.at(*vx) - 5, y.at(*vy) - 5, 10, 10},
                                static_cast<int>(i),
                                tip + metric_label(x_metric) + ": " + digits_text(*vx) + "\n" +
                                    metric_label(y_metric) + ": " + digits_text(*vy)});
  }
  layer.dots.insert(layer.dots.end(), above.begin(), above.end());
  return chart;
}

Chart heat_chart(const PlanItems& items, const std::string& x_key, const std::string& y_key,
                 std::size_t metric, double width, double height, const TextMetrics& text) {
  Chart chart;
  const std::vector<std::string> xs = values_of(items, x_key);
  const std::vector<std::string> ys = values_of(items, y_key);
  chart.table = {"heat-map", "Best of each cell", {{"y", y_key, false}}, {}, {}};
  for (const std::string& x : xs) chart.table.columns.push_back({x, x_key + " " + x});
  if (xs.empty() || ys.empty() || xs.size() > 64 || ys.size() > 64) {
    chart.scene = sentence_chart(width, height, "Nothing was searched over these two keys.");
    return chart;
  }
  const bool listed =
      std::any_of(items.begin(), items.end(), [](const PlanItem& item) { return !item.found_as.empty(); });
  chart.scene =
      start_chart(width, height,
                  fmt::format("Best {}, by {} (across) and {} (down); hatched: {}", metric_label(metric),
                              x_key, y_key, listed ? "none of those listed" : "nothing fits"),
                  text);
  const Box plot = plot_area(width, height, 9, 1.6, text);
  std::map<std::pair<std::size_t, std::size_t>, std::pair<std::optional<double>, std::size_t>> best;
  std::map<std::pair<std::size_t, std::size_t>, std::string> why;
  double low = 1e300, high = -1e300;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto cx = static_cast<std::size_t>(
        std::find(xs.begin(), xs.end(), shown_input(items[i].row, x_key)) - xs.begin());
    const auto cy = static_cast<std::size_t>(
        std::find(ys.begin(), ys.end(), shown_input(items[i].row, y_key)) - ys.begin());
    if (cx == xs.size() || cy == ys.size()) continue;
    const auto v = shown_value(items[i].row, metric);
    auto& cell = best[{cx, cy}];
    if (v && (!cell.first || better(metric, *v, *cell.first))) cell = {v, i};
    if (!v && !items[i].row.reason_code.empty()) why[{cx, cy}] = items[i].row.reason_code;
  }
  for (const auto& [at, cell] : best) {
    if (!cell.first) continue;
    low = std::min(low, *cell.first);
    high = std::max(high, *cell.first);
  }
  const double w = plot.w / static_cast<double>(xs.size());
  const double h = plot.h / static_cast<double>(ys.size());
  SceneLayer& layer = chart.scene.layer();
  for (std::size_t cy = 0; cy < ys.size(); ++cy) {
    layer.texts.push_back({{0, plot.y + h * static_cast<double>(cy), plot.x - 6, h},
                           fitted_text(ys[cy], plot.x - 8, text),
                           Align::kRight,
                           Ink::kText});
    std::vector<Cell> row{ys[cy]};
    for (std::size_t cx = 0; cx < xs.size(); ++cx) {
      const Box box{plot.x + w * static_cast<double>(cx) + 1, plot.y + h * static_cast<double>(cy) + 1,
                    std::max(1.0, w - 2), std::max(1.0, h - 2)};
      const auto cell = best[{cx, cy}];
      if (cell.first) {
        const double share = high > low ? (*cell.first - low) / (high - low) : 0;
        const double good = sweep_metrics()[metric].better > 0 ? share : 1 - share;
        // The darker the better; the number stands in the cell as well.
        layer.rects.push_back({box, Ink::kForward, Pattern::kPlain, Ink::kGrid,
                               static_cast<std::uint8_t>(std::lround(215 * (1 - good)))});
        const std::string label = digits_text(*cell.first, 3);
        const Box plate{box.x + (box.w - text.width(label)) / 2 - 3, box.y + box.h / 2 - text.em / 2,
                        text.width(label) + 6, text.em};
        if (plate.w < box.w) layer.rects.push_back({plate, Ink::kBackground});
        layer.texts.push_back({box, fitted_text(label, box.w - 4, text), Align::kCentre, Ink::kText});
        row.push_back(Cell(digits_text(*cell.first), *cell.first, ""));
        chart.scene.hits.push_back(
            {box, static_cast<int>(cell.second), xs[cx] + " x " + ys[cy] + ": " + digits_text(*cell.first)});
      } else {
        layer.rects.push_back({box, Ink::kNone, Pattern::kHatch, Ink::kGrid});
        layer.texts.push_back({box, fitted_text(why[{cx, cy}], box.w - 4, text), Align::kCentre,
                               Ink::kMutedText, Ink::kNone, false, true});
        row.emplace_back(why[{cx, cy}]);
      }
    }
    chart.table.rows.push_back(std::move(row));
  }
  for (std::size_t cx = 0; cx < xs.size(); ++cx)
    layer.texts.push_back({{plot.x + w * static_cast<double>(cx), plot.y + plot.h + 2, w, text.em * 1.2},
                           fitted_text(xs[cx], w - 4, text),
                           Align::kCentre,
                           Ink::kText});
  return chart;
}

Chart parallel_chart(const PlanItems& items, const std::vector<std::string>& keys, double width,
                     double height, const TextMetrics& text, int selected) {
  Chart chart{{}, plan_table(items, keys)};
  std::vector<std::string> axes;
  // Layers per stage follow from the rest and are too long for an axis.
  std::copy_if(keys.begin(), keys.end(), std::back_inserter(axes),
               [](const std::string& key) { return key != "layout.stage_layers"; });
  static constexpr std::array<const char*, 4> kResults{"step_time_s", "peak_bytes", "days", "usd"};
  const std::size_t first_result = axes.size();
  for (const char* name : kResults) axes.emplace_back(name);
  std::size_t fits = 0;
  for (const auto& item : items) fits += item.row.status == "ok" ? 1 : 0;
  if (fits == 0) {
    chart.scene = sentence_chart(width, height,
                                 items.empty() ? kNothing : "No layout of the search fits: see Why not.");
    return chart;
  }
  chart.scene = start_chart(width, height, fmt::format("{} layouts that fit, one line each", fits), text);
  Box plot = plot_area(width, height, 5, 1.6, text);
  plot.w = std::max(1.0, plot.w - text.em * 6);
  plot.y += text.em * 2.4;
  plot.h = std::max(1.0, plot.h - text.em * 2.4);
  SceneLayer& layer = chart.scene.layer();
  const double apart = axes.size() > 1 ? plot.w / static_cast<double>(axes.size() - 1) : plot.w;
  std::vector<std::vector<std::string>> words(axes.size());
  std::vector<Scale> scales(axes.size());
  for (std::size_t a = 0; a < axes.size(); ++a) {
    const double x = plot.x + apart * static_cast<double>(a);
    layer.lines.push_back({x, plot.y, x, plot.y + plot.h, Ink::kMutedText, 1});
    const std::size_t dot = axes[a].find('.');
    std::string name = dot == std::string::npos ? axes[a] : axes[a].substr(dot + 1);
    if (a >= first_result) {
      name = metric_label(static_cast<std::size_t>(std::max(0, metric_index(axes[a]))));
      name.resize(name.find(", "));
    }
    // Every second name a line higher, so that each has twice the room.
    const double line = plot.y - text.em * (a % 2 == 0 ? 1.4 : 2.6);
    layer.texts.push_back({{x - apart, line, 2 * apart, text.em * 1.2},
                           fitted_text(name, 2 * apart - 6, text),
                           Align::kCentre,
                           Ink::kText});
    if (a < first_result) {
      words[a] = values_of(items, axes[a]);
      for (std::size_t v = 0; v < words[a].size() && words[a].size() < 24; ++v) {
        const double y =
            plot.y + plot.h * (words[a].size() < 2
                                   ? 0.5
                                   : 1 - static_cast<double>(v) / static_cast<double>(words[a].size() - 1));
        layer.texts.push_back({{x + 4, y - text.em / 2, apart - 6, text.em},
                               fitted_text(words[a][v], apart - 8, text),
                               Align::kLeft,
                               Ink::kText,
                               Ink::kNone,
                               false,
                               true});
      }
      continue;
    }
    double low = 1e300, high = -1e300;
    const auto metric = static_cast<std::size_t>(std::max(0, metric_index(axes[a])));
    for (const auto& item : items) {
      if (const auto v = shown_value(item.row, metric)) low = std::min(low, *v), high = std::max(high, *v);
    }
    if (low > high) low = 0, high = 1;
    scales[a] = make_scale(low, high, plot.y + plot.h, plot.y, false);
    const std::string unit = " " + std::string(shown_unit(metric).unit);
    layer.texts.push_back({{x + 4, plot.y, apart, text.em},
                           digits_text(high, 3) + unit,
                           Align::kLeft,
                           Ink::kMutedText,
                           Ink::kNone,
                           false,
                           true});
    layer.texts.push_back({{x + 4, plot.y + plot.h - text.em, apart, text.em},
                           digits_text(low, 3) + unit,
                           Align::kLeft,
                           Ink::kMutedText,
                           Ink::kNone,
                           false,
                           true});
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (items[i].row.status != "ok") continue;
    SceneCurve curve;
    curve.ink = static_cast<int>(i) == selected ? Ink::kSelection : Ink::kGhost;
    curve.width = static_cast<int>(i) == selected ? 3.0F : 1.0F;
    for (std::size_t a = 0; a < axes.size(); ++a) {
      const double x = plot.x + apart * static_cast<double>(a);
      if (a < first_result) {
        const auto v = static_cast<double>(
            std::find(words[a].begin(), words[a].end(), shown_input(items[i].row, axes[a])) -
            words[a].begin());
        const double last = static_cast<double>(words[a].size()) - 1;
        curve.points.push_back({x, plot.y + plot.h * (last < 1 ? 0.5 : 1 - std::min(v, last) / last)});
      } else if (const auto v = shown_value(items[i].row,
                                            static_cast<std::size_t>(std::max(0, metric_index(axes[a]))))) {
        curve.points.push_back({x, scales[a].at(*v)});
      }
    }
    for (const ScenePoint& point : curve.points)
      chart.scene.hits.push_back({{point.x - 5, point.y - 4, 10, 8}, static_cast<int>(i), tip_of(items[i])});
    layer.curves.push_back(std::move(curve));
  }
  if (selected >= 0) {
    // The selected line above all others.
    std::stable_partition(layer.curves.begin(), layer.curves.end(),
                          [](const SceneCurve& c) { return c.ink != Ink::kSelection; });
  }
  return chart;
}

}  // namespace orrery::gui
