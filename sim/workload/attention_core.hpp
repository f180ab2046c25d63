#pragma once

#include "sim/workload/blocks.hpp"

namespace orrery {

/// The kernels between the projections: queries against keys, softmax, values. One fused kernel, or, unfused,
/// two batched products with a causal softmax (and dropout) between them, every one with the whole matrix of
/// scores in device memory. Unfused products compute the full square, fused ones the lower triangle and of
/// it, in layers with a window, what the window leaves.
void attention_core_forward(const BlockContext& c, Segment& out, bool recompute);
void attention_core_backward(const BlockContext& c, Segment& out);
/// Bytes that an unfused core keeps for its backward: probabilities and, with dropout, its mask and result
/// (arXiv 2205.05198, section 4.1: 5 a s^2 b). 0 when fused.
[[nodiscard]] double unfused_kept_bytes(const BlockContext& c);
/// Bytes of one matrix of scores. 0 when fused.
[[nodiscard]] double unfused_score_bytes(const BlockContext& c);
/// Adds what dropout of a block's output (rows x width) costs beside the residual addition.
void hidden_dropout_forward(const BlockContext& c, Segment& out);
void hidden_dropout_backward(const BlockContext& c, Segment& in);

}  // namespace orrery
