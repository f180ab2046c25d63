#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>

namespace orrery::test {

/// Small made-up configurations, one per family, that single tests change by `replaced`.
inline constexpr std::string_view kTinyLlama = R"({
  "architectures": ["LlamaForCausalLM"],
  "hidden_size": 8,
  "intermediate_size": 20,
  "max_position_embeddings": 64,
  "num_attention_heads": 4,
  "num_hidden_layers": 3,
  "num_key_value_heads": 2,
  "vocab_size": 100
})";

inline constexpr std::string_view kTinyMixtral = R"({
  "architectures": ["MixtralForCausalLM"],
  "hidden_size": 8,
  "intermediate_size": 20,
  "max_position_embeddings": 64,
  "num_attention_heads": 4,
  "num_experts_per_tok": 2,
  "num_hidden_layers": 3,
  "num_key_value_heads": 2,
  "num_local_experts": 5,
  "sliding_window": null,
  "vocab_size": 100
})";

inline constexpr std::string_view kTinyDeepseek = R"({
  "architectures": ["DeepseekV3ForCausalLM"],
  "first_k_dense_replace": 1,
  "hidden_size": 8,
  "intermediate_size": 20,
  "kv_lora_rank": 6,
  "max_position_embeddings": 64,
  "moe_intermediate_size": 5,
  "moe_layer_freq": 1,
  "n_group": 2,
  "n_routed_experts": 4,
  "n_shared_experts": 1,
  "num_attention_heads": 2,
  "num_experts_per_tok": 2,
  "num_hidden_layers": 3,
  "num_nextn_predict_layers": 1,
  "q_lora_rank": 5,
  "qk_nope_head_dim": 4,
  "qk_rope_head_dim": 2,
  "topk_group": 1,
  "topk_method": "noaux_tc",
  "v_head_dim": 3,
  "vocab_size": 100
})";

inline constexpr std::string_view kTinyQwen2Moe = R"({
  "architectures": ["Qwen2MoeForCausalLM"],
  "decoder_sparse_step": 2,
  "hidden_size": 8,
  "intermediate_size": 20,
  "max_position_embeddings": 64,
  "mlp_only_layers": [3],
  "moe_intermediate_size": 5,
  "num_attention_heads": 4,
  "num_experts": 6,
  "num_experts_per_tok": 2,
  "num_hidden_layers": 6,
  "num_key_value_heads": 2,
  "shared_expert_intermediate_size": 7,
  "vocab_size": 100
})";

inline constexpr std::string_view kTinyGptOss = R"({
  "architectures": ["GptOssForCausalLM"],
  "attention_bias": true,
  "head_dim": 4,
  "hidden_size": 8,
  "intermediate_size": 20,
  "layer_types": ["sliding_attention", "full_attention", "sliding_attention"],
  "max_position_embeddings": 64,
  "num_attention_heads": 4,
  "num_experts_per_tok": 2,
  "num_hidden_layers": 3,
  "num_key_value_heads": 2,
  "num_local_experts": 5,
  "sliding_window": 16,
  "vocab_size": 100
})";

inline constexpr std::string_view kTinyGpt2 = R"({
  "architectures": ["GPT2LMHeadModel"],
  "n_embd": 8,
  "n_head": 2,
  "n_inner": null,
  "n_layer": 3,
  "n_positions": 16,
  "vocab_size": 100
})";

/// `text` with the first `from` replaced by `to`; a `from` that is not there gives an empty text.
inline std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out(text);
  const std::size_t at = out.find(from);
  if (at == std::string::npos) return {};
  return out.replace(at, from.size(), to);
}

/// A new folder of this process alone; the test removes it.
inline std::filesystem::path make_folder(const std::string& name) {
  const std::filesystem::path folder =
      std::filesystem::path(::testing::TempDir()) / ("orrery-" + name + "-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  return folder;
}

}  // namespace orrery::test
