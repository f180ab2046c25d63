#include "gui/core/difference_over_time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gui/core/chart_parts.hpp"

namespace orrery::gui {
namespace {

/// A row of the table for so many pixels.
constexpr std::size_t kPixelsARow = 16;
/// Of the height, kept free above and below.
constexpr double kAir = 2;
/// A lower picture has no legend.
constexpr double kLegendFromEms = 4.5;

std::vector<double> edges_between(double t0, double t1, std::size_t parts) {
  std::vector<double> out(parts + 1);
  for (std::size_t i = 0; i <= parts; ++i)
    out[i] = t0 + (t1 - t0) * static_cast<double>(i) / static_cast<double>(parts);
  return out;
}

CategoryShares minus(const CategoryShares& x, const CategoryShares& y) {
  CategoryShares out{};
  for (std::size_t c = 0; c < out.size(); ++c) out[c] = x[c] - y[c];
  return out;
}

}  // namespace

std::vector<CategoryShares> shares_over_time(const RunView& run, const std::vector<double>& edges) {
  std::vector<CategoryShares> out(edges.size() < 2 ? 0 : edges.size() - 1);
  if (out.empty() || !run.feasible()) return out;
  const double ranks = static_cast<double>(std::max<std::size_t>(1, run.pipeline().rows.size()));
  for (const auto& row : run.pipeline().rows) {
    const SliceRow& s = row->slices;
    std::size_t part = 0;
    for (std::size_t i = row->index.first_after(static_cast<std::int64_t>(std::floor(edges.front())));
         i < s.size() && static_cast<double>(s.begin[i]) < edges.back(); ++i) {
      const auto begin = static_cast<double>(s.begin[i]);
      const auto end = static_cast<double>(s.end[i]);
      while (part < out.size() && edges[part + 1] <= begin) ++part;
      for (std::size_t p = part; p < out.size() && edges[p] < end; ++p) {
        const double inside = std::min(end, edges[p + 1]) - std::max(begin, edges[p]);
        const double share = std::max(0.0, inside) / (edges[p + 1] - edges[p]) / ranks;
        const bool pair = s.second[i] != Ink::kNone;
        out[p][static_cast<std::size_t>(s.ink[i])] += pair ? share / 2 : share;
        if (pair) out[p][static_cast<std::size_t>(s.second[i])] += share / 2;
      }
    }
  }
  return out;
}

Chart difference_over_time(const RunView& a, const RunView& b, const TimeMap& map, double t0, double t1,
                           double left, double width, double height, const TextMetrics& text) {
  Chart chart;
  chart.table = {"difference-over-time", "Ranks of A minus ranks of B, by category over time", {}, {}, {}};
  const auto n = static_cast<std::size_t>(std::max(0.0, std::floor(width - left)));
  if (!a.feasible() || !b.feasible() || t1 <= t0 || n == 0) {
    chart.scene = sentence_chart(width, height, "");
    return chart;
  }
  const auto shares = [&](const RunView& run, std::size_t parts, bool other) {
    std::vector<double> edges = edges_between(t0, t1, parts);
    if (other)
      std::transform(edges.begin(), edges.end(), edges.begin(), [&](double t) { return map.to_b(t); });
    return shares_over_time(run, edges);
  };
  const std::vector<CategoryShares> of_a = shares(a, n, false);
  const std::vector<CategoryShares> of_b = shares(b, n, true);
  chart.scene.width = width;
  chart.scene.height = height;
  SceneLayer& layer = chart.scene.new_layer();
  layer.rects.push_back({{0, 0, width, height}, Ink::kBackground});
  // Below it the categories that occur.
  const double legend = height > text.em * kLegendFromEms ? text.em * 1.3 : 0;
  const double middle = (height - legend) / 2;
  const double room = std::max(0.0, middle - kAir);
  for (std::size_t i = 0; i < n; ++i) {
    double up = middle;
    double down = middle;
    const CategoryShares d = minus(of_a[i], of_b[i]);
    for (int c = 0; c < static_cast<int>(Ink::kIdle); ++c) {
      const double h = d[static_cast<std::size_t>(c)] * room;
      if (std::abs(h) < 0.25) continue;
      if (h > 0) up -= h;
      layer.rects.push_back(
          {{left + static_cast<double>(i), h > 0 ? up : down, 1, std::abs(h)}, static_cast<Ink>(c)});
      if (h < 0) down -= h;
    }
  }
  layer.lines.push_back({left, middle, width, middle, Ink::kGrid});
  const auto words = [&](double y, const std::string& line, bool small) {
    layer.texts.push_back({{8, y, left - 12, text.em},
                           fitted_text(line, left - 12, text),
                           Align::kLeft,
                           small ? Ink::kMutedText : Ink::kText,
                           Ink::kNone,
                           false,
                           small});
  };
  words(kAir, "+100 % of ranks", true);
  words(middle - text.em / 2, "A - B, by what", false);
  words(height - legend - kAir - text.em, "-100 % of ranks", true);

  const std::size_t rows = std::max<std::size_t>(1, n / kPixelsARow);
  const std::vector<CategoryShares> coarse_a = shares(a, rows, false);
  const std::vector<CategoryShares> coarse_b = shares(b, rows, true);
  std::vector<int> shown;
  for (int c = 0; c < kCategoryCount; ++c) {
    const auto at = static_cast<std::size_t>(c);
    const auto occurs = [&](const std::vector<CategoryShares>& all) {
      return std::any_of(all.begin(), all.end(), [&](const CategoryShares& s) { return s[at] > 0; });
    };
    if (occurs(coarse_a) || occurs(coarse_b)) shown.push_back(c);
  }
  double x = left;
  for (const int c : shown) {
    const Category& category = gui::category(static_cast<Ink>(c));
    const double w = text.width(category.name) * 0.9 + text.em * 2.2;
    if (legend <= 0 || category.ink == Ink::kIdle || x + w > width) continue;
    const double y = height - legend;
    layer.rects.push_back(
        {{x, y + legend * 0.25, text.em * 1.2, legend * 0.5}, category.ink, category.pattern});
    layer.texts.push_back({{x + text.em * 1.5, y, w, legend},
                           std::string(category.name),
                           Align::kLeft,
                           Ink::kText,
                           Ink::kNone,
                           false,
                           true});
    x += w;
  }
  chart.table.columns = {{"a_s", "A, s"}, {"b_s", "B, s"}};
  for (const int c : shown)
    chart.table.columns.push_back(
        {fmt::format("c{}", c), fmt::format("{}, points", category(static_cast<Ink>(c)).name)});
  for (std::size_t r = 0; r < rows; ++r) {
    const double t = t0 + (t1 - t0) * static_cast<double>(r) / static_cast<double>(rows);
    const auto time = [](double ps) { return Cell(fmt::format("{:.4g}", ps * 1e-12), ps * 1e-12, "s"); };
    std::vector<Cell> cells{time(t), time(map.to_b(t))};
    const CategoryShares d = minus(coarse_a[r], coarse_b[r]);
    for (const int c : shown) {
      const double points = 100 * d[static_cast<std::size_t>(c)];
      cells.emplace_back(fmt::format("{:+.1f}", points), points, "% of ranks");
    }
    chart.table.rows.push_back(std::move(cells));
  }
  return chart;
}

}  // namespace orrery::gui
