#include <algorithm>

#include "sim/workload/attention_core.hpp"
#include "sim/workload/op_builder.hpp"

// Attention block of one layer. Sources: DeepSeek-V2 report (MLA, arXiv 2405.04434, 2.1), DeepSeek-V3 report
// (FP8 rules and recomputation, arXiv 2412.19437, 3.2.3 and 3.3), FlashAttention-2 (backward = 2.5 x forward
// FLOPs, arXiv 2307.08691). Causal attention computes the lower triangle only.

namespace orrery {
namespace {

constexpr LinearNames kQkv{"qkv projection", "qkv input grad", "qkv weight grad", "quantise qkv"};
constexpr LinearNames kQ{"q projection", "q input grad", "q weight grad", "quantise q"};
constexpr LinearNames kQDown{"q_a projection", "q_a input grad", "q_a weight grad", "quantise q_a"};
constexpr LinearNames kQUp{"q_b projection", "q_b input grad", "q_b weight grad", "quantise q_b"};
constexpr LinearNames kKvDown{"kv_a projection", "kv_a input grad", "kv_a weight grad", "quantise kv_a"};
constexpr LinearNames kKvUp{"kv_b projection", "kv_b input grad", "kv_b weight grad", "quantise kv_b"};
constexpr LinearNames kOut{"output projection", "output input grad", "output weight grad", "quantise output"};

double rows(std::int64_t m, std::int64_t width, double bytes) {
  return static_cast<double>(m) * static_cast<double>(width) * bytes;
}

struct Widths {
  std::int64_t heads, q, k_nope, rope, v, qkv;
};

Widths widths(const BlockContext& c) {
  const ModelSpec& m = c.model;
  const std::int64_t heads = m.heads / c.layout.tp;
  if (m.mla) {
    return {heads,
            heads * m.qk_head_dim(),
            heads * m.mla->qk_nope_head_dim,
            heads * m.mla->qk_rope_head_dim,
            heads * m.v_head_dim(),
            0};
  }
  const std::int64_t kv_heads = std::max<std::int64_t>(1, m.kv_heads / c.layout.tp);
  const std::int64_t q = heads * m.head_dim;
  const std::int64_t kv = kv_heads * m.head_dim;
  return {heads, q, kv, 0, q, q + 2 * kv};
}

/// Up-projections, rotary embedding and the assembled query and key of MLA.
void mla_up_forward(const BlockContext& c, const Widths& w, Segment& out, bool recompute) {
  const MlaShape& mla = *c.model.mla;
  const auto mark = [&](Op op) {
    op.recompute = recompute;
    out.emplace_back(op);
  };
  if (mla.q_lora_rank > 0) {
    out.emplace_back(norm_forward("q norm", c.tokens, mla.q_lora_rank, recompute));
    linear_forward(out, c, kQUp, c.tokens, w.q, mla.q_lora_rank, recompute);
  }
  out.emplace_back(norm_forward("kv norm", c.tokens, mla.kv_lora_rank, recompute));
  linear_forward(out, c, kKvUp, c.tokens, w.k_nope + w.v, mla.kv_lora_rank, recompute);
  mark(memory_op("rotary", OpKind::kRotary, rows(c.tokens, w.rope + mla.qk_rope_head_dim, 4.0)));
  mark(memory_op("assemble query and key", OpKind::kCopy, rows(c.tokens, w.k_nope + w.rope, 4.0)));
}

void mla_forward(const BlockContext& c, const Widths& w, Segment& out) {
  const MlaShape& mla = *c.model.mla;
  const std::int64_t h = c.model.hidden;
  if (mla.q_lora_rank > 0) {
    linear_forward(out, c, kQDown, c.tokens, mla.q_lora_rank, h);
  } else {
    linear_forward(out, c, kQ, c.tokens, w.q, h);
  }
  linear_forward(out, c, kKvDown, c.tokens, mla.kv_lora_rank + mla.qk_rope_head_dim, h);
  mla_up_forward(c, w, out, false);
}

void mla_backward(const BlockContext& c, const Widths& w, Segment& in, Segment& weight) {
  const MlaShape& mla = *c.model.mla;
  const std::int64_t h = c.model.hidden;
  in.emplace_back(
      memory_op("rotary backward", OpKind::kRotary, rows(c.tokens, w.rope + mla.qk_rope_head_dim, 4.0)));
  in.emplace_back(memory_op("split key gradient", OpKind::kCopy, rows(c.tokens, w.k_nope + w.rope, 4.0)));
  linear_input_grad(in, c, kKvUp, c.tokens, w.k_nope + w.v, mla.kv_lora_rank);
  in.emplace_back(norm_backward("kv norm backward", c.tokens, mla.kv_lora_rank));
  linear_weight_grad(weight, c, kKvUp, c.tokens, w.k_nope + w.v, mla.kv_lora_rank);
  if (mla.q_lora_rank > 0) {
    linear_input_grad(in, c, kQUp, c.tokens, w.q, mla.q_lora_rank);
    in.emplace_back(norm_backward("q norm backward", c.tokens, mla.q_lora_rank));
    linear_weight_grad(weight, c, kQUp, c.tokens, w.q, mla.q_lora_rank);
    linear_input_grad(in, c, kQDown, c.tokens, mla.q_lora_rank, h);
    linear_weight_grad(weight, c, kQDown, c.tokens, mla.q_lora_rank, h);
  } else {
    linear_input_grad(in, c, kQ, c.tokens, w.q, h);
    linear_weight_grad(weight, c, kQ, c.tokens, w.q, h);
  }
  linear_input_grad(in, c, kKvDown, c.tokens, mla.kv_lora_rank + mla.qk_rope_head_dim, h);
  linear_weight_grad(weight, c, kKvDown, c.tokens, mla.kv_lora_rank + mla.qk_rope_head_dim, h);
}

/// Keys and values of the other context-parallel ranks; gradients of them on the way back.
void context_exchange(const BlockContext& c, const Widths& w, Segment& out, bool backward) {
  if (c.layout.cp == 1) return;
  const std::int64_t width = c.model.mla ? w.q + w.v : 2 * w.k_nope;
  const double bytes = rows(c.tokens * c.layout.cp, width, 2.0);
  out.emplace_back(CommOp{.name = backward ? "context gradient exchange" : "context exchange",
                          .kind = backward ? CommKind::kReduceScatter : CommKind::kAllGather,
                          .axis = Axis::kCp,
                          .bytes = bytes});
}

void forward(const BlockContext& c, const Widths& w, Segment& out) {
  const std::int64_t h = c.model.hidden;
  out.emplace_back(norm_forward("attention norm", c.norm_tokens, h));
  tensor_gather(out, c, "gather attention input");
  if (c.model.mla) {
    mla_forward(c, w, out);
  } else {
    linear_forward(out, c, kQkv, c.tokens, w.qkv, h);
    if (c.model.qk_norm) out.emplace_back(norm_forward("query and key norm", c.tokens, w.q + w.k_nope));
    if (c.model.position == PositionKind::kRotary) {
      out.emplace_back(memory_op("rotary", OpKind::kRotary, rows(c.tokens, w.q + w.k_nope, 4.0)));
    }
  }
  context_exchange(c, w, out, false);
  attention_core_forward(c, out, false);
  if (fp8_recipe(c.precision) == Fp8Recipe::kBlock) {
    // The kept attention output has its own 12-bit format, E5M6 (arXiv 2412.19437, 3.3.3).
    out.emplace_back(memory_op("pack attention output", OpKind::kPack, rows(c.tokens, w.v, 2.0 + 1.5)));
  }
  linear_forward(out, c, kOut, c.tokens, h, w.v);
  tensor_reduce(out, c, "reduce attention output");
  hidden_dropout_forward(c, out);
  out.emplace_back(memory_op("residual add", OpKind::kCopy, rows(c.norm_tokens, h, 4.0)));
}

void recompute_before_core(const BlockContext& c, const Widths& w, Segment& in) {
  const Recompute& r = c.layout.recompute;
  if (c.model.mla && (r.mla_up || r.attention_core)) mla_up_forward(c, w, in, true);
  if (r.attention_core) attention_core_forward(c, in, true);
}

}  // namespace

void add_attention(const BlockContext& c, LayerWork& work) {
  const Widths w = widths(c);
  const std::int64_t h = c.model.hidden;
  forward(c, w, work.attention_f);

  Segment& in = work.attention_b;
  hidden_dropout_backward(c, in);
  tensor_gather(in, c, "gather attention output gradient");
  if (fp8_recipe(c.precision) == Fp8Recipe::kBlock) {
    in.emplace_back(
        memory_op("unpack attention output", OpKind::kPack, rows(c.tokens, w.v, 1.5 + kScaledFp8Bytes)));
  }
  linear_input_grad(in, c, kOut, c.tokens, h, w.v);
  recompute_before_core(c, w, in);
  attention_core_backward(c, in);
  // Its pre- and post-processing kernels are part of the class's measured time.
  context_exchange(c, w, in, true);
  linear_weight_grad(work.attention_w, c, kOut, c.tokens, h, w.v);
  if (c.model.mla) {
    mla_backward(c, w, in, work.attention_w);
  } else {
    if (c.model.position == PositionKind::kRotary) {
      in.emplace_back(memory_op("rotary backward", OpKind::kRotary, rows(c.tokens, w.q + w.k_nope, 4.0)));
    }
    if (c.model.qk_norm)
      in.emplace_back(norm_backward("query and key norm backward", c.tokens, w.q + w.k_nope));
    linear_input_grad(in, c, kQkv, c.tokens, w.qkv, h);
    linear_weight_grad(work.attention_w, c, kQkv, c.tokens, w.qkv, h);
  }
  tensor_reduce(in, c, "reduce attention input gradient");
  if (c.layout.recompute.norms) in.emplace_back(norm_forward("attention norm again", c.norm_tokens, h, true));
  in.emplace_back(norm_backward("attention norm backward", c.norm_tokens, h));
  in.emplace_back(memory_op("residual gradient add", OpKind::kCopy, rows(c.norm_tokens, h, 6.0)));
}

}  // namespace orrery
