#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace orrery {

/// Multi-head latent attention (DeepSeek-V2 report, arXiv 2405.04434, section 2.1).
struct MlaShape {
  std::int64_t q_lora_rank = 0;  ///< width of the compressed query; 0: the query is not compressed
  std::int64_t kv_lora_rank = 0;
  std::int64_t qk_nope_head_dim = 0;
  std::int64_t qk_rope_head_dim = 0;  ///< one rotary key per token, shared by all heads
  std::int64_t v_head_dim = 0;
  bool operator==(const MlaShape&) const = default;
};

/// Mixture-of-experts feed-forward.
struct MoeShape {
  std::int64_t experts = 0;
  std::int64_t top_k = 0;
  std::int64_t expert_ffn = 0;      ///< intermediate size of one routed expert
  std::int64_t shared_experts = 0;  ///< number of shared experts (their widths add up)
  std::int64_t shared_ffn = 0;      ///< total intermediate size of all shared experts
  std::int64_t groups = 1;          ///< expert groups of group-limited routing
  std::int64_t groups_kept = 1;     ///< groups a token may use (DeepSeek: node limit)
  bool selection_bias = false;      ///< one bias per expert, used for selection only (DeepSeek-V3)
  bool shared_gate = false;         ///< a learned scalar gate on the shared experts (Qwen2-MoE)
  bool router_bias = false;         ///< one bias per expert in the router's projection (GPT-OSS)
  bool expert_bias = false;         ///< biases in the routed experts' matrices (GPT-OSS)
  bool operator==(const MoeShape&) const = default;
};

enum class NormKind { kRms, kLayer };
enum class PositionKind { kRotary, kLearned, kAlibi };
enum class FeedForwardKind { kGated, kPlain };  ///< gated: three matrices (SwiGLU); plain: two (GELU)

/// Shape of a dense or MoE decoder-only transformer: sizes only, no layout, no hardware.
struct ModelSpec {
  std::string name;
  std::string architecture;  ///< `architectures[0]` of the Hugging Face file
  std::int64_t hidden = 0;
  std::int64_t layers = 0;  ///< main model, multi-token-prediction modules not counted
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_dim = 0;  ///< of query, key and value where `mla` is empty
  std::int64_t ffn = 0;       ///< intermediate size of a dense feed-forward layer
  std::int64_t vocab = 0;
  std::int64_t max_positions = 0;  ///< 0: the file states none (ALiBi only)
  std::int64_t mtp_modules = 0;    ///< multi-token-prediction modules after the main model

  /// Keys that a query sees at most, its own included; 0: all before it, in every layer.
  std::int64_t sliding_window = 0;
  std::vector<std::int64_t> full_layers;  ///< with `sliding_window`: layers without it, ascending

  bool tied_embeddings = false;
  bool qkv_bias = false;
  bool attention_output_bias = false;
  bool attention_sinks = false;  ///< one learned value per head in the softmax's denominator (GPT-OSS)
  bool mlp_bias = false;
  bool clamped_gate = false;    ///< limits and an offset in the gated activation (GPT-OSS); costs as SwiGLU
  bool qk_norm = false;         ///< RMSNorm on query and key heads (Qwen3)
  bool parallel_block = false;  ///< attention and feed-forward side by side (GPT-NeoX)
  bool embedding_norm = false;  ///< a norm right after the embedding (BLOOM)
  NormKind norm = NormKind::kRms;
  PositionKind position = PositionKind::kRotary;
  FeedForwardKind feed_forward = FeedForwardKind::kGated;

  std::optional<MlaShape> mla;
  std::optional<MoeShape> moe;
  std::int64_t leading_dense_layers = 0;   ///< with `moe`: these first layers are dense
  std::int64_t moe_every = 1;              ///< with `moe`: layer l is MoE where n divides l + 1
  std::vector<std::int64_t> dense_layers;  ///< with `moe`: further dense layers, ascending

  /// Whether main-model layer `layer` (from 0) has experts.
  [[nodiscard]] bool is_moe_layer(std::int64_t layer) const {
    if (!moe) return false;
    if (layer < leading_dense_layers) return false;
    for (const std::int64_t dense : dense_layers) {
      if (dense == layer) return false;
    }
    return moe_every <= 1 || (layer + 1) % moe_every == 0;
  }
  /// Number of main-model layers with experts.
  [[nodiscard]] std::int64_t moe_layers() const {
    std::int64_t count = 0;
    for (std::int64_t layer = 0; layer < layers; ++layer) count += is_moe_layer(layer) ? 1 : 0;
    return count;
  }
  /// Window of main-model layer `layer` (from 0); 0: full attention.
  [[nodiscard]] std::int64_t window_of(std::int64_t layer) const {
    for (const std::int64_t full : full_layers) {
      if (full == layer) return 0;
    }
    return sliding_window;
  }
  /// Number of main-model layers with a window.
  [[nodiscard]] std::int64_t window_layers() const {
    std::int64_t count = 0;
    for (std::int64_t layer = 0; layer < layers; ++layer) count += window_of(layer) > 0 ? 1 : 0;
    return count;
  }
  /// Width of one query/key head and of one value head.
  [[nodiscard]] std::int64_t qk_head_dim() const {
    return mla ? mla->qk_nope_head_dim + mla->qk_rope_head_dim : head_dim;
  }
  [[nodiscard]] std::int64_t v_head_dim() const { return mla ? mla->v_head_dim : head_dim; }
  bool operator==(const ModelSpec&) const = default;
};

}  // namespace orrery
