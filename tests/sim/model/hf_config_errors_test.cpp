#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sim/base/check.hpp"
#include "sim/model/hf_config.hpp"
#include "tests/sim/model/config_texts.hpp"

namespace orrery {
namespace {

using test::replaced;

/// The complaint about `text`, or "accepted".
std::string complaint(std::string_view text) {
  try {
    (void)parse_hf_config(text, "config.json", "tiny");
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

std::string complaint_about_llama(std::string_view from, std::string_view to) {
  return complaint(replaced(test::kTinyLlama, from, to));
}

std::string complaint_about_file(const std::filesystem::path& path) {
  try {
    (void)load_hf_config(path);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' is not in: " << text;
}

TEST(HfConfigErrors, MissingFileIsNamed) {
  EXPECT_EQ(complaint_about_file("no/such/config.json"),
            "no/such/config.json: there is no such file or folder");
}

TEST(HfConfigErrors, FolderWithoutConfigIsNamed) {
  const std::filesystem::path folder = test::make_folder("empty");
  EXPECT_EQ(complaint_about_file(folder), folder.string() + ": the folder holds no config.json");
  std::filesystem::remove_all(folder);
}

TEST(HfConfigErrors, EmptyFileIsMalformed) {
  const std::filesystem::path folder = test::make_folder("malformed");
  const std::filesystem::path file = folder / "empty.json";
  std::ofstream(file).flush();
  expect_contains(complaint_about_file(file), file.string() + ":1:1: malformed JSON");
  std::filesystem::remove_all(folder);
}

TEST(HfConfigErrors, MalformedJsonHasLineAndColumn) {
  // Line 3 becomes `  "hidden_size": 8x,`: the x is its 19th character.
  expect_contains(complaint_about_llama("8,", "8x,"), "config.json:3:19: malformed JSON");
}

TEST(HfConfigErrors, NotANumberIsMalformed) {
  expect_contains(complaint_about_llama("\"hidden_size\": 8", "\"hidden_size\": NaN"), "config.json:3:");
}

TEST(HfConfigErrors, NumberTooLargeForAnyFloatIsRefused) {
  expect_contains(complaint_about_llama("\"hidden_size\": 8", "\"hidden_size\": 1e999"), "malformed JSON");
}

TEST(HfConfigErrors, TextThatIsNoObjectIsRefused) {
  EXPECT_EQ(complaint("[1, 2]"), "config.json: expected a JSON object { ... }, found [1,2]");
}

TEST(HfConfigErrors, KeyGivenTwiceIsRefused) {
  expect_contains(complaint_about_llama("{", "{\"hidden_size\": 16,"), "key 'hidden_size' is given twice");
}

TEST(HfConfigErrors, EveryMissingKeyIsNamedWithTheNearestUnusedKey) {
  std::string text = replaced(test::kTinyLlama, "\"hidden_size\"", "\"hiden_size\"");
  EXPECT_EQ(complaint(text), "config.json: missing key: 'hidden_size' (there is 'hiden_size')");
  text = replaced(text, "\"vocab_size\": 100", "\"x\": 1");
  EXPECT_EQ(complaint(text),
            "config.json: missing keys: 'hidden_size' (there is 'hiden_size'), 'vocab_size'");
}

TEST(HfConfigErrors, NoSizeThatChangesTheParametersIsAssumed) {
  const auto without = [](std::string_view text, const std::string& entry) {
    return complaint(replaced(text, entry, "\"unrelated\": 0"));
  };
  for (const char* entry :
       {"\"hidden_size\": 8", "\"intermediate_size\": 20", "\"num_hidden_layers\": 3",
        "\"num_attention_heads\": 4", "\"vocab_size\": 100", "\"max_position_embeddings\": 64"}) {
    expect_contains(without(test::kTinyLlama, entry), "missing key");
  }
  for (const char* entry :
       {"\"num_local_experts\": 5", "\"num_experts_per_tok\": 2", "\"num_key_value_heads\": 2"}) {
    expect_contains(without(test::kTinyMixtral, entry), "missing key");
  }
  for (const char* entry :
       {"\"q_lora_rank\": 5", "\"kv_lora_rank\": 6", "\"qk_nope_head_dim\": 4", "\"qk_rope_head_dim\": 2",
        "\"v_head_dim\": 3", "\"n_routed_experts\": 4", "\"n_shared_experts\": 1",
        "\"moe_intermediate_size\": 5", "\"first_k_dense_replace\": 1", "\"num_experts_per_tok\": 2",
        "\"intermediate_size\": 20"}) {
    expect_contains(without(test::kTinyDeepseek, entry), "missing key");
  }
  for (const char* entry : {"\"shared_expert_intermediate_size\": 7", "\"num_experts\": 6"}) {
    expect_contains(without(test::kTinyQwen2Moe, entry), "missing key");
  }
  for (const char* entry : {"\"n_embd\": 8", "\"n_head\": 2", "\"n_layer\": 3", "\"n_positions\": 16"}) {
    expect_contains(without(test::kTinyGpt2, entry), "missing key");
  }
  expect_contains(complaint_about_llama("LlamaForCausalLM", "Qwen3ForCausalLM"), "missing key: 'head_dim'");
}

TEST(HfConfigErrors, NumberInQuotesIsRefusedWithTheCure) {
  EXPECT_EQ(
      complaint_about_llama("\"hidden_size\": 8", "\"hidden_size\": \"8\""),
      "config.json#/hidden_size: found the text \"8\", expected a whole number from 1 to 1048576 (without "
      "quotes)");
}

TEST(HfConfigErrors, ZeroNegativeFractionalHugeAndNullSizesAreRefused) {
  for (const std::string bad : {"0", "-8", "8.5", "1e30", "99999999999999999999999", "null", "true", "[8]"}) {
    const std::string message = complaint_about_llama("\"hidden_size\": 8", "\"hidden_size\": " + bad);
    expect_contains(message, "config.json#/hidden_size: found ");
    expect_contains(message, "expected a whole number from 1 to 1048576");
  }
}

TEST(HfConfigErrors, SwitchThatIsNotTrueOrFalseIsRefused) {
  EXPECT_EQ(complaint_about_llama("{", "{\"tie_word_embeddings\": \"no\","),
            "config.json#/tie_word_embeddings: found \"no\", expected true or false");
}

TEST(HfConfigErrors, SizesThatOverflowTogetherAreRefused) {
  // One layer: 3 x 2^20 x 65,536 experts x 2^24 is about 3e18 weights, though each size is within its limits.
  std::string text = replaced(test::kTinyMixtral, "\"hidden_size\": 8", "\"hidden_size\": 1048576");
  text = replaced(text, "\"intermediate_size\": 20", "\"intermediate_size\": 16777216");
  text = replaced(text, "\"num_local_experts\": 5", "\"num_local_experts\": 65536");
  expect_contains(complaint(text), "parameters, expected at most 1e+17");
}

TEST(HfConfigErrors, HeadsMustDivideTheHiddenSizeAndByTheKeyValueHeads) {
  EXPECT_EQ(complaint_about_llama("\"num_attention_heads\": 4", "\"num_attention_heads\": 3"),
            "config.json#/num_attention_heads: found 3 heads, expected a divisor of the hidden size 8");
  EXPECT_EQ(complaint_about_llama("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3"),
            "config.json#/num_key_value_heads: found 3 key-value heads, expected a divisor of the 4 heads");
}

TEST(HfConfigErrors, TopKBeyondTheExpertsIsRefused) {
  EXPECT_EQ(
      complaint(replaced(test::kTinyMixtral, "\"num_experts_per_tok\": 2", "\"num_experts_per_tok\": 6")),
      "config.json#/num_experts_per_tok: found 6, expected at most the 5 experts");
}

TEST(HfConfigErrors, GroupsMustFitTheExperts) {
  EXPECT_EQ(complaint(replaced(test::kTinyDeepseek, "\"n_group\": 2", "\"n_group\": 3")),
            "config.json#/n_group: found 3 groups, expected a divisor of the 4 experts");
  EXPECT_EQ(complaint(replaced(test::kTinyDeepseek, "\"topk_group\": 1", "\"topk_group\": 3")),
            "config.json#/topk_group: found 3, expected at most the 2 groups");
  // One of two groups kept leaves 2 of the 4 experts to choose from.
  EXPECT_EQ(
      complaint(replaced(test::kTinyDeepseek, "\"num_experts_per_tok\": 2", "\"num_experts_per_tok\": 3")),
      "config.json#/num_experts_per_tok: found 3, expected at most the 2 experts of the 1 groups kept");
}

TEST(HfConfigErrors, LayersBeyondTheModelAreRefused) {
  expect_contains(complaint(replaced(test::kTinyDeepseek, "\"first_k_dense_replace\": 1",
                                     "\"first_k_dense_replace\": 4")),
                  "config.json#/first_k_dense_replace: found 4, expected a whole number from 0 to 3");
  expect_contains(complaint(replaced(test::kTinyQwen2Moe, "[3]", "[6]")),
                  "config.json#/mlp_only_layers: found 6, expected a whole number from 0 to 5");
}

TEST(HfConfigErrors, TwoNamesWithTwoValuesAreRefused) {
  EXPECT_EQ(complaint(replaced(test::kTinyGpt2, "{", "{\"hidden_size\": 16,")),
            "config.json#/hidden_size: found 16, but 'n_embd' is another name of the same size and says 8");
}

TEST(HfConfigErrors, UnknownArchitectureIsNamedWithTheKnownOnesAndTheNearest) {
  const std::string message = complaint_about_llama("LlamaForCausalLM", "LLaMAForCausalM");
  expect_contains(message,
                  "config.json#/architectures: found 'LLaMAForCausalM', expected one of BloomForCausalLM, ");
  expect_contains(message, "did you mean 'LlamaForCausalLM'?");
  for (const std::string& name : known_architectures()) expect_contains(message, name);
  expect_contains(complaint_about_llama("LlamaForCausalLM", "FalconH1"), "found 'FalconH1', expected one of");
}

TEST(HfConfigErrors, ArchitectureMustBeAListOfNames) {
  expect_contains(complaint_about_llama("[\"LlamaForCausalLM\"]", "\"LlamaForCausalLM\""),
                  "config.json#/architectures: found \"LlamaForCausalLM\", expected a list");
  expect_contains(complaint_about_llama("[\"LlamaForCausalLM\"]", "[]"),
                  "config.json#/architectures: found []");
  EXPECT_EQ(complaint_about_llama("\"architectures\"", "\"architecture\""),
            "config.json: missing key: 'architectures' (there is 'architecture')");
}

}  // namespace
}  // namespace orrery
