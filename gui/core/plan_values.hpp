#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gui/core/plan_answers.hpp"

namespace orrery::gui {

/// Position among sweep_metrics(); -1 when there is none of this name.
[[nodiscard]] int metric_index(const std::string& name);

/// Units as people write them: GB (10^9 B), %, M USD.
struct ShownUnit {
  double scale = 1;  ///< from the base unit
  std::string_view unit;
};
[[nodiscard]] ShownUnit shown_unit(std::size_t metric);
/// "peak memory, GB": a figure with the unit it is shown in.
[[nodiscard]] std::string metric_label(std::size_t metric);
/// In the unit shown; nothing where the layout does not run or the figure is not known.
[[nodiscard]] std::optional<double> shown_value(const SweepRow& row, std::size_t metric);

/// The value of a scenario key as the command line takes it: names joined by +, numbers by blanks; empty when
/// there is none.
[[nodiscard]] std::string shown_input(const SweepRow& row, const std::string& key);

/// Values of a key in all items, each once, numbers in their order and words after them by name.
[[nodiscard]] std::vector<std::string> distinct_values(const PlanItems& items, const std::string& key);
/// What it was found as and its edits, one a line.
[[nodiscard]] std::string item_tip(const PlanItem& item);

inline constexpr const char* kNothingSearched = "Nothing was searched yet: press Search.";

}  // namespace orrery::gui
