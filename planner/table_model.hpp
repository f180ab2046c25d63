#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "planner/published_table.hpp"
#include "planner/table_skip.hpp"
#include "sim/scenario.hpp"

namespace orrery {

/// Sets `model` and `training.mtp` of a scenario from the shape a row states, and notes what it assumes.
///
/// A dense model is made from its sizes. Its block follows from the name, since no column tells it:
/// - llama, qwen, mistral, internlm, yi: gated feed-forward (SwiGLU), RMSNorm, rotary positions, untied
///   embeddings; `ffn` and `vocab` must be stated;
/// - gpt, mpt, bloom, opt, mt-nlg: plain feed-forward (GELU) of 4 x hidden where `ffn` is empty, LayerNorm,
///   biases, learned positions, tied embeddings, and Megatron-LM's padded GPT-2 vocabulary of 51,200 where
///   `vocab` is empty;
/// - nemotron: plain feed-forward (squared ReLU, arXiv 2402.16819), LayerNorm, rotary positions, no biases,
///   untied embeddings.
///
/// A model with experts is taken from the built-in ones by its name, written with any signs and capitals; its
/// number of layers may be smaller (a truncated stand-in), its width and experts must agree. Its
/// multi-token-prediction modules are left out unless the name says MTP.
[[nodiscard]] MaybeSkip set_model(const PublishedRow& row, Scenario& scenario);

/// Words of letters and digits in lower case: "GPT3-175B (x)" gives gpt3, 175b, x.
[[nodiscard]] std::vector<std::string> lower_words(std::string_view text);

}  // namespace orrery
