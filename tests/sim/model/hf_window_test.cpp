// Which layers attend to a window, by the keys of four families.
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/base/check.hpp"
#include "sim/model/hf_config.hpp"
#include "tests/sim/model/config_texts.hpp"

namespace orrery {
namespace {

using test::replaced;
using Windows = std::vector<std::int64_t>;

/// Window of each layer of the tiny model, 3 layers, as `architecture` with `keys` added.
Windows windows(const char* architecture, const std::string& keys) {
  const std::string text = replaced(test::kTinyLlama, "LlamaForCausalLM", architecture);
  const ModelSpec spec = parse_hf_config(replaced(text, "{", "{" + keys), "config.json", "tiny").spec;
  Windows out;
  for (std::int64_t layer = 0; layer < spec.layers; ++layer) out.push_back(spec.window_of(layer));
  EXPECT_EQ(spec.window_layers(), 3 - std::count(out.begin(), out.end(), 0));
  return out;
}

std::string complaint(const std::string& text) {
  try {
    (void)parse_hf_config(text, "config.json", "tiny");
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

const std::string kMixed = R"("layer_types": ["full_attention", "sliding_attention", "full_attention"],)";

TEST(HfWindow, MistralHasOneForAllLayersAndNullMeansNone) {
  EXPECT_EQ(windows("MistralForCausalLM", "\"sliding_window\": 32,"), (Windows{32, 32, 32}));
  EXPECT_EQ(windows("MistralForCausalLM", "\"sliding_window\": null,"), (Windows{0, 0, 0}));
  EXPECT_EQ(windows("MistralForCausalLM", "\"sliding_window\": 32," + kMixed), (Windows{0, 32, 0}));
}

TEST(HfWindow, QwenSwitchesItOnForTheLayersBehindTheFullOnes) {
  const auto qwen = [](const std::string& keys) { return windows("Qwen2ForCausalLM", keys); };
  const std::string on = "\"use_sliding_window\": true, \"sliding_window\": 32,";
  EXPECT_EQ(qwen("\"use_sliding_window\": false, \"sliding_window\": 32,"), (Windows{0, 0, 0}));
  EXPECT_EQ(qwen(on + "\"max_window_layers\": 0,"), (Windows{32, 32, 32}));
  EXPECT_EQ(qwen(on + "\"max_window_layers\": 2,"), (Windows{0, 0, 32}));
  EXPECT_EQ(qwen(on + "\"max_window_layers\": 3,"), (Windows{0, 0, 0}));
  EXPECT_EQ(qwen(on + "\"max_window_layers\": 28,"), (Windows{0, 0, 0}));
}

TEST(HfWindow, NewerQwenFilesListTheLayers) {
  const std::string keys = "\"head_dim\": 2, \"sliding_window\": 32, \"max_window_layers\": 3," + kMixed;
  EXPECT_EQ(windows("Qwen3ForCausalLM", keys + "\"use_sliding_window\": true,"), (Windows{0, 32, 0}));
  EXPECT_EQ(windows("Qwen3ForCausalLM", keys + "\"use_sliding_window\": false,"), (Windows{0, 0, 0}));
}

TEST(HfWindow, GptOssListsThem) {
  const ModelSpec spec = parse_hf_config(test::kTinyGptOss, "config.json", "tiny").spec;
  EXPECT_EQ(spec.sliding_window, 16);
  EXPECT_EQ(spec.full_layers, (Windows{1}));
  EXPECT_EQ(spec.window_layers(), 2);
}

TEST(HfWindow, AWindowInNoLayerIsNone) {
  const std::string full = replaced(replaced(test::kTinyGptOss, "sliding_attention", "full_attention"),
                                    "sliding_attention", "full_attention");
  const ModelSpec spec = parse_hf_config(full, "config.json", "tiny").spec;
  EXPECT_EQ(spec.sliding_window, 0);
  EXPECT_TRUE(spec.full_layers.empty());
}

TEST(HfWindow, AListThatDoesNotFitTheLayersIsRefused) {
  EXPECT_EQ(complaint(replaced(test::kTinyGptOss, "\"full_attention\", ", "")),
            "config.json#/layer_types: found 2 entries, expected one for each of the 3 layers");
}

TEST(HfWindow, OtherKindsOfLayersAreRefusedByName) {
  const std::string message = complaint(replaced(test::kTinyGptOss, "full_attention", "chunked_attention"));
  EXPECT_NE(message.find("config.json#/layer_types: found \"chunked_attention\", expected one of "
                         "full_attention, sliding_attention"),
            std::string::npos)
      << message;
  EXPECT_NE(complaint(replaced(test::kTinyGptOss, "\"full_attention\"", "7")).find("found 7"),
            std::string::npos);
}

TEST(HfWindow, MissingKeysAreNamedTogether) {
  const std::string text = replaced(test::kTinyGptOss, "\"sliding_window\": 16,", "");
  EXPECT_EQ(complaint(replaced(text, "layer_types", "layer_type")),
            "config.json: missing keys: 'sliding_window', 'layer_types' (there is 'layer_type')");
}

}  // namespace
}  // namespace orrery
