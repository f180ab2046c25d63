#include <algorithm>

#include "sim/schedule/generators.hpp"

namespace orrery {

// ZB-H1. Source: Qi et al. 2023, arXiv 2401.10241, section 2. The order of 1F1B with every backward split.
// Assumes F = I = W for its name, and needs no optimizer of its own. Rank r keeps up to r weight gradients
// back, so the gradient of the input leaves it earlier than in 1F1B, and runs them where 1F1B would idle at
// the end.
// Bubble: (P-1)(F+I-W).
// Memory: at most P-r microbatches for the backward and r more for their weight gradients, P in all, which is
// what rank 0 of 1F1B holds.
Schedule make_zb_h1(const PipelineShape& shape) {
  Schedule schedule = empty_schedule("zb-h1", shape, [](int stage) { return stage; });
  for (std::int32_t rank = 0; rank < shape.pp; ++rank) {
    auto& steps = schedule.ranks[static_cast<std::size_t>(rank)];
    steps.reserve(3 * static_cast<std::size_t>(shape.microbatches));
    const auto add = [&](ActionKind kind, std::int32_t microbatch) {
      steps.push_back(alone({.kind = kind, .stage = StageId{rank}, .microbatch = MicrobatchId{microbatch}}));
    };
    const std::int32_t ahead = std::min(shape.pp - 1 - rank, shape.microbatches);
    for (std::int32_t i = 0; i < ahead; ++i) add(ActionKind::kForward, i);
    for (std::int32_t i = 0; i < shape.microbatches; ++i) {
      if (ahead + i < shape.microbatches) add(ActionKind::kForward, ahead + i);
      add(ActionKind::kInputGrad, i);
      if (i >= rank) add(ActionKind::kWeightGrad, i - rank);
    }
    const std::int32_t run = std::max(shape.microbatches - rank, 0);
    for (std::int32_t i = run; i < shape.microbatches; ++i) add(ActionKind::kWeightGrad, i);
  }
  return schedule;
}

}  // namespace orrery
