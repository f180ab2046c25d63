#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/schedule/generators.hpp"
#include "sim/schedule/schedule_bound.hpp"
#include "sim/schedule/schedule_costs.hpp"

namespace orrery {

/// What to find an order for. Knows no second and no byte: ticks and units.
struct AutoInput {
  Placement placement;
  ScheduleCosts costs;
  /// How much is tried, counted in steps timed, so that it is the same on every machine. 60 million are about
  /// a second.
  std::int64_t effort = 60'000'000;
};

/// The best order found.
struct AutoSchedule {
  Schedule schedule;   ///< empty where not `found`
  bool found = false;  ///< some order fits the memory limits
  std::int64_t makespan = 0;
  std::int64_t lower_bound = 0;          ///< of all orders on this placement, see `lower_bound`
  std::string how;                       ///< what it started from and whether it was improved
  std::vector<std::int64_t> peak_units;  ///< [rank]

  /// How far above the bound, 0.02 for 2 %.
  [[nodiscard]] double gap() const {
    return lower_bound == 0 ? 0.0
                            : static_cast<double>(makespan - lower_bound) / static_cast<double>(lower_bound);
  }
};

/// Orders of uneven stages. Candidates are every fixed schedule of the registry that has this placement and
/// fits, and list schedules under many policies (list_schedule.hpp); the best few are improved
/// (schedule_search.hpp). So the result is never longer than any fixed schedule that fits, on these costs.
/// A fixed schedule with pairs counts only where the costs have them. Every result passes `validate`.
[[nodiscard]] AutoSchedule find_schedule(const AutoInput& input);

/// The different placements for a size: stage s on rank s mod pp; with two stages per rank the V; with an
/// even pp and one stage per rank the one from both ends; and what else the fixed schedules have.
[[nodiscard]] std::vector<Placement> placements(const PipelineShape& shape);

/// The schedule "auto" where nothing about costs is known: F, I and W of one tick each, and as many
/// microbatches on a rank as 1F1B has.
[[nodiscard]] Schedule make_auto(const PipelineShape& shape);

}  // namespace orrery
