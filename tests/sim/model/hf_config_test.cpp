#include "sim/model/hf_config.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/sim/model/config_texts.hpp"

namespace orrery {
namespace {

using test::replaced;

ModelSpec spec_of(std::string_view text) {
  return parse_hf_config(text, "config.json", "tiny").spec;
}

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// A folder of its own under the system's temporary folder, gone after the test.
class HfConfigFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = test::make_folder("hf");
    std::filesystem::create_directories(folder_ / "my-model");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path write(const std::string& relative, std::string_view text) {
    std::ofstream(folder_ / relative, std::ios::binary) << text;
    return folder_ / relative;
  }
  std::filesystem::path folder_;
};

TEST_F(HfConfigFiles, FolderAndItsConfigGiveTheSameModelNamedAfterTheFolder) {
  const std::filesystem::path file = write("my-model/config.json", test::kTinyLlama);
  const LoadedModel by_file = load_hf_config(file);
  const LoadedModel by_folder = load_hf_config(folder_ / "my-model");
  const LoadedModel by_slash = load_hf_config(folder_ / "my-model/");
  EXPECT_EQ(by_file.spec, by_folder.spec);
  EXPECT_EQ(by_file.spec, by_slash.spec);
  EXPECT_EQ(by_file.spec.name, "my-model");
  EXPECT_EQ(by_file.spec.layers, 3);
}

TEST_F(HfConfigFiles, OtherFileIsNamedAfterItself) {
  EXPECT_EQ(load_hf_config(write("small.v2.json", test::kTinyLlama)).spec.name, "small.v2");
}

TEST(HfConfig, LlamaWithoutKeyValueHeadsHasAsManyAsHeads) {
  const LoadedModel loaded =
      parse_hf_config(replaced(test::kTinyLlama, "\"num_key_value_heads\": 2,", ""), "config.json", "tiny");
  EXPECT_EQ(loaded.spec.kv_heads, 4);
  EXPECT_TRUE(contains(loaded.assumed, "num_key_value_heads = 4"));
}

TEST(HfConfig, LlamaHeadWidthIsHiddenOverHeadsUnlessStated) {
  EXPECT_EQ(spec_of(test::kTinyLlama).head_dim, 2);
  EXPECT_EQ(spec_of(replaced(test::kTinyLlama, "{", "{\"head_dim\": 16,")).head_dim, 16);
  EXPECT_EQ(spec_of(replaced(test::kTinyLlama, "{", "{\"head_dim\": null,")).head_dim, 2);
}

TEST(HfConfig, LlamaHasNoBiasesUnlessStated) {
  const ModelSpec plain = spec_of(test::kTinyLlama);
  EXPECT_FALSE(plain.qkv_bias || plain.attention_output_bias || plain.mlp_bias || plain.tied_embeddings);
  const ModelSpec biased = spec_of(replaced(test::kTinyLlama, "{",
                                            "{\"attention_bias\": true, \"mlp_bias\": true,"
                                            "\"tie_word_embeddings\": true,"));
  EXPECT_TRUE(biased.qkv_bias && biased.attention_output_bias && biased.mlp_bias && biased.tied_embeddings);
}

TEST(HfConfig, QwenSecondGenerationAlwaysHasQkvBiasOnly) {
  const ModelSpec spec = spec_of(replaced(test::kTinyLlama, "LlamaForCausalLM", "Qwen2ForCausalLM"));
  EXPECT_TRUE(spec.qkv_bias);
  EXPECT_FALSE(spec.attention_output_bias);
  EXPECT_FALSE(spec.qk_norm);
}

TEST(HfConfig, QwenThirdGenerationHasHeadNormsAndStatedHeadWidth) {
  const std::string text =
      replaced(replaced(test::kTinyLlama, "LlamaForCausalLM", "Qwen3ForCausalLM"), "{", "{\"head_dim\": 16,");
  const ModelSpec spec = spec_of(text);
  EXPECT_TRUE(spec.qk_norm);
  EXPECT_FALSE(spec.qkv_bias);
  EXPECT_EQ(spec.head_dim, 16);
}

TEST(HfConfig, MixtralPutsExpertsInEveryLayer) {
  const ModelSpec spec = spec_of(test::kTinyMixtral);
  ASSERT_TRUE(spec.moe.has_value());
  EXPECT_EQ(spec.moe->experts, 5);
  EXPECT_EQ(spec.moe->top_k, 2);
  EXPECT_EQ(spec.moe->expert_ffn, 20);
  EXPECT_EQ(spec.moe->shared_experts, 0);
  EXPECT_EQ(spec.moe_layers(), 3);
}

TEST(HfConfig, QwenMoeSparseStepAndDenseListChooseTheLayers) {
  // Step 2 makes layers 1, 3, 5 sparse; the list takes 3 out again.
  const ModelSpec spec = spec_of(test::kTinyQwen2Moe);
  std::vector<std::int64_t> sparse;
  for (std::int64_t layer = 0; layer < spec.layers; ++layer) {
    if (spec.is_moe_layer(layer)) sparse.push_back(layer);
  }
  EXPECT_EQ(sparse, (std::vector<std::int64_t>{1, 5}));
  EXPECT_EQ(spec.moe->shared_ffn, 7);
  EXPECT_TRUE(spec.moe->shared_gate);
}

TEST(HfConfig, DeepseekReadsLatentAttentionGroupsAndPredictionModules) {
  const ModelSpec spec = spec_of(test::kTinyDeepseek);
  ASSERT_TRUE(spec.mla && spec.moe);
  EXPECT_EQ(*spec.mla, (MlaShape{.q_lora_rank = 5,
                                 .kv_lora_rank = 6,
                                 .qk_nope_head_dim = 4,
                                 .qk_rope_head_dim = 2,
                                 .v_head_dim = 3}));
  EXPECT_EQ(spec.moe->groups, 2);
  EXPECT_EQ(spec.moe->groups_kept, 1);
  EXPECT_TRUE(spec.moe->selection_bias);
  EXPECT_EQ(spec.mtp_modules, 1);
  EXPECT_FALSE(spec.is_moe_layer(0));
  EXPECT_TRUE(spec.is_moe_layer(1));
  EXPECT_EQ(spec.qk_head_dim(), 6);
  EXPECT_EQ(spec.v_head_dim(), 3);
}

TEST(HfConfig, DeepseekNullsMeanNoGroupsNoQueryCompressionNoExperts) {
  std::string text = replaced(test::kTinyDeepseek, "\"n_group\": 2", "\"n_group\": null");
  text = replaced(text, "\"topk_group\": 1", "\"topk_group\": null");
  text = replaced(text, "\"q_lora_rank\": 5", "\"q_lora_rank\": null");
  const ModelSpec spec = spec_of(text);
  EXPECT_EQ(spec.moe->groups, 1);
  EXPECT_EQ(spec.moe->groups_kept, 1);
  EXPECT_EQ(spec.mla->q_lora_rank, 0);
  EXPECT_FALSE(
      spec_of(replaced(text, "\"n_routed_experts\": 4", "\"n_routed_experts\": null")).moe.has_value());
}

TEST(HfConfig, DeepseekLayerFrequencyCountsFromLayerZero) {
  // Experts where the frequency divides the layer's number: 2 of the layers 1, 2.
  const ModelSpec spec =
      spec_of(replaced(test::kTinyDeepseek, "\"moe_layer_freq\": 1", "\"moe_layer_freq\": 2"));
  EXPECT_FALSE(spec.is_moe_layer(1));
  EXPECT_TRUE(spec.is_moe_layer(2));
}

TEST(HfConfig, DeepseekGreedyRoutingKnowsNoGroups) {
  const ModelSpec spec = spec_of(replaced(test::kTinyDeepseek, "noaux_tc", "greedy"));
  EXPECT_EQ(spec.moe->groups, 1);
  EXPECT_FALSE(spec.moe->selection_bias);
}

TEST(HfConfig, GptOssHasSinksBiasesAndExpertsInEveryLayer) {
  const ModelSpec spec = spec_of(test::kTinyGptOss);
  EXPECT_TRUE(spec.attention_sinks && spec.qkv_bias && spec.attention_output_bias);
  EXPECT_FALSE(spec.tied_embeddings || spec.mlp_bias || spec.qk_norm);
  EXPECT_EQ(spec.head_dim, 4);  // not 8 / 4
  ASSERT_TRUE(spec.moe.has_value());
  EXPECT_EQ(*spec.moe,
            (MoeShape{.experts = 5, .top_k = 2, .expert_ffn = 20, .router_bias = true, .expert_bias = true}));
  EXPECT_EQ(spec.moe_layers(), 3);
  const std::string other = replaced(test::kTinyGptOss, "\"num_experts_per_tok\"", "\"experts_per_token\"");
  EXPECT_EQ(spec_of(other), spec);
}

TEST(HfConfig, Gpt2IsTiedLearnedPlainAndFourTimesWide) {
  const ModelSpec spec = spec_of(test::kTinyGpt2);
  EXPECT_EQ(spec.ffn, 32);
  EXPECT_TRUE(spec.tied_embeddings);
  EXPECT_EQ(spec.position, PositionKind::kLearned);
  EXPECT_EQ(spec.norm, NormKind::kLayer);
  EXPECT_EQ(spec.feed_forward, FeedForwardKind::kPlain);
  EXPECT_TRUE(spec.qkv_bias && spec.attention_output_bias && spec.mlp_bias);
  EXPECT_EQ(spec.kv_heads, 2);
  EXPECT_EQ(spec_of(replaced(test::kTinyGpt2, "\"n_inner\": null", "\"n_inner\": 24")).ffn, 24);
}

TEST(HfConfig, NeoxIsUntiedWithParallelBlocks) {
  const std::string neox = replaced(test::kTinyLlama, "LlamaForCausalLM", "GPTNeoXForCausalLM");
  const ModelSpec spec = spec_of(neox);
  EXPECT_TRUE(spec.parallel_block);
  EXPECT_FALSE(spec.tied_embeddings);
  EXPECT_EQ(spec.kv_heads, 4);  // no grouped keys, whatever the file says of them
  EXPECT_FALSE(spec_of(replaced(neox, "{", "{\"use_parallel_residual\": false,")).parallel_block);
}

TEST(HfConfig, BloomIsTiedAlibiWithANormAfterTheEmbedding) {
  const ModelSpec spec = spec_of(R"({"architectures": ["BloomForCausalLM"], "n_embed": 8, "n_layer": 3,
                                     "num_attention_heads": 2, "vocab_size": 100})");
  EXPECT_EQ(spec.position, PositionKind::kAlibi);
  EXPECT_TRUE(spec.embedding_norm);
  EXPECT_TRUE(spec.tied_embeddings);
  EXPECT_EQ(spec.ffn, 32);
  EXPECT_EQ(spec.max_positions, 0);
}

TEST(HfConfig, KeysAreReportedAsUsedOrIgnored) {
  const LoadedModel loaded =
      parse_hf_config(replaced(test::kTinyLlama, "{",
                               "{\"torch_dtype\": \"bfloat16\", \"_orrery\": {}, \"rope_theta\": 1e4,"),
                      "config.json", "tiny");
  EXPECT_EQ(loaded.ignored_keys, (std::vector<std::string>{"torch_dtype", "rope_theta"}));
  EXPECT_TRUE(contains(loaded.used_keys, "hidden_size"));
  EXPECT_FALSE(contains(loaded.used_keys, "torch_dtype"));
  EXPECT_FALSE(contains(loaded.used_keys, "_orrery"));
}

}  // namespace
}  // namespace orrery
