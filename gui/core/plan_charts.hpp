#pragma once

#include <string>
#include <vector>

#include "gui/core/plan_answers.hpp"
#include "gui/core/plan_values.hpp"
#include "gui/core/result_charts.hpp"

namespace orrery::gui {

/// Every item with the values of its axes, what came out, and why not where nothing did.
[[nodiscard]] Table plan_table(const PlanItems& items, const std::vector<std::string>& keys);
/// Items that no other beats in both metrics, in the order of the first; `better` is that of SweepMetric.
[[nodiscard]] std::vector<std::size_t> front_of(const PlanItems& items, std::size_t x_metric,
                                                std::size_t y_metric);
/// Feasible items as dots, the front joined by a line; hit ids are items. `others` that are feasible, such as
/// those a filter leaves out, are hollow dots behind them, on no front and with the hit id -1.
[[nodiscard]] Chart scatter_chart(const PlanItems& items, std::size_t x_metric, std::size_t y_metric,
                                  double width, double height, const TextMetrics& text, int selected,
                                  const PlanItems& others = {});
/// Two keys against each other; a cell has the best value of the metric over everything else, or the reason.
[[nodiscard]] Chart heat_chart(const PlanItems& items, const std::string& x_key, const std::string& y_key,
                               std::size_t metric, double width, double height, const TextMetrics& text);
/// One line an item over axes and results; the selected one stands out.
[[nodiscard]] Chart parallel_chart(const PlanItems& items, const std::vector<std::string>& keys, double width,
                                   double height, const TextMetrics& text, int selected);
/// How many of `total` layouts came to each end, widest bar the most frequent one; the rows keep their order.
[[nodiscard]] Chart reasons_chart(const std::vector<Fate>& fates, double total, double width, double height,
                                  const TextMetrics& text);

}  // namespace orrery::gui
