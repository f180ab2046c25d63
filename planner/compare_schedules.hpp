#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "planner/schedule_bars.hpp"
#include "sim/base/verdict.hpp"
#include "sim/report/bubble_causes.hpp"
#include "sim/scenario.hpp"

namespace orrery {

/// What a GPU of the fullest pipeline rank holds; each figure the largest of any rank.
struct ScheduleMemory {
  double activations_bytes = 0;
  double live_microbatches = 0;  ///< (stage, microbatch) alive at the fullest moment of a rank
  double parameters = 0;
  double total_bytes = 0;
};

/// One schedule on the scenario's model and cluster.
struct ComparedSchedule {
  std::string name;
  std::int64_t vpp = 1;
  Verdict infeasible;  ///< set: no time, and memory only where it is the reason
  double step_time_s = 0;
  MeanBubble bubble;                     ///< mean of the pipeline ranks
  std::optional<ScheduleMemory> memory;  ///< empty: not known, the layout fails before it
  ScheduleBars bars;

  [[nodiscard]] double bubble_share() const { return step_time_s > 0 ? bubble.idle_s() / step_time_s : 0; }
};

/// Names of every schedule that can be made, in the order of `generators()`.
[[nodiscard]] std::vector<std::string> schedule_names();

/// Simulates the scenario once for each schedule, everything but schedule and stages per rank unchanged.
/// Stages per rank are the scenario's where the schedule has such, else the schedule's own default; with
/// another number of stages than the scenario's, its `stage_layers` give way to the balanced cut. Sizes that
/// a schedule cannot have are rows with the reason. Throws InputError as `find_generator` for unknown names
/// and as `simulate`.
[[nodiscard]] std::vector<ComparedSchedule> compare_schedules(const Scenario& scenario,
                                                              std::span<const std::string> names);

/// Index of the row with the shortest step; nothing when none fits. The first among equals.
[[nodiscard]] std::optional<std::size_t> fastest(std::span<const ComparedSchedule> rows);

}  // namespace orrery
