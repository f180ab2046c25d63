#include "sim/bound/step_least.hpp"

#include <algorithm>

#include "sim/engine/sim_time.hpp"

namespace orrery {
namespace {

using Stage = StageBounds::Stage;

bool sends(const RankProfile& rank, const std::vector<bool>& flags, std::int32_t stage) {
  const auto at = std::ranges::find(rank.stages, stage) - rank.stages.begin();
  return flags[static_cast<std::size_t>(at)];
}

std::int64_t pair_alone(const BoundContext& context, const Stage& f, const Stage& b) {
  const std::int64_t calls = f.sums.forward_calls + b.sums.input_calls + b.sums.weight_calls;
  const double host_s = context.scenario.cluster.gpu.host_launch_s.value * static_cast<double>(calls);
  return std::max(pair_least(f.sums, b.sums, context.memo.factors()), to_sim_time(Seconds{host_s}).ps);
}

/// Until a pair's forward is done. Its last unit's kernels stand in the compute lane behind all but those of
/// the attention's backward where both rows of units are as long.
std::int64_t pair_output(const Stage& f, const Stage& b) {
  if (f.units != b.units) return f.sums.forward;
  const std::int64_t compute = f.sums.forward_compute + b.sums.backward_compute;
  return std::max(f.sums.forward, compute - b.first_backward_compute + f.last_combine);
}

}  // namespace

StepLeast step_least(const BoundContext& context, const StageBounds& stages, const RankProfile& rank,
                     const StepCount& c) {
  const Stage& f = stages.stages[static_cast<std::size_t>(c.stage)];
  StepLeast least;
  bool output_leaves = false;
  bool gradient_leaves = false;
  if (c.overlapped) {
    const Stage& b = stages.stages[static_cast<std::size_t>(c.second)];
    least.alone = pair_alone(context, f, b);
    least.output = pair_output(f, b);
    least.gradient = b.sums.input_grad;
    output_leaves = sends(rank, rank.sends_output, c.stage);
    gradient_leaves = sends(rank, rank.sends_gradient, c.second);
  } else {
    switch (c.kind) {
      case ActionKind::kForward:
        least.alone = f.forward;
        least.output = f.sums.forward;
        output_leaves = sends(rank, rank.sends_output, c.stage);
        break;
      case ActionKind::kInputGrad:
        least.alone = f.input_grad;
        least.gradient = f.sums.input_grad;
        break;
      case ActionKind::kBackward:
        least.alone = f.backward;
        least.gradient = f.backward_gradient;
        break;
      case ActionKind::kWeightGrad: least.alone = f.weight_grad; break;
    }
    gradient_leaves = is_backward(c.kind) && sends(rank, rank.sends_gradient, c.stage);
  }
  least.gradient_ready = least.gradient;
  least.free = least.alone;
  if (context.scenario.layout.messages != MessageRule::kBlocking) return least;
  // Messages leave one after the other, the forward's first.
  std::int64_t nic = 0;
  if (output_leaves) nic = least.output = least.output + stages.message;
  if (gradient_leaves) nic = least.gradient = std::max(nic, least.gradient) + stages.message;
  least.free = std::max(least.free, nic);
  return least;
}

}  // namespace orrery
