#pragma once

#include <cstdint>

#include "sim/layout/layout.hpp"
#include "sim/model/model_spec.hpp"
#include "sim/workload/op.hpp"
#include "sim/workload/routing.hpp"

namespace orrery {

/// What the blocks of a layer are built from: one rank's share of one microbatch.
struct BlockContext {
  const ModelSpec& model;
  const Layout& layout;
  Precision precision = Precision::kBf16;
  std::int64_t sequence = 0;  ///< tokens of a whole sequence
  std::int64_t window = 0;    ///< keys a query of this layer sees at most; 0: all before it
  std::int64_t tokens = 0;    ///< tokens of a microbatch on this rank after context parallelism
  std::int64_t norm_tokens =
      0;  ///< rows that norms and residuals see (divided by tp with sequence parallelism)
  std::int64_t sequences = 1;  ///< sequences of a microbatch
  Routing routing{};
  ExpertSpread spread{};
  AttentionKernel attention = AttentionKernel::kFused;
  bool dropout = false;
  double gradient_bytes = 4;  ///< of one weight gradient
  ExpertCalls expert_calls = ExpertCalls::kGrouped;
  LossKernel loss = LossKernel::kTorch;
};

/// The pieces of one layer (or of embedding, head, MTP module) in the order of arXiv 2412.19437, figure 4/5.
/// A missing piece is empty. Forward: attention, dispatch, mlp, combine. Backward of input: combine_b
/// (gradient goes out by a dispatch), mlp_b, dispatch_b (gradient comes back by a combine), attention_b;
/// weights: mlp_w, attention_w. `recompute` runs before combine_b and may communicate.
struct LayerWork {
  Segment attention_f, dispatch_f, mlp_f, combine_f;
  Segment recompute, combine_b, mlp_b, dispatch_b, attention_b;
  Segment mlp_w, attention_w;
};

void add_attention(const BlockContext& c, LayerWork& work);
void add_dense_mlp(const BlockContext& c, LayerWork& work);
void add_moe(const BlockContext& c, LayerWork& work);
/// With full recomputation the forward pieces stand in `recompute` once more.
void add_full_recompute(LayerWork& work);

[[nodiscard]] LayerWork embedding_work(const BlockContext& c);
/// Final norm, output projection and loss.
[[nodiscard]] LayerWork head_work(const BlockContext& c);
/// Bytes per logit; what they are made of stands in the source file.
struct LossBytes {
  double forward = 0, backward = 0;  ///< moved
  double kept = 0;                   ///< from forward to backward
  double working = 0;                ///< besides, while the loss runs
};
[[nodiscard]] LossBytes loss_bytes(LossKernel kernel);
/// Joins the hidden state and the next token's embedding before an MTP module (arXiv 2412.19437, 2.2).
void add_mtp_projection(const BlockContext& c, LayerWork& work);

}  // namespace orrery
