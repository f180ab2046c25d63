#pragma once

#include <string>
#include <vector>

#include "planner/plan.hpp"
#include "planner/sweep/sweep_row.hpp"
#include "planner/training_run.hpp"

namespace orrery::gui {

/// A layout that was looked at, by a plan, a sweep or a journal.
struct PlanItem {
  std::vector<Override> overrides;  ///< of the scenario that was asked about; opening the layout applies them
  SweepRow row;
  std::string found_as;  ///< "best 3", "front 1"; empty: one of a grid
};
using PlanItems = std::vector<PlanItem>;

/// How many layouts came to one end.
struct Fate {
  std::string code;  ///< "fits", a reason code, "bounded", "evaluated"
  double layouts = 0;
  std::string what;     ///< in words; may be empty
  bool stopped = true;  ///< cannot run, or is not wanted
};

/// A plan as the window shows it.
struct PlanAnswer {
  PlanItems items;          ///< the best layouts, then points of the front that are not among them
  std::vector<Fate> fates;  ///< in the order of the plan's own table
  double candidates = 0;
  std::string words;      ///< as `orrery plan` prints it
  bool complete = false;  ///< proven
};

/// Completes the best layouts' figures with those of a run, and simulates the points of the front. Of a plan
/// that was stopped before all of them were simulated, items have the figures of the search alone.
[[nodiscard]] PlanAnswer plan_answer(const PlanReport& report, const RunData& data);

/// Edits that make `to` of `from`: every key whose value differs, values as JSON.
[[nodiscard]] std::vector<Override> changes_between(const Scenario& from, const Scenario& to);

/// Keys of the layouts whose values are not the same in all items.
[[nodiscard]] std::vector<std::string> varying_keys(const PlanItems& items);

/// Of a grid, what fits before what does not, the shorter step first; else in the order of the grid.
void put_best_first(PlanItems& items);

/// What became of the items of a grid: "fits" and the reasons, most frequent first.
[[nodiscard]] std::vector<Fate> fates_of(const PlanItems& items);

}  // namespace orrery::gui
