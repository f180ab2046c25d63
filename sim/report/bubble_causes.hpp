#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/base/ids.hpp"

namespace orrery {

struct LoweredStep;
struct Timeline;

/// What one pipeline rank waited for in a step, picoseconds; the five causes sum to its idle time, and that
/// with `busy` to the step. The rules are in docs/models/bubble.md.
struct RankBubble {
  RankId rank = {};
  std::int64_t busy = 0;        ///< in its steps, in gradient reduction and in the optimizer
  std::int64_t warm_up = 0;     ///< before its first step with a backward
  std::int64_t dependency = 0;  ///< between that and its last forward
  std::int64_t drain = 0;       ///< after its last forward, waiting at the end of the step included
  std::int64_t message = 0;     ///< while the message it waited for was on the wire
  std::int64_t imbalance = 0;   ///< the work it has less than the busiest rank

  [[nodiscard]] std::int64_t idle() const { return warm_up + dependency + drain + message + imbalance; }
};

/// One entry per rank. The run was done. SIM_CHECK: busy + idle is the step (`step_period`) for every rank.
[[nodiscard]] std::vector<RankBubble> bubble_causes(const LoweredStep& step, const Timeline& timeline);

/// The mean over ranks, seconds.
struct MeanBubble {
  double warm_up_s = 0, dependency_s = 0, drain_s = 0, message_s = 0, imbalance_s = 0;

  [[nodiscard]] double idle_s() const { return warm_up_s + dependency_s + drain_s + message_s + imbalance_s; }
};
[[nodiscard]] MeanBubble mean_bubble(std::span<const RankBubble> ranks);

}  // namespace orrery
