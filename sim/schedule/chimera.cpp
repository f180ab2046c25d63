#include <fmt/format.h>

#include <algorithm>

#include "sim/schedule/generators.hpp"

// Chimera. Source: Li & Hoefler 2021, arXiv 2107.06925, section 3 (two pipelines, one replica of the model
// each; more microbatches than ranks by concatenating units of P microbatches, section 3.5).
// Assumes whole backwards and equal stages; microbatches 0 .. N/2-1 enter at rank 0, the others at rank P-1,
// as in DualPipe, so that rank r holds stages r and P-1-r and both copies of a stage must agree on gradients.
// The order is read off a grid of equal slots. A unit of P/2 microbatches each way takes 2P slots of a rank:
// with j counted in a direction, rank d places from where it enters runs F in slot d + 2j and B in slot
// 2P-1-d + 2j. The two directions have opposite parities, and F and B of the opposite direction fill each
// other's parity without a gap, so that the next unit starts 2P slots later in what this one leaves free.
// Bubble with k units (N = kP) and B >= F: (P-2)(B + (k-1)(B-F)): P-2 slots where F = B, else what B is
// longer than its slot adds up with every unit. (One unit takes P forwards and 2P-2 backwards, as published.)
// Memory: from P/2+1 activations at both ends to P in the middle; 1F1B's rank 0 holds P.
namespace orrery {
namespace {

struct Slot {
  std::int32_t at = 0;
  Action action;
};

// The slots of one direction on the rank `from_entry` places behind where it enters.
void add_direction(const PipelineShape& shape, std::int32_t from_entry, std::int32_t first,
                   std::vector<Slot>& slots) {
  const std::int32_t per_unit = shape.pp / 2;
  for (std::int32_t i = 0; i < shape.microbatches / 2; ++i) {
    const std::int32_t start = i / per_unit * 2 * shape.pp + i % per_unit * 2;
    Action action{
        .kind = ActionKind::kForward, .stage = StageId{from_entry}, .microbatch = MicrobatchId{first + i}};
    slots.push_back({.at = start + from_entry, .action = action});
    action.kind = ActionKind::kBackward;
    slots.push_back({.at = start + 2 * shape.pp - 1 - from_entry, .action = action});
  }
}

}  // namespace

Verdict check_chimera(const PipelineShape& shape) {
  if (shape.vpp != 1) {
    return unfit_shape(
        "stages per rank", shape.vpp, 1,
        fmt::format("Chimera has one stage per rank and direction, {} asked for; use vpp 1", shape.vpp));
  }
  if (shape.pp % 2 != 0) {
    return unfit_shape(
        "pipeline ranks", shape.pp + 1, shape.pp,
        fmt::format("Chimera needs an even number of pipeline ranks, not {}; use {}{}", shape.pp,
                    shape.pp > 1 ? fmt::format("{} or ", shape.pp - 1) : "", shape.pp + 1));
  }
  if (shape.microbatches % 2 != 0) {
    return unfit_shape("microbatches", shape.microbatches + 1, shape.microbatches,
                       fmt::format("Chimera sends half of the microbatches each way, and {} is odd; use {}",
                                   shape.microbatches, shape.microbatches + 1));
  }
  return {};
}

Schedule make_chimera(const PipelineShape& shape) {
  Schedule schedule = empty_schedule("chimera", shape, [](int stage) { return stage; });
  const std::int32_t half = shape.microbatches / 2;
  for (std::int32_t stage = 0; stage < shape.pp; ++stage) {
    for (std::int32_t microbatch = half; microbatch < shape.microbatches; ++microbatch) {
      schedule.owner[schedule.slot(StageId{stage}, MicrobatchId{microbatch})] = RankId{shape.pp - 1 - stage};
    }
  }
  for (std::int32_t rank = 0; rank < shape.pp; ++rank) {
    std::vector<Slot> slots;
    slots.reserve(2 * static_cast<std::size_t>(shape.microbatches));
    add_direction(shape, rank, 0, slots);
    add_direction(shape, shape.pp - 1 - rank, half, slots);
    std::sort(slots.begin(), slots.end(), [](const Slot& a, const Slot& b) { return a.at < b.at; });
    auto& steps = schedule.ranks[static_cast<std::size_t>(rank)];
    steps.reserve(slots.size());
    for (const Slot& slot : slots) steps.push_back(alone(slot.action));
  }
  return schedule;
}

}  // namespace orrery
