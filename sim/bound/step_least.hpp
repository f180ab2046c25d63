#pragma once

#include <cstdint>

#include "sim/bound/layout_bound.hpp"

namespace orrery {

/// One step of a rank at its least, picoseconds from its begin. Where messages block, with them.
struct StepLeast {
  std::int64_t alone = 0;           ///< all its work, without what it sends
  std::int64_t free = 0;            ///< the next step may begin
  std::int64_t output = 0;          ///< its output has arrived (blocking), or can leave
  std::int64_t gradient = 0;        ///< the same of the gradient
  std::int64_t gradient_ready = 0;  ///< the gradient can leave
};

[[nodiscard]] StepLeast step_least(const BoundContext& context, const StageBounds& stages,
                                   const RankProfile& rank, const StepCount& step);

}  // namespace orrery
