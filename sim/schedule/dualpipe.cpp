#include <fmt/format.h>

#include <algorithm>

#include "sim/schedule/dual_program.hpp"
#include "sim/schedule/generators.hpp"

namespace orrery {

Verdict check_dualpipe(const PipelineShape& shape) {
  if (shape.vpp != 1) {
    return unfit_shape(
        "stages per rank", shape.vpp, 1,
        fmt::format("DualPipe has one stage per rank and direction, {} asked for; use vpp 1", shape.vpp));
  }
  if (shape.pp % 2 != 0) {
    return unfit_shape(
        "pipeline ranks", shape.pp + 1, shape.pp,
        fmt::format("DualPipe needs an even number of pipeline ranks, not {}; use {}{}", shape.pp,
                    shape.pp > 1 ? fmt::format("{} or ", shape.pp - 1) : "", shape.pp + 1));
  }
  if (shape.microbatches < 2 * shape.pp) {
    return unfit_shape(
        "microbatches", 2 * shape.pp, shape.microbatches,
        fmt::format("DualPipe needs at least 2 microbatches per pipeline rank, {} for {} ranks, "
                    "not {}; use a larger batch, smaller microbatches or fewer pipeline ranks",
                    2 * shape.pp, shape.pp, shape.microbatches));
  }
  if (shape.microbatches % 2 != 0) {
    return unfit_shape("microbatches", shape.microbatches + 1, shape.microbatches,
                       fmt::format("DualPipe sends half of the microbatches each way, and {} is odd; use {}",
                                   shape.microbatches, shape.microbatches + 1));
  }
  return {};
}

// DualPipe. Source: DeepSeek-V3, arXiv 2412.19437, section 3.2.1, as deepseek-ai/DualPipe 3da1bbe runs it.
// Assumes that all-to-all hides behind compute in a pair (F&B), and that gradients of the two copies of a
// stage are summed after the step. Bubble: (P/2-1)(F&B + B - 3W), B the whole backward; exact where W = F and
// B = 2F, otherwise up to about one F less, and ranks at the ends less than those in the middle where F&B <
// F+B. Memory: P+1 microbatches on every rank, parameters of two stages. Rank r holds stage r for the
// microbatches that run left to right (0 .. N/2-1) and stage P-1-r for those that run right to left (N/2 ..
// N-1). The near stream of a rank, phase 0, is the one that enters at the nearer end, which makes the
// programs of ranks r and P-1-r mirror images.
Schedule make_dualpipe(const PipelineShape& shape) {
  Schedule schedule = empty_schedule("dualpipe", shape, [](int stage) { return stage; });
  const std::int32_t per_phase = shape.microbatches / 2;
  for (std::int32_t stage = 0; stage < shape.pp; ++stage) {
    for (std::int32_t microbatch = per_phase; microbatch < shape.microbatches; ++microbatch) {
      schedule.owner[schedule.slot(StageId{stage}, MicrobatchId{microbatch})] = RankId{shape.pp - 1 - stage};
    }
  }
  for (std::int32_t rank = 0; rank < shape.pp; ++rank) {
    const DualPhase rightward{.stage = StageId{rank}, .first = MicrobatchId{0}};
    const DualPhase leftward{.stage = StageId{shape.pp - 1 - rank}, .first = MicrobatchId{per_phase}};
    const bool left_half = rank < shape.pp / 2;
    schedule.ranks[static_cast<std::size_t>(rank)] =
        dual_program({.half = shape.pp / 2,
                      .distance = std::min(rank, shape.pp - 1 - rank),
                      .per_phase = per_phase,
                      .phases = {left_half ? rightward : leftward, left_half ? leftward : rightward}});
  }
  return schedule;
}

}  // namespace orrery
