#pragma once

#include <cstdint>

#include "sim/base/units.hpp"
#include "sim/model/model_spec.hpp"

namespace orrery {

/// Model FLOPs of forward and backward per training token: 6 x active parameters without the input embedding
/// plus 3 x the attention kernel. Causal counts the lower triangle only and in layers with a window what that
/// leaves of it (`window_share`; Megatron-Bridge counts the same, training/utils/flop_utils.py @0494433);
/// non-causal the full square in every layer, whatever the mask leaves out. Without multi-token-prediction
/// modules and without anything computed twice. This is the convention of DeepSeek's published 250 GFLOP per
/// token (arXiv 2505.09343, table 2).
[[nodiscard]] Flops model_flops_per_token(const ModelSpec& model, std::int64_t sequence_length, bool causal);

}  // namespace orrery
