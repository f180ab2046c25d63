#include <algorithm>

#include "sim/schedule/generators.hpp"

namespace orrery {

// 1F1B. Source: Narayanan et al. 2019, PipeDream, SOSP'19, section 3.2, flushed after every step as in
// arXiv 2104.04473, section 2.2.1. Rank r of P runs P-1-r forwards ahead, then forward and backward in turn,
// then the backwards left over. Assumes nothing. Bubble: (P-1)(F+B). Memory: P-r microbatches on rank r.
Schedule make_one_f_one_b(const PipelineShape& shape) {
  Schedule schedule = empty_schedule("1f1b", shape, [](int stage) { return stage; });
  for (std::int32_t rank = 0; rank < shape.pp; ++rank) {
    auto& steps = schedule.ranks[static_cast<std::size_t>(rank)];
    steps.reserve(2 * static_cast<std::size_t>(shape.microbatches));
    const auto add = [&](ActionKind kind, std::int32_t microbatch) {
      steps.push_back(alone({.kind = kind, .stage = StageId{rank}, .microbatch = MicrobatchId{microbatch}}));
    };
    const std::int32_t ahead = std::min(shape.pp - 1 - rank, shape.microbatches);
    for (std::int32_t i = 0; i < ahead; ++i) add(ActionKind::kForward, i);
    for (std::int32_t i = 0; i < shape.microbatches; ++i) {
      if (ahead + i < shape.microbatches) add(ActionKind::kForward, ahead + i);
      add(ActionKind::kBackward, i);
    }
  }
  return schedule;
}

}  // namespace orrery
