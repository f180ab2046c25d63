#include "sim/model/param_count.hpp"

#include "sim/base/check.hpp"

namespace orrery {
namespace {

std::int64_t norm_params(const ModelSpec& spec, std::int64_t width) {
  return spec.norm == NormKind::kRms ? width : 2 * width;
}

std::int64_t mla_params(const ModelSpec& spec, const MlaShape& mla) {
  const std::int64_t h = spec.hidden;
  const std::int64_t query_width = spec.heads * spec.qk_head_dim();
  const bool compressed = mla.q_lora_rank > 0;
  const std::int64_t query =
      compressed ? h * mla.q_lora_rank + mla.q_lora_rank * query_width : h * query_width;
  const std::int64_t kv_down = h * (mla.kv_lora_rank + mla.qk_rope_head_dim);
  const std::int64_t kv_up = mla.kv_lora_rank * spec.heads * (mla.qk_nope_head_dim + mla.v_head_dim);
  const std::int64_t output = spec.heads * mla.v_head_dim * h;
  // Only the down projections carry a bias (modeling_deepseek.py); an uncompressed query has none.
  const std::int64_t bias =
      spec.qkv_bias ? mla.q_lora_rank + mla.kv_lora_rank + mla.qk_rope_head_dim : std::int64_t{0};
  return query + kv_down + kv_up + output + bias + (spec.attention_output_bias ? h : 0);
}

std::int64_t feed_forward_params(const ModelSpec& spec, std::int64_t width, bool bias) {
  const std::int64_t in_matrices = spec.feed_forward == FeedForwardKind::kGated ? 2 : 1;
  const std::int64_t biases = bias ? in_matrices * width + spec.hidden : 0;
  return (in_matrices + 1) * spec.hidden * width + biases;
}

std::int64_t moe_layer_params(const ModelSpec& spec) {
  return attention_params(spec) + spec.moe->experts * expert_params(spec) + shared_expert_params(spec) +
         router_params(spec) + layer_norm_params(spec);
}

std::int64_t dense_layer_params(const ModelSpec& spec) {
  return attention_params(spec) + dense_ffn_params(spec) + layer_norm_params(spec);
}

}  // namespace

std::int64_t attention_params(const ModelSpec& spec) {
  if (spec.mla) return mla_params(spec, *spec.mla);
  const std::int64_t query = spec.heads * spec.head_dim;
  const std::int64_t key_value = 2 * spec.kv_heads * spec.head_dim;
  return spec.hidden * (query + key_value) + query * spec.hidden + (spec.qkv_bias ? query + key_value : 0) +
         (spec.attention_output_bias ? spec.hidden : 0) + (spec.attention_sinks ? spec.heads : 0);
}

std::int64_t dense_ffn_params(const ModelSpec& spec) {
  return feed_forward_params(spec, spec.ffn, spec.mlp_bias);
}

std::int64_t expert_params(const ModelSpec& spec) {
  return spec.moe ? feed_forward_params(spec, spec.moe->expert_ffn, spec.moe->expert_bias) : 0;
}

std::int64_t shared_expert_params(const ModelSpec& spec) {
  return spec.moe ? feed_forward_params(spec, spec.moe->shared_ffn, false) : 0;
}

std::int64_t router_params(const ModelSpec& spec) {
  if (!spec.moe) return 0;
  return spec.moe->experts * spec.hidden + (spec.moe->selection_bias ? spec.moe->experts : 0) +
         (spec.moe->router_bias ? spec.moe->experts : 0) + (spec.moe->shared_gate ? spec.hidden : 0);
}

std::int64_t layer_norm_params(const ModelSpec& spec) {
  std::int64_t sum = 2 * norm_params(spec, spec.hidden);
  if (spec.mla) sum += spec.mla->q_lora_rank + spec.mla->kv_lora_rank;
  if (spec.qk_norm) sum += 2 * spec.head_dim;
  return sum;
}

std::int64_t layer_params(const ModelSpec& spec, std::int64_t layer) {
  SIM_CHECK(layer >= 0 && layer < spec.layers, "layer outside of the main model");
  return spec.is_moe_layer(layer) ? moe_layer_params(spec) : dense_layer_params(spec);
}

std::int64_t mtp_module_params(const ModelSpec& spec) {
  const std::int64_t layer = spec.moe ? moe_layer_params(spec) : dense_layer_params(spec);
  return layer + 2 * spec.hidden * spec.hidden + 3 * norm_params(spec, spec.hidden);
}

std::int64_t embedding_params(const ModelSpec& spec) {
  return spec.vocab * spec.hidden;
}

std::int64_t position_embedding_params(const ModelSpec& spec) {
  return spec.position == PositionKind::kLearned ? spec.max_positions * spec.hidden : 0;
}

std::int64_t head_params(const ModelSpec& spec) {
  return spec.tied_embeddings ? 0 : spec.vocab * spec.hidden;
}

ParamCount count_params(const ModelSpec& spec) {
  const std::int64_t moe_layers = spec.moe_layers();
  const std::int64_t experts = spec.moe ? spec.moe->experts : 0;
  const std::int64_t top_k = spec.moe ? spec.moe->top_k : 0;
  const std::int64_t outer_norms = spec.embedding_norm ? 2 : 1;
  return ParamCount{
      .embedding = embedding_params(spec),
      .position_embedding = position_embedding_params(spec),
      .head = head_params(spec),
      .attention = spec.layers * attention_params(spec),
      .dense_ffn = (spec.layers - moe_layers) * dense_ffn_params(spec),
      .routed_experts = moe_layers * experts * expert_params(spec),
      .routed_experts_active = moe_layers * top_k * expert_params(spec),
      .shared_experts = moe_layers * shared_expert_params(spec),
      .router = moe_layers * router_params(spec),
      .norms = spec.layers * layer_norm_params(spec) + outer_norms * norm_params(spec, spec.hidden),
      .mtp = spec.mtp_modules * mtp_module_params(spec),
  };
}

}  // namespace orrery
