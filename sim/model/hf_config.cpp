#include "sim/model/hf_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/base/check.hpp"
#include "sim/base/fields.hpp"
#include "sim/base/suggest.hpp"
#include "sim/model/config_reader.hpp"
#include "sim/model/hf_window.hpp"

namespace orrery {
namespace {

// Limits far above every model there is; a number beyond them is a slip of the pen.
constexpr IntegerRange kWidth{1, 1 << 20};
constexpr IntegerRange kFfnWidth{1, 1 << 24};
constexpr IntegerRange kVocab{1, 1 << 24};
constexpr IntegerRange kLayers{1, 10000};
constexpr IntegerRange kHeads{1, 1 << 14};
constexpr IntegerRange kHeadDim{1, 1 << 16};
constexpr IntegerRange kExperts{1, 1 << 16};
constexpr IntegerRange kPositions{1, 1 << 30};
constexpr double kMostParameters = 1e17;

/// The same with 0 allowed.
constexpr IntegerRange from_zero(IntegerRange range) {
  return {0, range.high};
}

void read_vocabulary(ConfigReader& reader, ModelSpec& spec, bool tied_by_default) {
  spec.vocab = reader.integer("vocab_size", kVocab);
  spec.tied_embeddings = reader.flag("tie_word_embeddings", tied_by_default);
}

void read_sizes(ConfigReader& reader, ModelSpec& spec) {
  spec.hidden = reader.integer("hidden_size", kWidth);
  spec.layers = reader.integer("num_hidden_layers", kLayers);
  spec.heads = reader.integer("num_attention_heads", kHeads);
  spec.max_positions = reader.integer("max_position_embeddings", kPositions);
  read_vocabulary(reader, spec, false);
}

/// Heads of hidden / heads where the file does not say otherwise.
void read_head_dim(ConfigReader& reader, ModelSpec& spec, const ConfigKey& heads_key) {
  reader.finish();  // a missing size would give a misleading complaint about divisibility
  if (reader.has_value("head_dim")) {
    spec.head_dim = reader.integer("head_dim", kHeadDim);
    return;
  }
  if (spec.hidden % spec.heads != 0) {
    reader.fail(heads_key, fmt::format("found {} heads, expected a divisor of the hidden size {}", spec.heads,
                                       spec.hidden));
  }
  spec.head_dim = spec.hidden / spec.heads;
}

void attention_bias(ModelSpec& spec, bool everywhere) {
  spec.qkv_bias = everywhere;
  spec.attention_output_bias = everywhere;
}

void read_llama(ConfigReader& reader, ModelSpec& spec) {
  read_sizes(reader, spec);
  spec.kv_heads = reader.integer_or("num_key_value_heads", kHeads, spec.heads);
  spec.ffn = reader.integer("intermediate_size", kFfnWidth);
  read_head_dim(reader, spec, "num_attention_heads");
  attention_bias(spec, reader.flag("attention_bias", false));
  spec.mlp_bias = reader.flag("mlp_bias", false);
}

void read_mistral(ConfigReader& reader, ModelSpec& spec) {
  read_sizes(reader, spec);
  spec.kv_heads = reader.integer("num_key_value_heads", kHeads);
  spec.ffn = reader.integer("intermediate_size", kFfnWidth);
  read_head_dim(reader, spec, "num_attention_heads");
  read_window(reader, spec);
}

void read_mixtral(ConfigReader& reader, ModelSpec& spec) {
  read_mistral(reader, spec);
  MoeShape moe;
  moe.experts = reader.integer("num_local_experts", kExperts);
  moe.top_k = reader.integer("num_experts_per_tok", kExperts);
  moe.expert_ffn = spec.ffn;
  spec.moe = moe;
}

void read_qwen2(ConfigReader& reader, ModelSpec& spec) {
  read_sizes(reader, spec);
  spec.kv_heads = reader.integer("num_key_value_heads", kHeads);
  spec.ffn = reader.integer("intermediate_size", kFfnWidth);
  read_head_dim(reader, spec, "num_attention_heads");
  read_switched_window(reader, spec);
  spec.qkv_bias = true;
}

void read_qwen3(ConfigReader& reader, ModelSpec& spec) {
  read_sizes(reader, spec);
  spec.kv_heads = reader.integer("num_key_value_heads", kHeads);
  spec.ffn = reader.integer("intermediate_size", kFfnWidth);
  // The convention is 128, not hidden / heads, and both occur: it has to be stated.
  spec.head_dim = reader.integer("head_dim", kHeadDim);
  read_switched_window(reader, spec);
  attention_bias(spec, reader.flag("attention_bias", false));
  spec.qk_norm = true;
}

MoeShape read_qwen_experts(ConfigReader& reader, ModelSpec& spec) {
  reader.finish();  // the list below is checked against the number of layers
  MoeShape moe;
  moe.experts = reader.integer("num_experts", kExperts);
  moe.top_k = reader.integer("num_experts_per_tok", kExperts);
  moe.expert_ffn = reader.integer("moe_intermediate_size", kFfnWidth);
  spec.moe_every = reader.integer_or("decoder_sparse_step", kLayers, 1);
  spec.dense_layers = reader.integers("mlp_only_layers", {0, spec.layers - 1});
  return moe;
}

void read_qwen2_moe(ConfigReader& reader, ModelSpec& spec) {
  read_qwen2(reader, spec);
  spec.qkv_bias = reader.flag("qkv_bias", true);
  MoeShape moe = read_qwen_experts(reader, spec);
  moe.shared_experts = 1;
  moe.shared_ffn = reader.integer("shared_expert_intermediate_size", kFfnWidth);
  moe.shared_gate = true;
  spec.moe = moe;
}

void read_qwen3_moe(ConfigReader& reader, ModelSpec& spec) {
  read_qwen3(reader, spec);
  spec.moe = read_qwen_experts(reader, spec);
}

void read_deepseek_experts(ConfigReader& reader, ModelSpec& spec, const std::string& method) {
  reader.finish();  // the dense layers are checked against the number of layers
  if (reader.integer_or_null("n_routed_experts", kExperts, 0) == 0) return;  // null: every layer is dense
  MoeShape moe;
  moe.experts = reader.integer("n_routed_experts", kExperts);
  moe.top_k = reader.integer("num_experts_per_tok", kExperts);
  moe.expert_ffn = reader.integer("moe_intermediate_size", kFfnWidth);
  moe.shared_experts = reader.integer_or_null("n_shared_experts", from_zero(kExperts), 0);
  moe.shared_ffn = moe.shared_experts * moe.expert_ffn;
  if (method != "greedy") {  // greedy: the best experts of all groups
    moe.groups = reader.integer_or("n_group", kExperts, 1);
    moe.groups_kept = reader.integer_or("topk_group", kExperts, moe.groups);
  }
  moe.selection_bias = method == "noaux_tc";
  spec.moe = moe;
  spec.leading_dense_layers = reader.integer("first_k_dense_replace", {0, spec.layers});
  // Here layer l has experts where the number divides l, not l + 1.
  const std::int64_t every = reader.integer_or("moe_layer_freq", kLayers, 1);
  for (std::int64_t layer = spec.leading_dense_layers; layer < spec.layers; ++layer) {
    if (layer % every != 0) spec.dense_layers.push_back(layer);
  }
}

void read_deepseek(ConfigReader& reader, ModelSpec& spec) {
  read_sizes(reader, spec);
  spec.kv_heads = spec.heads;
  spec.ffn = reader.integer("intermediate_size", kFfnWidth);
  MlaShape mla;
  mla.q_lora_rank = reader.integer_or_null("q_lora_rank", kWidth, 0);
  mla.kv_lora_rank = reader.integer("kv_lora_rank", kWidth);
  mla.qk_nope_head_dim = reader.integer("qk_nope_head_dim", kHeadDim);
  mla.qk_rope_head_dim = reader.integer("qk_rope_head_dim", kHeadDim);
  mla.v_head_dim = reader.integer("v_head_dim", kHeadDim);
  spec.mla = mla;
  attention_bias(spec, reader.flag("attention_bias", false));
}

void read_deepseek_v2(ConfigReader& reader, ModelSpec& spec) {
  read_deepseek(reader, spec);
  read_deepseek_experts(reader, spec, reader.text("topk_method", "group_limited_greedy"));
}

void read_deepseek_v3(ConfigReader& reader, ModelSpec& spec) {
  read_deepseek(reader, spec);
  read_deepseek_experts(reader, spec, reader.text("topk_method", "noaux_tc"));
  spec.mtp_modules = reader.integer_or("num_nextn_predict_layers", {0, 64}, 0);
}

/// What GPT-2, GPT-NeoX and BLOOM share: LayerNorm, two feed-forward matrices, biases, no grouped keys.
void classic_block(ModelSpec& spec, PositionKind position) {
  spec.norm = NormKind::kLayer;
  spec.feed_forward = FeedForwardKind::kPlain;
  spec.position = position;
  spec.mlp_bias = true;
  spec.kv_heads = spec.heads;
}

void read_gpt2(ConfigReader& reader, ModelSpec& spec) {
  const ConfigKey heads("n_head", "num_attention_heads");
  spec.hidden = reader.integer({"n_embd", "hidden_size"}, kWidth);
  spec.layers = reader.integer({"n_layer", "num_hidden_layers"}, kLayers);
  spec.heads = reader.integer(heads, kHeads);
  spec.max_positions = reader.integer({"n_positions", "max_position_embeddings"}, kPositions);
  read_vocabulary(reader, spec, true);
  read_head_dim(reader, spec, heads);
  spec.ffn = reader.integer_or("n_inner", kFfnWidth, 4 * spec.hidden);
  classic_block(spec, PositionKind::kLearned);
  attention_bias(spec, true);
}

void read_gpt_neox(ConfigReader& reader, ModelSpec& spec) {
  read_sizes(reader, spec);
  spec.ffn = reader.integer("intermediate_size", kFfnWidth);
  read_head_dim(reader, spec, "num_attention_heads");
  classic_block(spec, PositionKind::kRotary);
  attention_bias(spec, reader.flag("attention_bias", true));
  spec.parallel_block = reader.flag("use_parallel_residual", true);
}

void read_bloom(ConfigReader& reader, ModelSpec& spec) {
  const ConfigKey heads("n_head", "num_attention_heads");
  spec.hidden = reader.integer({"hidden_size", "n_embed"}, kWidth);
  spec.layers = reader.integer({"n_layer", "num_hidden_layers"}, kLayers);
  spec.heads = reader.integer(heads, kHeads);
  if (reader.has_value("seq_length")) spec.max_positions = reader.integer("seq_length", kPositions);
  read_vocabulary(reader, spec, true);
  read_head_dim(reader, spec, heads);
  spec.ffn = 4 * spec.hidden;  // BLOOM has no key for it
  classic_block(spec, PositionKind::kAlibi);
  attention_bias(spec, true);
  spec.embedding_norm = true;
}

void read_gpt_oss(ConfigReader& reader, ModelSpec& spec) {
  read_sizes(reader, spec);
  spec.kv_heads = reader.integer("num_key_value_heads", kHeads);
  spec.ffn = reader.integer("intermediate_size", kFfnWidth);
  spec.head_dim = reader.integer("head_dim", kHeadDim);  // not hidden / heads
  attention_bias(spec, reader.flag("attention_bias", true));
  spec.attention_sinks = true;
  spec.clamped_gate = true;
  MoeShape moe;
  moe.experts = reader.integer("num_local_experts", kExperts);
  moe.top_k = reader.integer({"num_experts_per_tok", "experts_per_token"}, kExperts);
  moe.expert_ffn = spec.ffn;
  moe.router_bias = true;
  moe.expert_bias = true;
  spec.moe = moe;
  read_listed_windows(reader, spec);
}

struct Architecture {
  const char* name;
  void (*read)(ConfigReader&, ModelSpec&);
};

constexpr std::array<Architecture, 13> kArchitectures{{
    {"BloomForCausalLM", read_bloom},
    {"DeepseekV2ForCausalLM", read_deepseek_v2},
    {"DeepseekV3ForCausalLM", read_deepseek_v3},
    {"GPT2LMHeadModel", read_gpt2},
    {"GPTNeoXForCausalLM", read_gpt_neox},
    {"GptOssForCausalLM", read_gpt_oss},
    {"LlamaForCausalLM", read_llama},
    {"MistralForCausalLM", read_mistral},
    {"MixtralForCausalLM", read_mixtral},
    {"Qwen2ForCausalLM", read_qwen2},
    {"Qwen2MoeForCausalLM", read_qwen2_moe},
    {"Qwen3ForCausalLM", read_qwen3},
    {"Qwen3MoeForCausalLM", read_qwen3_moe},
}};

const Architecture& find_architecture(const ConfigReader& reader, const std::string& name) {
  for (const Architecture& architecture : kArchitectures) {
    if (name == architecture.name) return architecture;
  }
  const std::vector<std::string> known = known_architectures();
  reader.fail("architectures",
              fmt::format("found '{}', expected one of {}{}", name, join(known), did_you_mean(name, known)));
}

void check_experts(const ConfigReader& reader, const MoeShape& moe) {
  if (moe.top_k > moe.experts) {
    reader.fail("num_experts_per_tok",
                fmt::format("found {}, expected at most the {} experts", moe.top_k, moe.experts));
  }
  if (moe.experts % moe.groups != 0) {
    reader.fail("n_group", fmt::format("found {} groups, expected a divisor of the {} experts", moe.groups,
                                       moe.experts));
  }
  if (moe.groups_kept > moe.groups) {
    reader.fail("topk_group",
                fmt::format("found {}, expected at most the {} groups", moe.groups_kept, moe.groups));
  }
  const std::int64_t reachable = moe.groups_kept * (moe.experts / moe.groups);
  if (moe.top_k > reachable) {
    reader.fail("num_experts_per_tok",
                fmt::format("found {}, expected at most the {} experts of the {} groups kept", moe.top_k,
                            reachable, moe.groups_kept));
  }
}

/// Not below the true number of parameters; in floating point, so that nothing can overflow.
double parameter_bound(const ModelSpec& spec) {
  const auto real = [](std::int64_t n) { return static_cast<double>(n); };
  double latent = 0;
  if (spec.mla) latent = real(spec.mla->q_lora_rank + spec.mla->kv_lora_rank + spec.mla->qk_rope_head_dim);
  const double heads_width = real(spec.heads) * real(spec.qk_head_dim() + spec.v_head_dim());
  double ffn = real(spec.ffn);
  if (spec.moe)
    ffn += real(spec.moe->experts) * (real(spec.moe->expert_ffn) + 1) + real(spec.moe->shared_ffn);
  const double layer =
      (real(spec.hidden) + latent + 1) * (3 * heads_width + 3 * ffn + 2 * real(spec.hidden) + latent);
  return real(spec.layers + spec.mtp_modules) * layer +
         real(spec.hidden) * (2 * real(spec.vocab) + real(spec.max_positions));
}

void check_shape(const ConfigReader& reader, const ModelSpec& spec, const std::string& place) {
  if (spec.heads % spec.kv_heads != 0) {
    reader.fail("num_key_value_heads",
                fmt::format("found {} key-value heads, expected a divisor of the {} heads", spec.kv_heads,
                            spec.heads));
  }
  if (spec.moe) check_experts(reader, *spec.moe);
  if (const double bound = parameter_bound(spec); bound > kMostParameters) {
    throw InputError(
        place, fmt::format("the sizes together give about {:.0e} parameters, expected at most {:.0e}", bound,
                           kMostParameters));
  }
}

}  // namespace

std::vector<std::string> known_architectures() {
  std::vector<std::string> names;
  for (const Architecture& architecture : kArchitectures) names.emplace_back(architecture.name);
  return names;
}

LoadedModel parse_hf_config(std::string_view text, const std::string& place, std::string name) {
  ConfigReader reader(text, place);
  reader.skip("_orrery");  // the zoo's own remarks
  LoadedModel loaded;
  loaded.spec.name = std::move(name);
  loaded.spec.architecture = reader.first_text("architectures");
  find_architecture(reader, loaded.spec.architecture).read(reader, loaded.spec);
  reader.finish();
  check_shape(reader, loaded.spec, place);
  loaded.used_keys = reader.used_keys();
  loaded.ignored_keys = reader.ignored_keys();
  loaded.assumed = reader.assumed();
  return loaded;
}

LoadedModel load_hf_config(const std::filesystem::path& file_or_folder) {
  std::filesystem::path file = file_or_folder;
  std::error_code code;
  if (std::filesystem::is_directory(file, code)) {
    file /= "config.json";
    if (!std::filesystem::exists(file, code))
      throw InputError(file_or_folder.string(), "the folder holds no config.json");
  }
  if (!std::filesystem::exists(file, code))
    throw InputError(file.string(), "there is no such file or folder");
  if (!std::filesystem::is_regular_file(file, code)) throw InputError(file.string(), "is not a regular file");
  const bool named_by_folder = file.filename() == "config.json";
  const std::filesystem::path full = std::filesystem::absolute(file).lexically_normal();
  const std::string name = named_by_folder ? full.parent_path().filename().string() : full.stem().string();
  return parse_hf_config(read_file(file), file.string(), name);
}

}  // namespace orrery
