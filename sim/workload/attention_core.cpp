#include "sim/workload/attention_core.hpp"

#include <algorithm>

#include "sim/workload/op_builder.hpp"

namespace orrery {
namespace {

// Bytes per score of the kernels between the two products, 16-bit scores. The causal softmax of Megatron-LM
// (fused scale, mask and softmax, upper triangle) reads the lower half and writes the whole square: 1 + 2;
// backward reads two lower halves: 2 + 2. Dropout reads and writes all and keeps a mask of one byte.
constexpr double kSoftmaxBytes = 3;
constexpr double kSoftmaxBackwardBytes = 4;
constexpr double kDropoutBytes = 5;

double rows(std::int64_t m, std::int64_t width, double bytes) {
  return static_cast<double>(m) * static_cast<double>(width) * bytes;
}

/// One head of one sequence each; a rank holds `rows` queries of a sequence and all of its keys.
struct Square {
  std::int64_t matrices, rows, keys;
  [[nodiscard]] double scores() const {
    return static_cast<double>(matrices) * static_cast<double>(rows) * static_cast<double>(keys);
  }
};

Square square_of(const BlockContext& c) {
  return {.matrices = c.sequences * (c.model.heads / c.layout.tp),
          .rows = c.sequence / c.layout.cp,
          .keys = c.sequence};
}

Op fused(const BlockContext& c, bool backward, bool recompute) {
  const ModelSpec& m = c.model;
  const auto seq = static_cast<double>(c.sequence);
  const double heads = static_cast<double>(m.heads / c.layout.tp);
  const double width = static_cast<double>(m.qk_head_dim() + m.v_head_dim());
  const double forward =
      static_cast<double>(c.sequences) * heads * width * seq * seq / static_cast<double>(c.layout.cp);
  Op op{.name = backward ? "attention backward" : "attention core",
        .kind = backward ? OpKind::kAttentionBackward : OpKind::kAttentionForward,
        .mla = m.mla.has_value(),
        .recompute = recompute,
        .sequence = c.sequence,
        .window = c.window};
  op.flops = forward * window_share(c.sequence, c.window) * (backward ? 2.5 : 1.0);
  // Query and output of every head, key and value of the heads that have their own.
  const std::int64_t kv = m.mla ? m.heads : m.kv_heads;
  const std::int64_t own = m.heads / c.layout.tp + std::max<std::int64_t>(1, kv / c.layout.tp);
  op.bytes = rows(c.tokens, own * (m.qk_head_dim() + m.v_head_dim()), backward ? 4.0 : 2.0);
  return op;
}

Op product(const BlockContext& c, const char* name, const Square& s, std::int64_t m, std::int64_t n,
           std::int64_t k) {
  const Precision p = c.precision == Precision::kFp16 ? Precision::kFp16 : Precision::kBf16;
  return gemm_op(name, OpKind::kGemm, p, s.matrices, m, n, k);
}

}  // namespace

void attention_core_forward(const BlockContext& c, Segment& out, bool recompute) {
  if (c.attention == AttentionKernel::kFused) {
    out.emplace_back(fused(c, false, recompute));
    return;
  }
  const auto add = [&](Op op) {
    op.recompute = recompute;
    out.emplace_back(op);
  };
  const Square s = square_of(c);
  add(product(c, "attention scores", s, s.rows, s.keys, c.model.qk_head_dim()));
  add(memory_op("softmax of scores", OpKind::kActivation, kSoftmaxBytes * s.scores()));
  if (c.dropout) add(memory_op("dropout of scores", OpKind::kActivation, kDropoutBytes * s.scores()));
  add(product(c, "attention values", s, s.rows, c.model.v_head_dim(), s.keys));
}

void attention_core_backward(const BlockContext& c, Segment& out) {
  if (c.attention == AttentionKernel::kFused) {
    out.emplace_back(fused(c, true, false));
    return;
  }
  const Square s = square_of(c);
  const std::int64_t q = c.model.qk_head_dim();
  const std::int64_t v = c.model.v_head_dim();
  out.emplace_back(product(c, "value gradient", s, s.keys, v, s.rows));
  out.emplace_back(product(c, "score gradient", s, s.rows, s.keys, v));
  if (c.dropout)
    out.emplace_back(
        memory_op("dropout of scores backward", OpKind::kActivation, kDropoutBytes * s.scores()));
  out.emplace_back(
      memory_op("softmax of scores backward", OpKind::kActivation, kSoftmaxBackwardBytes * s.scores()));
  out.emplace_back(product(c, "query gradient", s, s.rows, q, s.keys));
  out.emplace_back(product(c, "key gradient", s, s.keys, q, s.rows));
}

double unfused_kept_bytes(const BlockContext& c) {
  if (c.attention == AttentionKernel::kFused) return 0;
  return square_of(c).scores() * (c.dropout ? 5.0 : 2.0);
}

double unfused_score_bytes(const BlockContext& c) {
  return c.attention == AttentionKernel::kFused ? 0.0 : 2.0 * square_of(c).scores();
}

void hidden_dropout_forward(const BlockContext& c, Segment& out) {
  if (!c.dropout) return;  // the mask; the rest is part of the residual addition's kernel
  out.emplace_back(memory_op("dropout mask", OpKind::kCopy, rows(c.norm_tokens, c.model.hidden, 1.0)));
}

void hidden_dropout_backward(const BlockContext& c, Segment& in) {
  if (!c.dropout) return;
  in.emplace_back(memory_op("dropout backward", OpKind::kCopy, rows(c.norm_tokens, c.model.hidden, 5.0)));
}

}  // namespace orrery
