#include <fmt/format.h>

#include "sim/schedule/dual_program.hpp"
#include "sim/schedule/generators.hpp"

namespace orrery {

Verdict check_dualpipev(const PipelineShape& shape) {
  if (shape.vpp != 2) {
    return unfit_shape("stages per rank", 2, shape.vpp,
                       fmt::format("DualPipeV has 2 stages per rank, {} asked for; use vpp 2", shape.vpp));
  }
  if (shape.microbatches < 2 * shape.pp) {
    return unfit_shape(
        "microbatches", 2 * shape.pp, shape.microbatches,
        fmt::format("DualPipeV needs at least 2 microbatches per pipeline rank, {} for {} ranks, "
                    "not {}; use a larger batch, smaller microbatches or fewer pipeline ranks",
                    2 * shape.pp, shape.pp, shape.microbatches));
  }
  return {};
}

// DualPipeV. Source: deepseek-ai/DualPipe 3da1bbe, dualpipe/dualpipev.py: DualPipe cut in half, so that no
// stage has a second copy. Assumes hidden all-to-all, as DualPipe. Bubble with 2P stages: (P-1)(F&B + B - 3W)
// of one stage, exact where DualPipe's is. Memory: 2P+1 activations of a stage on every rank, a stage being
// half of 1F1B's. Rank r of P holds stage r on the way down and stage 2P-1-r on the way back, so every
// microbatch passes every rank twice: its program is that of rank r of a DualPipe over 2P ranks with twice
// the microbatches.
Schedule make_dualpipev(const PipelineShape& shape) {
  const std::int32_t last = 2 * shape.pp - 1;
  Schedule schedule =
      empty_schedule("dualpipev", shape, [&](int stage) { return stage < shape.pp ? stage : last - stage; });
  for (std::int32_t rank = 0; rank < shape.pp; ++rank) {
    schedule.ranks[static_cast<std::size_t>(rank)] =
        dual_program({.half = shape.pp,
                      .distance = rank,
                      .per_phase = shape.microbatches,
                      .phases = {DualPhase{.stage = StageId{rank}, .first = MicrobatchId{0}},
                                 DualPhase{.stage = StageId{last - rank}, .first = MicrobatchId{0}}}});
  }
  return schedule;
}

}  // namespace orrery
