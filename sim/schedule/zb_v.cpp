#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/schedule/generators.hpp"

// ZB-V. Source: Qi et al. 2024, arXiv 2405.15362 (the V-shaped placement) and arXiv 2401.10241, section 6;
// the order is the handcrafted one that PyTorch's torch.distributed.pipelining publishes as
// ScheduleZBVZeroBubble. Assumes F = I = W of every stage, messages that take no time, and an optimizer that
// waits for no other rank. Rank r holds stage r on the way down and stage 2P-1-r on the way back, so the last
// stage's loss is on rank 0 and its backward can start there as soon as the last forward has ended. Bubble
// from a rank's own first action to its own last: 0 where the times are equal and N >= 2P-1; seen from the
// first start on any rank to the last end on any, (P-1)F of one stage. No closed form is published for other
// times. Memory: at most 2P activations of a stage, W's included, on every rank; a stage is half of 1F1B's,
// so P of 1F1B's microbatches, what its rank 0 holds.
namespace orrery {
namespace {

// Where a rank is in its two streams: 0 goes down through stage r, 1 comes back through stage 2P-1-r.
class VWriter {
 public:
  VWriter(std::array<StageId, 2> stages, std::int32_t microbatches, std::vector<Step>& steps)
      : stages_(stages), microbatches_(microbatches), steps_(steps) {}

  void forward(std::size_t stream) { add(ActionKind::kForward, stream, forwards_[stream]++); }
  void input_grad(std::size_t stream) { add(ActionKind::kInputGrad, stream, input_grads_[stream]++); }
  void weight_grad(std::size_t stream) { add(ActionKind::kWeightGrad, stream, weight_grads_[stream]++); }
  void backward(std::size_t stream) {
    input_grad(stream);
    weight_grad(stream);
  }
  [[nodiscard]] std::int32_t forwards(std::size_t stream) const { return forwards_[stream]; }
  /// Weight gradients of the stream that still wait.
  [[nodiscard]] std::int32_t waiting(std::size_t stream) const {
    return input_grads_[stream] - weight_grads_[stream];
  }

 private:
  // A program for fewer microbatches than fill the pipeline is the full one with the others left out.
  void add(ActionKind kind, std::size_t stream, std::int32_t microbatch) {
    if (microbatch >= microbatches_) return;
    steps_.push_back(alone({.kind = kind, .stage = stages_[stream], .microbatch = MicrobatchId{microbatch}}));
  }

  std::array<StageId, 2> stages_;
  std::int32_t microbatches_;
  std::vector<Step>& steps_;
  std::array<std::int32_t, 2> forwards_{};
  std::array<std::int32_t, 2> input_grads_{};
  std::array<std::int32_t, 2> weight_grads_{};
};

// 2P activations are held when this ends: P-r backwards of the returning stream have begun to run.
void warm_up(VWriter& out, std::int32_t rank, std::int32_t pp) {
  for (std::int32_t i = 0; i < 2 * (pp - rank) - 1; ++i) out.forward(0);
  for (std::int32_t i = 0; i < rank; ++i) {
    out.forward(1);
    out.forward(0);
  }
  for (std::int32_t i = 0; i < pp - rank; ++i) {
    out.forward(1);
    out.backward(1);
  }
}

void steady(VWriter& out, std::int32_t filled) {
  while (out.forwards(0) < filled || out.forwards(1) < out.forwards(0)) {
    if (out.forwards(0) < filled) out.forward(0);
    out.backward(0);
    out.forward(1);
    out.backward(1);
  }
}

void drain(VWriter& out, std::int32_t rank, std::int32_t pp) {
  for (std::int32_t i = 0; i < rank; ++i) {
    out.input_grad(0);
    out.input_grad(1);
  }
  for (std::int32_t i = 0; i < pp - rank; ++i) out.backward(0);
  for (const std::size_t stream : {1U, 0U}) {
    while (out.waiting(stream) > 0) out.weight_grad(stream);
  }
}

}  // namespace

Verdict check_zb_v(const PipelineShape& shape) {
  if (shape.vpp != 2) {
    return unfit_shape("stages per rank", 2, shape.vpp,
                       fmt::format("ZB-V has 2 stages per rank, {} asked for; use vpp 2", shape.vpp));
  }
  // The program of a full pipeline is walked even where the microbatches do not fill it.
  const double steps = 6.0 * shape.pp * (2.0 * shape.pp - 1);
  const auto most = static_cast<double>(kMaxScheduleSteps);
  if (steps > most) {
    return unfit_shape("steps of the schedule", steps, most,
                       fmt::format("ZB-V over {} ranks has {:.0f} steps before it is full, more than the "
                                   "{:.0f} that are simulated; use fewer pipeline ranks",
                                   shape.pp, steps, most));
  }
  return {};
}

Schedule make_zb_v(const PipelineShape& shape) {
  const std::int32_t last = 2 * shape.pp - 1;
  Schedule schedule =
      empty_schedule("zb-v", shape, [&](int stage) { return stage < shape.pp ? stage : last - stage; });
  for (std::int32_t rank = 0; rank < shape.pp; ++rank) {
    auto& steps = schedule.ranks[static_cast<std::size_t>(rank)];
    steps.reserve(6 * static_cast<std::size_t>(shape.microbatches));
    VWriter out({StageId{rank}, StageId{last - rank}}, shape.microbatches, steps);
    warm_up(out, rank, shape.pp);
    steady(out, std::max(shape.microbatches, last));
    drain(out, rank, shape.pp);
  }
  return schedule;
}

}  // namespace orrery
