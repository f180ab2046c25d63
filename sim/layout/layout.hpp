#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace orrery {

/// Numeric format of the linear layers.
enum class Precision { kBf16, kFp16, kFp8Tensor, kFp8Block, kMxfp8 };
[[nodiscard]] const std::vector<std::string>& precision_names();
[[nodiscard]] const char* to_text(Precision precision);
[[nodiscard]] constexpr bool is_fp8(Precision p) {
  return p != Precision::kBf16 && p != Precision::kFp16;
}

/// What is computed again in the backward pass instead of being kept.
struct Recompute {
  std::string policy = "none";  ///< none, selective, full, deepseek-v3 or custom
  bool norms = false;           ///< RMSNorm outputs
  bool mla_up = false;          ///< MLA query and key/value up-projections
  bool activation = false;      ///< SwiGLU output (its input is kept)
  bool attention_core = false;  ///< the attention kernel
  bool layer = false;           ///< everything but the layer's input
};
/// Named policies and the operators a list may hold. Errors: InputError naming the nearest.
[[nodiscard]] Recompute make_recompute(const std::vector<std::string>& names, const std::string& place);

/// What lives in the host's memory instead of the GPU's.
struct Offload {
  bool optimizer = false;    ///< master weights and moments; the host updates what it holds
  bool activations = false;  ///< of transformer layers, from their forward to their backward
  bool operator==(const Offload&) const = default;
};
/// A list of optimizer and activations, or none. Errors: InputError naming the nearest.
[[nodiscard]] Offload make_offload(const std::vector<std::string>& names, const std::string& place);
/// "none", "optimizer", "activations" or "optimizer+activations".
[[nodiscard]] std::string to_text(const Offload& offload);

/// When a rank goes on after handing a message to the neighbour stage.
enum class MessageRule {
  kBlocking,    ///< the next step waits until it has left: Megatron-LM's 1F1B
  kAsync,       ///< at once; messages run beside the next step
  kRendezvous,  ///< in batches that wait for both sides: the published DualPipe code
                ///< (sim/schedule/messages.hpp)
};

[[nodiscard]] const std::vector<std::string>& message_rule_names();

/// What becomes of a schedule's weight gradients.
enum class WeightGradients {
  kAsScheduled,  ///< whole backwards and postponed ones as the schedule has them
  kSplit,        ///< every lone whole backward as input gradient, then weight gradient
  kMerged,       ///< every backward whole, where its input gradient stands
};
[[nodiscard]] const std::vector<std::string>& weight_gradient_names();

/// What the optimizer of a rank waits for.
enum class OptimizerSync {
  kBarrier,         ///< the gradient norm over all ranks, before any of them updates
  kPostValidation,  ///< nothing: the norm is checked afterwards and a wrong update taken back (arXiv
                    ///< 2401.10241, 4)
};
[[nodiscard]] const std::vector<std::string>& optimizer_sync_names();

/// What runs beside the gathers and reductions of tensor parallelism (docs/models/collectives.md).
enum class TensorOverlap {
  kNone,             ///< nothing: each waits for the kernel before it and holds up the one after it
  kWeightGradients,  ///< gradients of weights and inputs, in the backward pass: Megatron-LM since 2022
  kProducts,         ///< and the product at its side, both in tp pieces: Transformer Engine's userbuffers
};
[[nodiscard]] const std::vector<std::string>& tensor_overlap_names();

/// How tokens travel to the ranks of their experts (docs/models/expert-parallel.md).
enum class TokenDispatcher {
  kDeepEp,    ///< kernels that send a token once to each rank, and once to each node: DeepEP, HybridEP
  kAllToAll,  ///< a copy for each expert by the library's all-to-all: Megatron-LM's dispatcher of that name
};
[[nodiscard]] const std::vector<std::string>& token_dispatcher_names();

/// How the model is cut over the GPUs.
struct Layout {
  std::int64_t tp = 1;   ///< tensor parallel
  std::int64_t cp = 1;   ///< context parallel
  std::int64_t pp = 1;   ///< pipeline parallel: ranks of one pipeline
  std::int64_t vpp = 1;  ///< virtual stages per rank
  std::int64_t ep = 1;   ///< expert parallel
  std::int64_t etp = 1;  ///< tensor parallel inside an expert
  std::int64_t dp = 0;   ///< data parallel of the dense part; 0: follows from the rest
  std::int64_t zero_stage = 1;
  bool sequence_parallel = false;
  TensorOverlap tp_overlap = TensorOverlap::kWeightGradients;
  TokenDispatcher moe_dispatcher = TokenDispatcher::kDeepEp;
  std::string schedule = "1f1b";
  std::int64_t live_microbatches = 0;  ///< that a rank may hold, for schedules with a limit; 0: their own
  MessageRule messages = MessageRule::kBlocking;
  WeightGradients weight_gradients = WeightGradients::kAsScheduled;
  OptimizerSync optimizer_sync = OptimizerSync::kBarrier;
  /// Data-parallel traffic beside the pipeline's work; empty: as usual for the ZeRO stage
  /// (data_parallel.hpp).
  std::optional<bool> overlap_grad_reduce, overlap_param_gather;
  Recompute recompute;
  Offload offload;
  std::int64_t microbatch_size = 1;
  std::int64_t communication_sms = -1;     ///< SMs set apart for communication; -1: by schedule and cluster
  std::vector<std::int64_t> stage_layers;  ///< main-model layers per stage; empty: balanced by cost
  std::int64_t mtp_stage = -1;  ///< stage that holds the MTP modules; -1: the last, before the head
};

/// What FP8 does around a product (sim/workload/op_builder.hpp): DeepSeek's passes with blocks, Transformer
/// Engine's else.
enum class Fp8Recipe { kNone, kTensor, kBlock };
[[nodiscard]] constexpr Fp8Recipe fp8_recipe(Precision p) {
  if (!is_fp8(p)) return Fp8Recipe::kNone;
  return p == Precision::kFp8Block ? Fp8Recipe::kBlock : Fp8Recipe::kTensor;
}

/// In what weight gradients are summed up and reduced over data-parallel ranks.
enum class GradientFormat { kFp32, kBf16 };
[[nodiscard]] const std::vector<std::string>& gradient_format_names();
[[nodiscard]] constexpr double bytes_of(GradientFormat format) {
  return format == GradientFormat::kFp32 ? 4.0 : 2.0;
}

/// How attention between queries, keys and values is computed.
enum class AttentionKernel {
  kFused,    ///< one kernel that never writes the scores: FlashAttention and its like
  kUnfused,  ///< products, softmax and dropout as kernels of their own, scores in device memory
};
[[nodiscard]] const std::vector<std::string>& attention_kernel_names();

/// How the cross-entropy over the vocabulary is computed.
enum class LossKernel {
  kTorch,  ///< PyTorch's kernels over FP32 logits
  kFused,  ///< over BF16 logits, which their gradient overwrites
};
[[nodiscard]] const std::vector<std::string>& loss_kernel_names();

/// What the host calls for the experts of a rank.
enum class ExpertCalls {
  kGrouped,    ///< one kernel for all of them
  kPerExpert,  ///< one for each: the loops of Transformer Engine's grouped linear layers
};
[[nodiscard]] const std::vector<std::string>& expert_calls_names();

/// What is trained, apart from the model and the layout.
struct Training {
  std::int64_t global_batch_size = 0;  ///< sequences per step
  std::int64_t sequence_length = 4096;
  Precision precision = Precision::kBf16;
  double tokens = 0;  ///< of the whole run; 0: not given
  bool mtp = true;    ///< train the model's multi-token-prediction modules
  AttentionKernel attention = AttentionKernel::kFused;
  bool dropout = false;  ///< of attention probabilities and block outputs
  GradientFormat gradients = GradientFormat::kFp32;
  ExpertCalls expert_calls = ExpertCalls::kGrouped;
  LossKernel loss = LossKernel::kTorch;
};

/// Sizes that follow from GPU count and layout; valid only after check_layout said yes.
struct Derived {
  std::int64_t gpus = 0;
  std::int64_t dp = 0;                     ///< dense data-parallel size
  std::int64_t expert_dp = 0;              ///< data-parallel size of the routed experts
  std::int64_t stages = 0;                 ///< pp * vpp (DualPipe: pp)
  std::int64_t microbatches = 0;           ///< per pipeline and step
  std::int64_t tokens_per_microbatch = 0;  ///< per GPU after context parallelism (not divided by tp)
};
[[nodiscard]] Derived derive(const Layout& layout, const Training& training, std::int64_t gpus);

}  // namespace orrery
