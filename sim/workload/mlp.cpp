#include "sim/workload/attention_core.hpp"
#include "sim/workload/op_builder.hpp"

// Dense feed-forward block: gated (SwiGLU, three matrices; gate and up run as one product) or plain (two).

namespace orrery {
namespace {

constexpr LinearNames kUp{"gate and up projection", "gate and up input grad", "gate and up weight grad",
                          "quantise gate and up"};
constexpr LinearNames kDown{"down projection", "down input grad", "down weight grad", "quantise down"};

double rows(std::int64_t m, std::int64_t width, double bytes) {
  return static_cast<double>(m) * static_cast<double>(width) * bytes;
}

}  // namespace

void add_dense_mlp(const BlockContext& c, LayerWork& work) {
  const std::int64_t h = c.model.hidden;
  const std::int64_t f = c.model.ffn / c.layout.tp;
  const std::int64_t up = c.model.feed_forward == FeedForwardKind::kGated ? 2 * f : f;

  Segment& fwd = work.mlp_f;
  fwd.emplace_back(norm_forward("mlp norm", c.norm_tokens, h));
  tensor_gather(fwd, c, "gather mlp input");
  linear_forward(fwd, c, kUp, c.tokens, up, h);
  fwd.emplace_back(memory_op("activation", OpKind::kActivation, rows(c.tokens, up + f, 2.0)));
  linear_forward(fwd, c, kDown, c.tokens, h, f);
  tensor_reduce(fwd, c, "reduce mlp output");
  hidden_dropout_forward(c, fwd);
  fwd.emplace_back(memory_op("residual add", OpKind::kCopy, rows(c.norm_tokens, h, 6.0)));

  Segment& in = work.mlp_b;
  hidden_dropout_backward(c, in);
  tensor_gather(in, c, "gather mlp output gradient");
  linear_input_grad(in, c, kDown, c.tokens, h, f);
  if (c.layout.recompute.activation) {
    Op again = memory_op("activation again", OpKind::kActivation, rows(c.tokens, up + f, 2.0));
    again.recompute = true;
    in.emplace_back(again);
  }
  in.emplace_back(memory_op("activation backward", OpKind::kActivation, rows(c.tokens, 2 * up + f, 2.0)));
  linear_input_grad(in, c, kUp, c.tokens, up, h);
  tensor_reduce(in, c, "reduce mlp input gradient");
  if (c.layout.recompute.norms) in.emplace_back(norm_forward("mlp norm again", c.norm_tokens, h, true));
  in.emplace_back(norm_backward("mlp norm backward", c.norm_tokens, h));
  in.emplace_back(memory_op("residual gradient add", OpKind::kCopy, rows(c.norm_tokens, h, 6.0)));

  linear_weight_grad(work.mlp_w, c, kDown, c.tokens, h, f);
  linear_weight_grad(work.mlp_w, c, kUp, c.tokens, up, h);
}

}  // namespace orrery
