#pragma once

#include <cstdint>
#include <vector>

#include "sim/schedule/schedule.hpp"

namespace orrery {

// Passes turn a valid schedule into another one, or say something about its steps; none knows a second or a
// byte. What a rank sends and receives is in messages.hpp.

/// Every lone whole backward becomes its input gradient and, directly after, its weight gradient. Pairs keep
/// theirs: nothing could run between the halves.
[[nodiscard]] Schedule split_weight_gradients(const Schedule& schedule);

/// Every input gradient becomes a whole backward where it stands, and its postponed weight gradient vanishes.
/// Undoes `split_weight_gradients` exactly. Never makes a rank hold more.
[[nodiscard]] Schedule merge_weight_gradients(const Schedule& schedule);

/// What the actions of a step are to their stage on their rank.
struct StageUse {
  bool first_forward = false;  ///< the stage's weights are used for the first time in the step of training
  bool last_gradient = false;  ///< the stage's weight gradients are complete after it
  bool operator==(const StageUse&) const = default;
};
struct StepUse {
  StageUse first, second;  ///< of `Step::first` and `Step::second`
  bool operator==(const StepUse&) const = default;
  [[nodiscard]] std::int32_t bits() const {
    return (first.first_forward ? 1 : 0) | (first.last_gradient ? 2 : 0) | (second.first_forward ? 4 : 0) |
           (second.last_gradient ? 8 : 0);
  }
};
/// [rank][step]. A stage on two ranks has a first and a last on each.
[[nodiscard]] std::vector<std::vector<StepUse>> stage_uses(const Schedule& schedule);

}  // namespace orrery
