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
  if (!all_fit) t.columns.push_back({"status", "fits", false});
  static constexpr std::array<std::pair<const char*, const char*>, 7> kShown{
      {{"step_time_s", "step, s"},
       {"tokens_per_s_per_gpu", "tokens/s/GPU"},
       {"mfu_causal", "MFU, %"},
       {"peak_bytes", "peak, GB"},
       {"days", "days"},
       {"usd", "M USD"},
       {"gpu_mean_w", "W/GPU"}}};
  for (const auto& [name, title] : kShown) t.columns.push_back({name, title});
  for (const std::string& key : keys) {
    const std::size_t dot = key.find('.');
    t.columns.push_back({key, dot == std::string::npos ? key : key.substr(dot + 1), false});
  }
  if (!all_fit) t.columns.push_back({"reason", "why not", false});
  for (const auto& item : items) {
    std::vector<Cell> row;
    if (named) row.emplace_back(item.found_as);
    if (!all_fit)
      row.emplace_back(item.row.reason_code.empty() ? item.row.status : "no: " + item.row.reason_code);
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
                    double height, const TextMetrics& text, int selected, const PlanItems& others) {
  Chart chart;
  double low_x = 1e300, high_x = -1e300, low_y = 1e300, high_y = -1e300;
  std::size_t fits = 0;
  // As far as the figures shown tell them apart.
  std::set<std::pair<std::string, std::string>> places;
  std::size_t hollow = 0;
  for (const PlanItems* all : {&items, &others}) {
    for (const auto& item : *all) {
      const auto x = shown_value(item.row, x_metric);
      const auto y = shown_value(item.row, y_metric);
      if (!x || !y) continue;
      ++(all == &items ? fits : hollow);
      if (all == &items) places.insert({digits_text(*x), digits_text(*y)});
      low_x = std::min(low_x, *x);
      high_x = std::max(high_x, *x);
      low_y = std::min(low_y, *y);
      high_y = std::max(high_y, *y);
    }
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
    chart.scene = sentence_chart(
        width, height, items.empty() ? kNothingSearched : "No layout of the search fits: see Why not.");
    return chart;
  }
  chart.scene = start_chart(
      width, height,
      fmt::format("{} of {} layouts fit{}; the line joins those that none beats in both{}", fits,
                  items.size(), places.size() == fits ? "" : fmt::format(", at {} places", places.size()),
                  hollow == 0 ? "" : fmt::format("; hollow: {} that the filter leaves out", hollow)),
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
  for (const PlanItem& item : others) {
    const auto vx = shown_value(item.row, x_metric);
    const auto vy = shown_value(item.row, y_metric);
    if (!vx || !vy) continue;
    layer.dots.push_back({x.at(*vx), y.at(*vy), 3.5, Ink::kBackground, Ink::kGhost});
    chart.scene.hits.push_back(
        {{x.at(*vx) - 5, y.at(*vy) - 5, 10, 10}, -1, item_tip(item) + "\nleft out by the filter"});
  }
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
    const std::string tip = item_tip(items[i]) + "\n";
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
  const std::vector<std::string> xs = distinct_values(items, x_key);
  const std::vector<std::string> ys = distinct_values(items, y_key);
  chart.table = {"heat-map", "Best of each cell", {{"y", y_key, false}}, {}, {}};
  for (const std::string& x : xs) chart.table.columns.push_back({x, x_key + " " + x});
  if (xs.empty() || ys.empty() || xs.size() > 64 || ys.size() > 64) {
    chart.scene = sentence_chart(width, height, "Nothing was searched over these two keys.");
    return chart;
  }
  const bool listed =
      std::any_of(items.begin(), items.end(), [](const PlanItem& item) { return !item.found_as.empty(); });
  chart.scene = start_chart(
      width, height,
      fmt::format("Best {}, by {} (across) and {} (down); the stronger the colour the better; hatched: {}",
                  metric_label(metric), x_key, y_key, listed ? "none of those listed" : "nothing fits"),
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

}  // namespace orrery::gui
