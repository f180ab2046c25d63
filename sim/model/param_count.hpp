#pragma once

#include <cstdint>

#include "sim/model/model_spec.hpp"

namespace orrery {

/// Parameters of one layer or one module, in numbers of weights. Biases count where the model has them.

/// Query, key, value and output projections of one layer, without any norm. MLA: the down and up
/// projections of query and key/value (arXiv 2405.04434, section 2.1). Sinks: one value a head.
[[nodiscard]] std::int64_t attention_params(const ModelSpec& spec);
/// Feed-forward of one dense layer: 3 (gated) or 2 (plain) matrices of hidden x ffn.
[[nodiscard]] std::int64_t dense_ffn_params(const ModelSpec& spec);
/// One routed expert; 0 for a dense model.
[[nodiscard]] std::int64_t expert_params(const ModelSpec& spec);
/// All shared experts of one MoE layer together; 0 where there are none.
[[nodiscard]] std::int64_t shared_expert_params(const ModelSpec& spec);
/// Router of one MoE layer: hidden x experts, its biases and the shared experts' scalar gate.
[[nodiscard]] std::int64_t router_params(const ModelSpec& spec);
/// Norms of one layer: the two block norms, the norms of MLA's compressed query and key/value, and the
/// query/key head norms. RMSNorm has a weight, LayerNorm a weight and a bias.
[[nodiscard]] std::int64_t layer_norm_params(const ModelSpec& spec);
/// Whole main-model layer, `layer` from 0 to layers - 1.
[[nodiscard]] std::int64_t layer_params(const ModelSpec& spec, std::int64_t layer);
/// One multi-token-prediction module's own weights: its layer, the 2 hidden x hidden projection and three
/// norms (arXiv 2412.19437, section 2.2); the embedding and head it shares are not in.
[[nodiscard]] std::int64_t mtp_module_params(const ModelSpec& spec);
[[nodiscard]] std::int64_t embedding_params(const ModelSpec& spec);
/// Learned absolute positions; 0 for rotary positions and ALiBi.
[[nodiscard]] std::int64_t position_embedding_params(const ModelSpec& spec);
/// Output head; 0 when it is the embedding again.
[[nodiscard]] std::int64_t head_params(const ModelSpec& spec);

/// Parameters of a model by component, summed over its layers.
struct ParamCount {
  std::int64_t embedding = 0;
  std::int64_t position_embedding = 0;
  std::int64_t head = 0;  ///< 0 when tied to the embedding
  std::int64_t attention = 0;
  std::int64_t dense_ffn = 0;
  std::int64_t routed_experts = 0;         ///< every expert of every MoE layer
  std::int64_t routed_experts_active = 0;  ///< the part one token passes through
  std::int64_t shared_experts = 0;
  std::int64_t router = 0;
  std::int64_t norms = 0;  ///< of the layers, after the embedding (BLOOM) and before the head
  std::int64_t mtp = 0;    ///< multi-token-prediction modules, outside of `total()`
  bool operator==(const ParamCount&) const = default;

  /// Main model, multi-token-prediction modules apart.
  [[nodiscard]] std::int64_t total() const {
    return embedding + position_embedding + head + attention + dense_ffn + routed_experts + shared_experts +
           router + norms;
  }
  /// What one token uses of the main model, both vocabulary matrices included.
  [[nodiscard]] std::int64_t active_per_token() const {
    return total() - routed_experts + routed_experts_active;
  }
  /// The same without the look-up tables (input embedding, learned positions), which do no arithmetic. A tied
  /// embedding stays in: it is the head.
  [[nodiscard]] std::int64_t active_without_lookup() const {
    return active_per_token() - position_embedding - (head == 0 ? 0 : embedding);
  }
};

[[nodiscard]] ParamCount count_params(const ModelSpec& spec);

}  // namespace orrery
