#include "sim/schedule/dual_program.hpp"

#include "sim/base/check.hpp"

namespace orrery {
namespace {

// Writes steps while counting, per stream, which microbatch is next forward and next backward.
class Writer {
 public:
  explicit Writer(const DualShape& shape) : shape_(shape) {
    steps_.reserve(3 * static_cast<std::size_t>(shape.per_phase));
  }

  void forward(std::size_t phase) { steps_.push_back(alone(next_forward(phase))); }
  void backward(std::size_t phase) { steps_.push_back(alone(next_backward(phase, ActionKind::kBackward))); }
  void pair(std::size_t forward_phase, std::size_t backward_phase) {
    const Action first = next_forward(forward_phase);
    steps_.push_back(overlap(first, next_backward(backward_phase, ActionKind::kBackward)));
  }
  void input_grad(std::size_t phase) {
    held_back_.push_back(next_backward(phase, ActionKind::kInputGrad));
    steps_.push_back(alone(held_back_.back()));
  }
  void weight_grad() {
    SIM_CHECK(released_ < held_back_.size(), "a weight gradient without its input gradient");
    Action action = held_back_[released_++];
    action.kind = ActionKind::kWeightGrad;
    steps_.push_back(alone(action));
  }

  std::vector<Step> finish() {
    SIM_CHECK(released_ == held_back_.size(), "weight gradients left over");
    for (const std::size_t phase : {0U, 1U}) {
      SIM_CHECK(forwards_[phase] == shape_.per_phase && backwards_[phase] == shape_.per_phase,
                "microbatches left over");
    }
    return std::move(steps_);
  }

 private:
  [[nodiscard]] Action make(std::size_t phase, ActionKind kind, std::int32_t count) const {
    const DualPhase& stream = shape_.phases[phase];
    return {.kind = kind, .stage = stream.stage, .microbatch = MicrobatchId{stream.first.value + count}};
  }
  Action next_forward(std::size_t phase) { return make(phase, ActionKind::kForward, forwards_[phase]++); }
  Action next_backward(std::size_t phase, ActionKind kind) { return make(phase, kind, backwards_[phase]++); }

  const DualShape& shape_;
  std::vector<Step> steps_;
  std::vector<Action> held_back_;  // input gradients whose weight gradients run later, first in first out
  std::size_t released_ = 0;
  std::array<std::int32_t, 2> forwards_{};
  std::array<std::int32_t, 2> backwards_{};
};

// Fills the pipeline: forwards of the near stream, then of both, then of the far one between the first
// backwards.
void warm_up(Writer& out, int outer, int inner) {
  for (int i = 0; i < 2 * outer; ++i) out.forward(0);
  for (int i = 0; i < inner; ++i) {
    out.forward(0);
    out.forward(1);
  }
  for (int i = 0; i < outer; ++i) {
    out.input_grad(1);
    out.weight_grad();
    out.forward(1);
  }
}

// Overlapped pairs of both streams. Next to the middle the first forward and backward run apart: there is
// nothing yet to hide the other behind.
void steady(Writer& out, int outer, int repeats) {
  for (int i = 0; i < repeats; ++i) {
    if (i == 0 && outer == 0) {
      out.forward(0);
      out.backward(1);
    } else {
      out.pair(0, 1);
    }
    out.pair(1, 0);
  }
  for (int i = 0; i < outer; ++i) {
    out.backward(1);
    out.pair(1, 0);
  }
}

// Backwards of both streams, of which the later half hold their weight gradients back; these fill the
// waiting at the end.
void drain(Writer& out, int outer, int inner) {
  for (int i = 0; i < 2 * inner; ++i) {
    const std::size_t phase = i % 2 == 0 ? 1 : 0;
    if (i < inner) {
      out.backward(phase);
    } else {
      out.input_grad(phase);
    }
  }
  for (int i = 0; i < outer; ++i) {
    out.weight_grad();
    out.input_grad(0);
  }
  for (int i = 0; i < inner; ++i) out.weight_grad();
}

}  // namespace

std::vector<Step> dual_program(const DualShape& shape) {
  SIM_CHECK(0 <= shape.distance && shape.distance < shape.half, "distance to the end");
  SIM_CHECK(shape.per_phase >= 2 * shape.half, "enough microbatches to fill the pipeline");
  const int inner = shape.distance + 1;
  const int outer = shape.half - inner;
  Writer out(shape);
  warm_up(out, outer, inner);
  steady(out, outer, shape.per_phase - 2 * shape.half + inner);
  drain(out, outer, inner);
  return out.finish();
}

}  // namespace orrery
