#include "sim/model/param_count.hpp"

#include <gtest/gtest.h>

#include "sim/base/check.hpp"
#include "sim/model/hf_config.hpp"
#include "sim/model/zoo.hpp"
#include "tests/sim/model/config_texts.hpp"

namespace orrery {
namespace {

ModelSpec spec_of(std::string_view text) {
  return parse_hf_config(text, "config.json", "tiny").spec;
}

TEST(ParamCount, TinyGroupedQueryModelMatchesTheHandSum) {
  const ModelSpec spec = spec_of(test::kTinyLlama);
  // Width 8, 4 heads of 2, 2 key-value heads: Q 8x8 + K 8x4 + V 8x4 + O 8x8 = 192.
  EXPECT_EQ(attention_params(spec), 192);
  // Three matrices of 8 x 20.
  EXPECT_EQ(dense_ffn_params(spec), 480);
  EXPECT_EQ(layer_norm_params(spec), 16);
  EXPECT_EQ(layer_params(spec, 2), 192 + 480 + 16);
  const ParamCount count = count_params(spec);
  // 100 x 8 for the embedding and again for the head, three layers, the last norm.
  EXPECT_EQ(count.total(), 800 + 800 + 3 * 688 + 8);
  EXPECT_EQ(count.active_per_token(), count.total());
  EXPECT_EQ(count.active_without_lookup(), count.total() - 800);
  EXPECT_EQ(count.mtp, 0);
}

TEST(ParamCount, TinyDenseModelWithBiasesMatchesTheHandSum) {
  const ModelSpec spec = spec_of(test::kTinyGpt2);
  EXPECT_EQ(attention_params(spec), 4 * 64 + 3 * 8 + 8);
  // 8 -> 32 -> 8 with biases 32 and 8.
  EXPECT_EQ(dense_ffn_params(spec), 2 * 8 * 32 + 32 + 8);
  EXPECT_EQ(layer_norm_params(spec), 2 * 2 * 8);
  const ParamCount count = count_params(spec);
  EXPECT_EQ(count.head, 0);
  EXPECT_EQ(count.position_embedding, 16 * 8);
  EXPECT_EQ(count.total(), 800 + 128 + 3 * (288 + 552 + 32) + 16);
  // The tied embedding works as the head; the positions are only looked up.
  EXPECT_EQ(count.active_without_lookup(), count.total() - 128);
}

TEST(ParamCount, TinyExpertModelMatchesTheHandSum) {
  const ModelSpec spec = spec_of(test::kTinyMixtral);
  EXPECT_EQ(expert_params(spec), 3 * 8 * 20);
  EXPECT_EQ(router_params(spec), 5 * 8);
  EXPECT_EQ(shared_expert_params(spec), 0);
  EXPECT_EQ(layer_params(spec, 0), 192 + 5 * 480 + 40 + 16);
  const ParamCount count = count_params(spec);
  EXPECT_EQ(count.total(), 1600 + 3 * 2648 + 8);
  // A token uses 2 of 5 experts in each of three layers.
  EXPECT_EQ(count.active_per_token(), count.total() - 3 * 3 * 480);
}

TEST(ParamCount, TinySharedExpertModelMatchesTheHandSum) {
  const ModelSpec spec = spec_of(test::kTinyQwen2Moe);
  EXPECT_EQ(shared_expert_params(spec), 3 * 8 * 7);
  EXPECT_EQ(router_params(spec), 6 * 8 + 8);                  // and the shared expert's gate
  EXPECT_EQ(attention_params(spec), 192 + 8 + 4 + 4);         // and the biases of Q, K, V
  const std::int64_t dense = 208 + 480 + 16;                  // layers 0, 2, 3, 4
  const std::int64_t sparse = 208 + 6 * 120 + 168 + 56 + 16;  // layers 1, 5
  EXPECT_EQ(layer_params(spec, 3), dense);
  EXPECT_EQ(layer_params(spec, 5), sparse);
  EXPECT_EQ(count_params(spec).total(), 1600 + 4 * dense + 2 * sparse + 8);
}

TEST(ParamCount, TinyLatentAttentionModelMatchesTheHandSum) {
  const ModelSpec spec = spec_of(test::kTinyDeepseek);
  // Query 8 -> 5 -> 2 heads x 6; key/value 8 -> 6 + 2, 6 -> 2 x (4 + 3); output 2 x 3 -> 8.
  const std::int64_t attention = 8 * 5 + 5 * 12 + 8 * 8 + 6 * 14 + 6 * 8;
  EXPECT_EQ(attention_params(spec), attention);
  EXPECT_EQ(layer_norm_params(spec), 16 + 5 + 6);
  EXPECT_EQ(router_params(spec), 4 * 8 + 4);
  const std::int64_t dense = attention + 480 + 27;
  const std::int64_t sparse = attention + 4 * 120 + 120 + 36 + 27;
  EXPECT_EQ(layer_params(spec, 0), dense);
  EXPECT_EQ(layer_params(spec, 1), sparse);
  const ParamCount count = count_params(spec);
  EXPECT_EQ(count.total(), 1600 + dense + 2 * sparse + 8);
  // A prediction module: a layer, the 16 -> 8 projection and three norms.
  EXPECT_EQ(count.mtp, sparse + 128 + 24);
}

TEST(ParamCount, TinyModelWithSinksAndExpertBiasesMatchesTheHandSum) {
  const ModelSpec spec = spec_of(test::kTinyGptOss);
  // Q 8x16 + K 8x8 + V 8x8 + O 16x8, their biases 16 + 8 + 8 + 8, a sink for each of 4 heads.
  EXPECT_EQ(attention_params(spec), 384 + 40 + 4);
  EXPECT_EQ(expert_params(spec), 3 * 8 * 20 + 20 + 20 + 8);
  EXPECT_EQ(router_params(spec), 5 * 8 + 5);
  EXPECT_EQ(layer_params(spec, 0), 428 + 5 * 528 + 45 + 16);
}

// GPT-OSS 120B by component. The model card (arXiv 2508.10925, table 1) has MLP 114.71, attention 0.96,
// embedding and unembedding 1.16, total 116.83 and active 5.13, in 10^9.
TEST(ParamCount, GptOssComponentsMatchTheModelCard) {
  const ModelSpec spec = load_model("gpt-oss-120b", ".").spec;
  // 2 x 2880x4096 + 2 x 2880x512, biases 4096 + 1024 + 2880, 64 sinks
  EXPECT_EQ(attention_params(spec), 26'550'144);
  EXPECT_EQ(expert_params(spec), 3 * 2880 * 2880 + 3 * 2880);
  EXPECT_EQ(router_params(spec), 128 * 2880 + 128);
  const ParamCount count = count_params(spec);
  EXPECT_EQ(count.attention + count.norms, 36 * (26'550'144 + 2 * 2880) + 2880);
  EXPECT_NEAR(static_cast<double>(count.routed_experts + count.router), 114.71e9, 0.005e9);
  EXPECT_NEAR(static_cast<double>(count.attention), 0.96e9, 0.005e9);
  EXPECT_NEAR(static_cast<double>(count.embedding + count.head), 1.16e9, 0.005e9);
  EXPECT_EQ(count.total(), 116'829'156'672);
  EXPECT_EQ(count.active_without_lookup(), 5'132'849'472);
}

TEST(ParamCount, UncompressedQueryGoesStraightToTheHeads) {
  const ModelSpec spec =
      spec_of(test::replaced(test::kTinyDeepseek, "\"q_lora_rank\": 5", "\"q_lora_rank\": null"));
  EXPECT_EQ(attention_params(spec), 8 * 12 + 8 * 8 + 6 * 14 + 6 * 8);
  EXPECT_EQ(layer_norm_params(spec), 16 + 6);
}

TEST(ParamCount, HeadNormsAreOnePairPerLayer) {
  ModelSpec spec = spec_of(test::kTinyLlama);
  spec.qk_norm = true;
  EXPECT_EQ(layer_norm_params(spec), 16 + 2 * 2);
}

TEST(ParamCount, LayersOutsideOfTheModelAreABug) {
  const ModelSpec spec = spec_of(test::kTinyLlama);
  EXPECT_THROW((void)layer_params(spec, 3), InternalError);
  EXPECT_THROW((void)layer_params(spec, -1), InternalError);
}

// DeepSeek-V3 by component; the numbers follow from the shape in arXiv 2412.19437, section 4.2.
TEST(ParamCount, DeepseekV3ComponentsMatchTheReport) {
  const ModelSpec spec = load_model("deepseek-v3", ".").spec;
  // 7168x1536 + 1536x128x192 + 7168x576 + 512x128x256 + 128x128x7168
  EXPECT_EQ(attention_params(spec), 187'105'280);
  EXPECT_EQ(expert_params(spec), 3 * 7168 * 2048);
  EXPECT_EQ(expert_params(spec), 44'040'192);
  EXPECT_EQ(shared_expert_params(spec), 44'040'192);
  EXPECT_EQ(router_params(spec), 1'835'008 + 256);  // 256 x 7168 and the selection bias
  EXPECT_EQ(dense_ffn_params(spec), 396'361'728);
  EXPECT_EQ(embedding_params(spec), 926'679'040);
  EXPECT_EQ(head_params(spec), 926'679'040);
  EXPECT_EQ(layer_norm_params(spec), 2 * 7168 + 1536 + 512);
  EXPECT_EQ(layer_params(spec, 3) - layer_norm_params(spec) - 256, 11'507'269'632);
}

TEST(ParamCount, DeepseekV3TotalsMatchTheReport) {
  const ParamCount count = count_params(load_model("deepseek-v3", ".").spec);
  EXPECT_NEAR(static_cast<double>(count.total()), 671.03e9, 0.001 * 671.03e9);
  EXPECT_NEAR(static_cast<double>(count.active_per_token()), 37.55e9, 0.001 * 37.55e9);
  EXPECT_NEAR(static_cast<double>(count.active_without_lookup()), 36.62e9, 0.001 * 36.62e9);
  EXPECT_NEAR(static_cast<double>(count.mtp), 11.61e9, 0.001 * 11.61e9);
}

TEST(ParamCount, LayersAndOuterPartsAddUpToTheTotalForEveryModel) {
  for (const ZooEntry& entry : zoo()) {
    const ModelSpec spec = load_model(entry.name, ".").spec;
    const ParamCount count = count_params(spec);
    const std::int64_t norm = spec.norm == NormKind::kRms ? spec.hidden : 2 * spec.hidden;
    std::int64_t sum =
        count.embedding + count.position_embedding + count.head + norm * (spec.embedding_norm ? 2 : 1);
    for (std::int64_t layer = 0; layer < spec.layers; ++layer) sum += layer_params(spec, layer);
    EXPECT_EQ(sum, count.total()) << entry.name;
  }
}

}  // namespace
}  // namespace orrery
