#include "sim/workload/activations.hpp"

#include <algorithm>

#include "sim/workload/attention_core.hpp"
#include "sim/workload/op_builder.hpp"

namespace orrery {
namespace {

double d(std::int64_t x) {
  return static_cast<double>(x);
}

struct Kept {
  double bytes = 0;
  double deferred = 0;
};

/// Inputs and output gradients of one linear layer: what its weight gradient needs later.
double linear_pair(double m, double n, double k, double e) {
  return m * (n + k) * e;
}

/// Rows of all routed experts on this rank, as in the MoE block.
double expert_rows(const BlockContext& c) {
  return d(c.tokens) * d(c.layout.etp) / d(c.layout.tp) * d(c.model.moe->top_k) * c.routing.max_over_mean;
}

// With sequence parallelism a rank keeps its share of a block's input and gathers it again for the weight
// gradient, beside the input gradient's product (arXiv 2205.05198, section 4.2.2); that gather is taken as
// hidden.
Kept attention_kept(const BlockContext& c) {
  const ModelSpec& m = c.model;
  const Recompute& r = c.layout.recompute;
  const double e = is_fp8(c.precision) ? kScaledFp8Bytes : 2.0;
  const double t = d(c.tokens);
  const double h = d(m.hidden);
  const double heads = d(m.heads) / d(c.layout.tp);
  const double q = heads * d(m.qk_head_dim());
  const double v = heads * d(m.v_head_dim());
  Kept k;
  k.bytes += d(c.norm_tokens) * h * 2.0;              // input of the block
  if (!r.norms) k.bytes += d(c.norm_tokens) * h * e;  // input of the projections
  if (!r.attention_core) {
    // Log-sum-exp of the fused kernel, or what lies between the kernels of an unfused one.
    k.bytes += c.attention == AttentionKernel::kFused ? t * heads * 4.0 : unfused_kept_bytes(c);
  }
  if (c.dropout) k.bytes += d(c.norm_tokens) * h;  // mask of the block's output
  k.bytes +=
      t * v * (fp8_recipe(c.precision) == Fp8Recipe::kBlock ? 1.5 : 2.0);  // attention output; E5M6 in blocks
  if (m.mla) {
    const MlaShape& a = *m.mla;
    k.bytes += t * 2.0 * d(a.q_lora_rank + a.kv_lora_rank + a.qk_rope_head_dim);
    if (!r.mla_up && !r.attention_core)
      k.bytes += t * (e * d(a.q_lora_rank + a.kv_lora_rank) + 2.0 * (2.0 * q + v));
    k.deferred += linear_pair(t, d(a.q_lora_rank + a.kv_lora_rank + a.qk_rope_head_dim), 2.0 * h, e);
    k.deferred += linear_pair(t, q, d(a.q_lora_rank), e) +
                  linear_pair(t, heads * d(a.qk_nope_head_dim) + v, d(a.kv_lora_rank), e);
  } else {
    const double kv = std::max(1.0, d(m.kv_heads) / d(c.layout.tp)) * d(m.head_dim);
    k.bytes += t * 2.0 * (q + 2.0 * kv);  // what the kernel is run from again
    k.deferred += linear_pair(t, q + 2.0 * kv, h, e);
  }
  k.deferred += linear_pair(t, h, v, e);
  return k;
}

Kept dense_kept(const BlockContext& c) {
  const Recompute& r = c.layout.recompute;
  const bool fp8 = is_fp8(c.precision);
  const double e = fp8 ? kScaledFp8Bytes : 2.0;
  const double t = d(c.tokens);
  const double h = d(c.model.hidden);
  const double f = d(c.model.ffn) / d(c.layout.tp);
  const double up = c.model.feed_forward == FeedForwardKind::kGated ? 2.0 * f : f;
  Kept k;
  k.bytes += d(c.norm_tokens) * h * (c.dropout ? 3.0 : 2.0);  // with the mask of the output
  if (!r.norms) k.bytes += d(c.norm_tokens) * h * e;
  k.bytes += t * up * (fp8 && r.activation ? e : 2.0);
  if (!r.activation) k.bytes += t * f * e;
  k.deferred = linear_pair(t, up, h, e) + linear_pair(t, h, f, e);
  return k;
}

Kept moe_kept(const BlockContext& c) {
  const MoeShape& moe = *c.model.moe;
  const Recompute& r = c.layout.recompute;
  const bool fp8 = is_fp8(c.precision);
  const double e = fp8 ? kScaledFp8Bytes : 2.0;
  const double t = d(c.tokens);
  const double h = d(c.model.hidden);
  const double rows = expert_rows(c);
  const double f = d(moe.expert_ffn) / d(c.layout.etp);
  const double shared = d(moe.shared_ffn) / d(c.layout.tp);
  const double kept_input = fp8 && r.activation ? e : 2.0;
  Kept k;
  k.bytes += d(c.norm_tokens) * h * 2.0;                // input of the block
  if (!r.norms) k.bytes += d(c.norm_tokens) * h * 2.0;  // input of the router
  k.bytes += d(c.norm_tokens) * h * e;                  // input of the shared experts, as dispatched
  k.bytes += rows * h * e + rows * 16.0;                // rows of the routed experts and their map
  k.bytes += rows * 2.0 * f * kept_input + t * 2.0 * shared * kept_input;
  if (!r.activation) k.bytes += rows * f * e + t * shared * e;
  k.deferred = linear_pair(rows, 2.0 * f, h, e) + linear_pair(rows, h, f, e) +
               linear_pair(t, 2.0 * shared, h, e) + linear_pair(t, h, shared, e);
  return k;
}

double working(const BlockContext& c, bool moe) {
  const double t = d(c.tokens);
  const double h = d(c.model.hidden);
  const double heads = d(c.model.heads) / d(c.layout.tp);
  // Query, key, value, their gradients and the attention output in BF16.
  const double attention = t * heads * d(2 * c.model.qk_head_dim() + 2 * c.model.v_head_dim()) * 2.0 * 2.0;
  double mlp = 0;
  if (moe) {
    const double rows = expert_rows(c);
    mlp = rows * (2.0 * d(c.model.moe->expert_ffn) / d(c.layout.etp) * 2.0 * 2.0 + h * 2.0);
  } else {
    mlp = t * d(c.model.ffn) / d(c.layout.tp) * 3.0 * 2.0 * 2.0;
  }
  // Scores and their gradient while an unfused attention runs.
  const double scores = c.attention == AttentionKernel::kFused ? 0.0 : 2.0 * unfused_score_bytes(c);
  return std::max(attention + scores, mlp);
}

}  // namespace

void set_activation_bytes(const BlockContext& c, bool moe, UnitWork& unit) {
  const Kept a = attention_kept(c);
  const Kept m = moe ? moe_kept(c) : dense_kept(c);
  unit.working_bytes = working(c, moe);
  unit.deferred_bytes = a.deferred + m.deferred;
  if (c.layout.recompute.layer) {
    // Only the layer's input stays; the rest is alive while the layer's backward runs.
    unit.working_bytes += a.bytes + m.bytes;
    unit.kept_bytes = d(c.norm_tokens) * d(c.model.hidden) * 2.0;
    return;
  }
  unit.kept_bytes = a.bytes + m.bytes;
}

}  // namespace orrery
