#include "sim/schedule/generators.hpp"

namespace orrery {

// GPipe. Source: Huang et al. 2018, arXiv 1811.06965, section 2.3. Every rank runs all forwards, then all
// backwards, both in the order of the microbatches, so that the backward of a microbatch can move on while
// the stage before still works on the one ahead of it. (The paper reverses the order of the backwards, which
// makes no difference to time or memory with equal stages.) Assumes nothing. Bubble: (P-1)(F+B). Memory: all
// N microbatches on every rank.
Schedule make_gpipe(const PipelineShape& shape) {
  Schedule schedule = empty_schedule("gpipe", shape, [](int stage) { return stage; });
  for (std::int32_t rank = 0; rank < shape.pp; ++rank) {
    auto& steps = schedule.ranks[static_cast<std::size_t>(rank)];
    steps.reserve(2 * static_cast<std::size_t>(shape.microbatches));
    for (const ActionKind kind : {ActionKind::kForward, ActionKind::kBackward}) {
      for (std::int32_t microbatch = 0; microbatch < shape.microbatches; ++microbatch) {
        steps.push_back(
            alone({.kind = kind, .stage = StageId{rank}, .microbatch = MicrobatchId{microbatch}}));
      }
    }
  }
  return schedule;
}

}  // namespace orrery
