#include "planner/table_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/model/hf_config.hpp"
#include "sim/model/zoo.hpp"

namespace orrery {
namespace {

constexpr std::int64_t kMegatronVocabulary = 51'200;

enum class Block { kUnknown, kGated, kPlain, kNemotron };

Block block_of(const std::string& model) {
  struct Family {
    const char* begins;
    Block block;
  };
  static constexpr std::array<Family, 11> kFamilies{{
      {"llama", Block::kGated},
      {"qwen", Block::kGated},
      {"mistral", Block::kGated},
      {"internlm", Block::kGated},
      {"yi", Block::kGated},
      {"gpt", Block::kPlain},
      {"mpt", Block::kPlain},
      {"bloom", Block::kPlain},
      {"opt", Block::kPlain},
      {"nlg", Block::kPlain},
      {"nemotron", Block::kNemotron},
  }};
  for (const std::string& word : lower_words(model)) {
    for (const Family& family : kFamilies) {
      if (word.starts_with(family.begins)) return family.block;
    }
  }
  return Block::kUnknown;
}

/// Letters and digits of a name in lower case, what stands in brackets left out.
std::string bare_name(std::string_view name) {
  std::string out;
  for (const std::string& word : lower_words(name.substr(0, name.find('(')))) out += word;
  return out;
}

Skip empty_cell(const char* column) {
  return {SkipReason::kCell, fmt::format("{} is empty", column)};
}

void set_block(Block block, ModelSpec& m) {
  const bool classic = block == Block::kPlain;
  m.architecture = block == Block::kGated ? "LlamaForCausalLM" : classic ? "GPT2LMHeadModel" : "Nemotron";
  m.feed_forward = block == Block::kGated ? FeedForwardKind::kGated : FeedForwardKind::kPlain;
  m.norm = block == Block::kGated ? NormKind::kRms : NormKind::kLayer;
  m.position = classic ? PositionKind::kLearned : PositionKind::kRotary;
  m.tied_embeddings = m.qkv_bias = m.attention_output_bias = m.mlp_bias = classic;
}

MaybeSkip set_dense(const PublishedRow& row, Scenario& s) {
  if (!row.layers) return empty_cell("layers");
  if (!row.hidden) return empty_cell("hidden");
  if (!row.heads) return empty_cell("heads");
  const Block block = block_of(row.model);
  if (block == Block::kUnknown)
    return Skip{SkipReason::kModel, fmt::format("kind of feed-forward of '{}' is not known", row.model)};
  if (!row.ffn && block != Block::kPlain) return empty_cell("ffn");
  if (!row.vocab && block != Block::kPlain) return empty_cell("vocab");
  if (*row.hidden % *row.heads != 0)
    return Skip{SkipReason::kModel, fmt::format("{} heads do not divide hidden {}", *row.heads, *row.hidden)};
  ModelSpec& m = s.model;
  m.name = row.model;
  m.hidden = *row.hidden;
  m.layers = *row.layers;
  m.heads = *row.heads;
  m.head_dim = m.hidden / m.heads;
  m.kv_heads = row.kv_heads.value_or(m.heads);
  m.ffn = row.ffn.value_or(4 * m.hidden);
  m.vocab = row.vocab.value_or(kMegatronVocabulary);
  m.max_positions = row.seq_len.value_or(0);
  if (m.kv_heads > m.heads || m.heads % m.kv_heads != 0)
    return Skip{SkipReason::kModel, fmt::format("{} heads do not share {} kv_heads", m.heads, m.kv_heads)};
  set_block(block, m);
  if (!row.kv_heads) s.assumed.push_back({"kv_heads", std::to_string(m.kv_heads), "as many as heads"});
  if (!row.ffn) s.assumed.push_back({"ffn", std::to_string(m.ffn), "4 x hidden"});
  if (!row.vocab) s.assumed.push_back({"vocab", std::to_string(m.vocab), "Megatron-LM's padded GPT-2"});
  return {};
}

MaybeSkip set_built_in(const PublishedRow& row, Scenario& s) {
  std::string name = bare_name(row.model);
  constexpr std::string_view kCut = "truncated";
  if (name.ends_with(kCut)) name.erase(name.size() - kCut.size());
  const ZooEntry* found = nullptr;
  for (const ZooEntry& entry : zoo()) {
    if (bare_name(entry.name) == name) found = &entry;
  }
  if (found == nullptr) {
    return Skip{SkipReason::kModel, fmt::format("'{}' has experts and is not built in", row.model)};
  }
  ModelSpec m = load_model(found->name, "").spec;
  const bool same = m.moe && m.hidden == row.hidden.value_or(m.hidden) && *row.experts == m.moe->experts &&
                    row.layers.value_or(m.layers) <= m.layers;
  if (!same) {
    return Skip{SkipReason::kModel,
                fmt::format("the shape of '{}' is not that of built-in {}", row.model, found->name)};
  }
  m.layers = row.layers.value_or(m.layers);
  if (m.leading_dense_layers >= m.layers)
    return Skip{SkipReason::kModel, fmt::format("'{}' is cut to its dense layers", row.model)};
  s.model = std::move(m);
  const std::vector<std::string> words = lower_words(row.model);
  const auto has = [&](const char* word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  s.training.mtp = s.model.mtp_modules > 0 && has("mtp") && !has("w");
  if (s.model.mtp_modules > 0 && !has("mtp"))
    s.assumed.push_back({"mtp", "false", "not said to be trained with it"});
  return {};
}

}  // namespace

std::vector<std::string> lower_words(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool letter = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
    if (letter) {
      words.back() += lower;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

MaybeSkip set_model(const PublishedRow& row, Scenario& scenario) {
  scenario.model_ref = row.model;
  scenario.training.mtp = false;
  return row.experts.value_or(0) > 1 ? set_built_in(row, scenario) : set_dense(row, scenario);
}

}  // namespace orrery
