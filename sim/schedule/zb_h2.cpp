#include <fmt/format.h>

#include <algorithm>

#include "sim/schedule/generators.hpp"

namespace orrery {

Verdict check_zb_h2(const PipelineShape& shape) {
  if (auto unfit = check_one_stage_per_rank(shape)) return unfit;
  if (shape.live_limit == 0 || shape.live_limit >= shape.pp) return {};
  return unfit_shape(
      "microbatches that a rank may hold", shape.pp, shape.live_limit,
      fmt::format(
          "zb-h2 on {0} ranks needs room for {0} microbatches on each, as 1F1B's first rank does, not "
          "{1}; raise live_microbatches or use fewer pipeline ranks",
          shape.pp, shape.live_limit));
}

// ZB-H2. Source: Qi et al. 2023, arXiv 2401.10241, section 2 (the handcrafted schedule; the paper's ZB-2p is
// the same idea searched for measured times).
// Assumes F = I = W, messages that take no time, and an optimizer that waits for no other rank (the paper's
// post-validation). Every rank runs twice the forwards ahead that 1F1B would, which fills the wait for the
// first backward, and keeps up to 2r weight gradients back, which turns the trapezoid at the end into a
// parallelogram: a rank's first forward starts r forwards late, and its last W ends as late.
// Bubble from a rank's own first action to its own last: (P-1)(F+I-2W), 0 where the times are equal; seen
// from the first start on any rank to the last end on any, (P-1)F more. In full only for N >= 2P-1.
// Memory: 2(P-r)-1 microbatches held for the backward and 2r for their weight gradients, 2P-1 in all on
// every rank: twice that of 1F1B's rank 0.
// Within a limit of L microbatches, P <= L < 2P-1: a rank runs up to L-P forwards further ahead than in 1F1B,
// and keeps as many weight gradients back as the limit leaves; L = P is ZB-H1. Each rank stays at least one
// forward ahead of the next, which is what keeps the order free of deadlock. No closed form of its bubble.
Schedule make_zb_h2(const PipelineShape& shape) {
  Schedule schedule = empty_schedule("zb-h2", shape, [](int stage) { return stage; });
  for (std::int32_t rank = 0; rank < shape.pp; ++rank) {
    auto& steps = schedule.ranks[static_cast<std::size_t>(rank)];
    steps.reserve(3 * static_cast<std::size_t>(shape.microbatches));
    const auto add = [&](ActionKind kind, std::int32_t microbatch) {
      steps.push_back(alone({.kind = kind, .stage = StageId{rank}, .microbatch = MicrobatchId{microbatch}}));
    };
    const std::int32_t limit = shape.live_limit > 0 ? shape.live_limit : 2 * shape.pp - 1;
    const std::int32_t plain = shape.pp - 1 - rank;
    const std::int32_t full = plain + std::min(limit - shape.pp, plain);
    const std::int32_t ahead = std::min(full, shape.microbatches);
    const std::int32_t held_back = std::min({2 * rank, limit - 1 - full, shape.microbatches});
    for (std::int32_t i = 0; i < ahead; ++i) add(ActionKind::kForward, i);
    for (std::int32_t i = 0; i < shape.microbatches; ++i) {
      if (ahead + i < shape.microbatches) add(ActionKind::kForward, ahead + i);
      add(ActionKind::kInputGrad, i);
      if (i >= held_back) add(ActionKind::kWeightGrad, i - held_back);
    }
    for (std::int32_t i = shape.microbatches - held_back; i < shape.microbatches; ++i) {
      add(ActionKind::kWeightGrad, i);
    }
  }
  return schedule;
}

}  // namespace orrery
