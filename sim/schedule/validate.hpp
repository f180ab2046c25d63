#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "sim/schedule/schedule.hpp"

namespace orrery {

/// Where and why a schedule cannot run.
struct ScheduleFault {
  RankId rank;
  std::size_t step = 0;  ///< index into the rank's steps; one past the end where an action is missing there
  std::string problem;   ///< one sentence
  std::string text;      ///< the sentence, then the grid around the step with the step marked `>...<`; for a
                         ///< deadlock also the circle of waiting actions
};

/// Nothing when the schedule can run; otherwise the first fault found. The rules, in the order checked:
/// stage and microbatch exist; no action stands twice; every action stands on the rank that owns it; every
/// stage runs every microbatch once as F and once as B, or as I and W; F before its B or I, I before its W;
/// no deadlock, when the forward of a stage needs the forward of the stage before, its B or I the B or I of
/// the stage after, and an overlapped pair needs the inputs of both. Takes time in proportion to the number
/// of actions.
[[nodiscard]] std::optional<ScheduleFault> validate(const Schedule& schedule);

/// Counts over the steps of one rank, or of all.
struct StepCounts {
  int forwards = 0;      ///< F outside pairs
  int pairs = 0;         ///< overlapped F and B
  int backwards = 0;     ///< B outside pairs
  int input_grads = 0;   ///< I
  int weight_grads = 0;  ///< W
  /// Most (stage, microbatch) whose activations are held at once: from the start of the F to the end of its
  /// B or I. Over all ranks: the greatest.
  int peak_live = 0;
  /// Most (stage, microbatch) at once between the end of the I and the end of the W, which hold what the
  /// weight gradient still needs. Over all ranks: the greatest.
  int peak_deferred = 0;

  bool operator==(const StepCounts&) const = default;
};

struct ScheduleStats {
  std::vector<StepCounts> ranks;  ///< [rank]
  StepCounts overall;             ///< counts summed over the ranks, peaks the greatest of them
};

/// Counts of a valid schedule.
[[nodiscard]] ScheduleStats stats(const Schedule& schedule);

/// The grid around a step: the ranks next to it and the steps before and after, the step itself as `>...<`.
[[nodiscard]] std::string grid_around(const Schedule& schedule, RankId rank, std::size_t step);

}  // namespace orrery
