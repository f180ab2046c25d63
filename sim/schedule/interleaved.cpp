#include <fmt/format.h>

#include <algorithm>

#include "sim/schedule/generators.hpp"

namespace orrery {
namespace {

// The i-th piece of work of a rank: pp microbatches go through its first stage, the same pp through its
// second, and so on; then the next pp microbatches. Backwards visit the stages from the last.
Action piece(const PipelineShape& shape, std::int32_t rank, std::int32_t i, ActionKind kind) {
  const std::int32_t group = i / (shape.pp * shape.vpp);
  const std::int32_t within = i % (shape.pp * shape.vpp);
  std::int32_t chunk = within / shape.pp;
  if (kind == ActionKind::kBackward) chunk = shape.vpp - 1 - chunk;
  return {.kind = kind,
          .stage = StageId{chunk * shape.pp + rank},
          .microbatch = MicrobatchId{group * shape.pp + within % shape.pp}};
}

}  // namespace

Verdict check_interleaved(const PipelineShape& shape) {
  if (shape.vpp < 2) {
    return unfit_shape("stages per rank", 2, shape.vpp,
                       "interleaving needs at least 2 stages per rank; use vpp 2 or more, or 1f1b");
  }
  if (shape.microbatches % shape.pp != 0) {
    const int below = shape.microbatches / shape.pp * shape.pp;
    return unfit_shape(
        "microbatches", below + shape.pp, shape.microbatches,
        fmt::format("{} microbatches are not a multiple of {} pipeline ranks; use {}{}", shape.microbatches,
                    shape.pp, below > 0 ? fmt::format("{} or ", below) : "", below + shape.pp));
  }
  return {};
}

// Stage s lives on rank s mod pp. Rank r runs 2(pp-1-r) + (vpp-1)pp forwards ahead, then forward and backward
// in turn, then the backwards left over.
Schedule make_interleaved(const PipelineShape& shape) {
  Schedule schedule = empty_schedule("interleaved-1f1b", shape, [&](int stage) { return stage % shape.pp; });
  const std::int32_t pieces = shape.microbatches * shape.vpp;
  for (std::int32_t rank = 0; rank < shape.pp; ++rank) {
    auto& steps = schedule.ranks[static_cast<std::size_t>(rank)];
    steps.reserve(2 * static_cast<std::size_t>(pieces));
    const std::int32_t ahead = std::min(2 * (shape.pp - 1 - rank) + (shape.vpp - 1) * shape.pp, pieces);
    for (std::int32_t i = 0; i < ahead; ++i)
      steps.push_back(alone(piece(shape, rank, i, ActionKind::kForward)));
    for (std::int32_t i = 0; i < pieces; ++i) {
      if (ahead + i < pieces) steps.push_back(alone(piece(shape, rank, ahead + i, ActionKind::kForward)));
      steps.push_back(alone(piece(shape, rank, i, ActionKind::kBackward)));
    }
  }
  return schedule;
}

}  // namespace orrery
