#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gui/core/plan_answers.hpp"

namespace orrery::gui {

/// What answers of a search must meet to be shown, all of it together: "tp:1 schedule:dualpipe gb<80".
struct PlanFilter {
  /// A key of the scenario and the values that pass.
  struct Values {
    std::string key;  ///< "layout.tp", or "found_as" or "status"
    std::vector<std::string> any_of;
  };
  /// A figure and a limit, in the unit shown.
  struct Limit {
    std::size_t metric = 0;  ///< in sweep_metrics()
    bool at_most = true;
    bool equal = false;  ///< whether the limit itself passes
    double value = 0;
  };
  std::vector<Values> values;
  std::vector<Limit> limits;

  [[nodiscard]] bool empty() const { return values.empty() && limits.empty(); }
};

/// `key:value`, `key:value,value` with the last part of a scenario's key (tp, pp, schedule, recompute), its
/// short name (mbs) or whole name, `as:front`, `why:memory`; `figure<number` with step (s), gb, headroom
/// (GB), days, usd (millions, or 5.5M), mfu (%), tokens (per second and GPU), w. InputError at "filter" with
/// what would have been right.
[[nodiscard]] PlanFilter parse_filter(const std::string& text);
[[nodiscard]] bool passes(const PlanFilter& filter, const PlanItem& item);
/// Those that pass, in their order; or those that do not.
[[nodiscard]] PlanItems filtered(const PlanItems& items, const PlanFilter& filter, bool passing = true);

/// (what to write, what it means) for a tooltip.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> filter_words();

}  // namespace orrery::gui
