#include <fmt/format.h>

#include <algorithm>

#include "sim/schedule/generators.hpp"

namespace orrery {
namespace {

/// Microbatches that go through one stage of a rank before its next stage has a turn: the fewest, at least
/// pp, whose last group is whole or has at least pp too. Megatron-LM asks the user for a number with these
/// properties (microbatch_group_size_per_vp_stage), because a smaller last group would wait for its own
/// forwards; its default is pp, which is also the answer here wherever pp divides the microbatches.
std::int32_t group_size(const PipelineShape& shape) {
  std::int32_t size = shape.pp;
  while (shape.microbatches % size != 0 && shape.microbatches % size < shape.pp) ++size;
  return size;
}

/// The stages and microbatches of a rank in the order of its forwards, stages as 0 .. vpp-1: a group goes
/// through the first stage, then the second, and so on; then the next group.
struct Piece {
  std::int32_t chunk = 0;
  std::int32_t microbatch = 0;
};

std::vector<Piece> pieces_of(const PipelineShape& shape, std::int32_t group) {
  std::vector<Piece> pieces;
  pieces.reserve(static_cast<std::size_t>(shape.microbatches) * static_cast<std::size_t>(shape.vpp));
  for (std::int32_t first = 0; first < shape.microbatches; first += group) {
    const std::int32_t end = std::min(first + group, shape.microbatches);
    for (std::int32_t chunk = 0; chunk < shape.vpp; ++chunk) {
      for (std::int32_t m = first; m < end; ++m) pieces.push_back({.chunk = chunk, .microbatch = m});
    }
  }
  return pieces;
}

/// Backwards go through the same pieces, but visit the stages from the last.
Step step_of(const PipelineShape& shape, std::int32_t rank, const Piece& piece, ActionKind kind) {
  const std::int32_t chunk = kind == ActionKind::kBackward ? shape.vpp - 1 - piece.chunk : piece.chunk;
  return alone({.kind = kind,
                .stage = StageId{chunk * shape.pp + rank},
                .microbatch = MicrobatchId{piece.microbatch}});
}

/// Forwards ahead of the first backward, `more` than interleaving needs; then a forward and a backward in
/// turn, as a pair or one after the other; then the backwards left over.
Schedule in_turns(const char* name, const PipelineShape& shape, std::int32_t more, bool paired) {
  Schedule schedule = empty_schedule(name, shape, [&](int stage) { return stage % shape.pp; });
  const std::int32_t group = group_size(shape);
  const std::vector<Piece> pieces = pieces_of(shape, group);
  for (std::int32_t rank = 0; rank < shape.pp; ++rank) {
    auto& steps = schedule.ranks[static_cast<std::size_t>(rank)];
    steps.reserve(2 * pieces.size());
    const std::size_t ahead = std::min(
        static_cast<std::size_t>(2 * (shape.pp - 1 - rank) + (shape.vpp - 1) * group + more), pieces.size());
    const auto step = [&](std::size_t i, ActionKind kind) { return step_of(shape, rank, pieces[i], kind); };
    for (std::size_t i = 0; i < ahead; ++i) steps.push_back(step(i, ActionKind::kForward));
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const Step backward = step(i, ActionKind::kBackward);
      const bool turn = ahead + i < pieces.size();
      if (turn && paired) {
        steps.push_back(overlap(step(ahead + i, ActionKind::kForward).first, backward.first));
        continue;
      }
      if (turn) steps.push_back(step(ahead + i, ActionKind::kForward));
      steps.push_back(backward);
    }
  }
  return schedule;
}

}  // namespace

Verdict check_interleaved(const PipelineShape& shape) {
  if (shape.vpp < 2) {
    return unfit_shape("stages per rank", 2, shape.vpp,
                       "interleaving needs at least 2 stages per rank; use vpp 2 or more, or 1f1b");
  }
  if (shape.microbatches < shape.pp) {
    return unfit_shape(
        "microbatches", shape.pp, shape.microbatches,
        fmt::format("interleaving needs at least one microbatch per pipeline rank, {} are fewer "
                    "than {} ranks; use {} or more, or 1f1b",
                    shape.microbatches, shape.pp, shape.pp));
  }
  return {};
}

Verdict check_combined(const PipelineShape& shape) {
  if (shape.microbatches < 2)
    return unfit_shape("microbatches", 2, shape.microbatches,
                       "a pair is of two microbatches; use a larger batch, smaller microbatches or 1f1b");
  if (shape.vpp > 1) return check_interleaved(shape);
  if (shape.pp > 1)
    return unfit_shape("stages per rank", 2, shape.vpp,
                       "pairs of a pipeline need at least 2 stages per rank; use vpp 2 or more, or 1f1b");
  return {};
}

// Combined 1F1B. Source: Megatron Core's --overlap-moe-expert-parallel-comm (documentation, "Combined 1F1B").
// Interleaved 1F1B with one forward more ahead, so that the forward and the backward of each turn are of
// different microbatches; they run as an overlapped pair, as in DualPipe. Without a pipeline: the forward of
// the next microbatch beside each backward.
// Bubble where g = pp: (P-1)(F+B) of one stage and a lone F and B. Memory: one activation of a stage more
// than interleaved 1F1B.
Schedule make_combined(const PipelineShape& shape) {
  return in_turns("combined-1f1b", shape, 1, true);
}

// Interleaved 1F1B. Source: Narayanan et al. 2021, arXiv 2104.04473, section 2.2.2, as Megatron-LM runs it
// (megatron/core/pipeline_parallel/schedules.py). Stage s lives on rank s mod pp. With groups of g
// microbatches rank r runs 2(pp-1-r) + (vpp-1)g forwards ahead, then forward and backward in turn, then the
// backwards left over.
// Bubble where g = pp: (P-1)(F+B) of one stage, that is 1/vpp of 1F1B's.
// Memory: 2(pp-1-r) + (vpp-1)g + 1 activations of a stage.
Schedule make_interleaved(const PipelineShape& shape) {
  return in_turns("interleaved-1f1b", shape, 0, false);
}

}  // namespace orrery
