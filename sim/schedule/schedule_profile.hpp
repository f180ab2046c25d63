#pragma once

#include <cstdint>
#include <vector>

#include "sim/schedule/schedule.hpp"

namespace orrery {

/// How often a rank does one kind of step, by where in its program: before its first step with a backward,
/// from that one to its last step with a backward (both included), after it.
struct StepCount {
  ActionKind kind = ActionKind::kForward;
  bool overlapped = false;
  std::int32_t stage = 0;   ///< of the action, or of the pair's forward
  std::int32_t second = 0;  ///< of the pair's backward
  std::int64_t before = 0, middle = 0, after = 0;
};

/// Activations alive on a rank at one moment, by stage in the order of `RankProfile::stages`.
struct LiveCount {
  std::int32_t kept = 0;      ///< forwards whose backward or input gradient is still to come
  std::int32_t deferred = 0;  ///< input gradients whose weight gradient is still to come
};

/// What the time and the memory of one rank depend on, without the order of its steps.
struct RankProfile {
  std::vector<std::int32_t> stages;  ///< held, ascending
  std::vector<StepCount> steps;
  std::int32_t first_stage = 0;        ///< of its first step, which is a forward
  std::int32_t first_backward = -1;    ///< stage of its first backward; -1: it has none
  std::int32_t last_backward = -1;     ///< stage of its last backward
  std::size_t last_backward_step = 0;  ///< place in `steps` of the step that holds it
  std::size_t last_step = 0;           ///< place in `steps` of the rank's last step
  /// Every moment that no other moment exceeds in all counts at once: whatever bytes a stage keeps, the peak
  /// of the rank is among these. [moment * stages.size() + stage]
  std::vector<LiveCount> peaks;
  /// A stage's forward hands its output to another rank, its backward the gradient. By stage in `stages`.
  std::vector<bool> sends_output, sends_gradient;
};

/// A schedule reduced to counts: small, and the same for every layout that uses it.
struct ScheduleProfile {
  int stages = 0;
  int microbatches = 0;
  bool overlaps = false;            ///< has overlapped pairs
  int copies = 1;                   ///< ranks that hold each stage: 2 in bidirectional schedules
  std::vector<std::int32_t> owner;  ///< [stage] rank of microbatch 0
  std::vector<RankProfile> ranks;
  /// Every rank has a moment at which so many microbatches are alive on each of its stages.
  std::int64_t least_live = 0;
};

/// One pass over a valid schedule.
[[nodiscard]] ScheduleProfile profile_of(const Schedule& schedule);

}  // namespace orrery
