#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "sim/layout/layout.hpp"
#include "sim/layout/rank_map.hpp"

namespace orrery {

enum class OpKind : std::uint8_t {
  kGemm,         ///< forward and input-gradient matrix products
  kGroupedGemm,  ///< the same over several experts at once
  kWeightGemm,   ///< weight gradient, accumulated in FP32
  kGroupedWeightGemm,
  kAttentionForward,
  kAttentionBackward,
  kNorm,
  kQuantize,    ///< casts and transposes of low-precision handling
  kPack,        ///< to and from the 12-bit format of the kept attention output
  kActivation,  ///< SwiGLU or GELU, forward and backward
  kRotary,
  kPermute,  ///< moving rows between token order and expert order
  kRouter,   ///< gate function, top-k and its bookkeeping: many small kernels
  kCopy,     ///< residual additions, concatenations
  kEmbedding,
  kLoss,
  kOptimizer,
};

/// How an item and its neighbours in a segment run side by side where tensor parallelism is overlapped.
enum class Beside : std::uint8_t {
  kNothing,          ///< after the item before it
  kNextProduct,      ///< a gather: the first part of the next product needs none of it, the last part all
  kPreviousProduct,  ///< a reduction: may start with the first part of the product before it
  kWeightProducts,   ///< a reduction: the weight gradients of the piece run before what waits for it
  kForWeights,       ///< a gather that only weight gradients wait for
  kFirstPart,        ///< of a product: one of tp pieces, then the reduction may start
  kLastPart,         ///< of a product: one of tp pieces, waits for the gather
};

/// Whether an item counts in a chain's length as usual: gathers and reductions beside products do not.
[[nodiscard]] constexpr bool holds_chain(Beside b) {
  return b != Beside::kNextProduct && b != Beside::kPreviousProduct && b != Beside::kForWeights;
}

/// One kernel (or a fixed number of equal small ones) on one GPU.
struct Op {
  const char* name = "";  ///< a literal
  OpKind kind = OpKind::kCopy;
  Precision precision = Precision::kBf16;
  bool mla = false;        ///< attention kernels: 192/128 latent heads
  bool recompute = false;  ///< computed again in the backward pass
  Beside beside = Beside::kNothing;
  std::int64_t repeats = 1;  ///< kernels of this shape, one after the other; `flops` and bytes are of all
  std::int64_t kernels = 1;
  std::int64_t calls = 1;     ///< of the host
  std::int64_t groups = 1;    ///< matrix products: experts, each of m rows
  std::int64_t m = 0;         ///< rows of the output
  std::int64_t n = 0;         ///< columns of the output
  std::int64_t k = 0;         ///< reduction length
  std::int64_t sequence = 0;  ///< attention kernels: tokens of a sequence
  std::int64_t window = 0;    ///< attention kernels: keys a query sees at most; 0: all before it
  double flops = 0;
  double bytes = 0;         ///< device memory read and written
  double output_bytes = 0;  ///< matrix products: the part written (and read, when accumulating) at the end
};

enum class CommKind : std::uint8_t {
  kDispatch,        ///< tokens to their experts, layout computed on the way
  kDispatchCached,  ///< the same with a known layout (backward of combine)
  kCombine,
  kAllGather,
  kReduceScatter,
  kAllReduce,
  kSendRecv,
};

/// One communication of one GPU with its group.
struct CommOp {
  const char* name = "";
  CommKind kind = CommKind::kSendRecv;
  Axis axis = Axis::kEp;
  double bytes = 0;  ///< gathered or reduced buffer, or the message; 0 for expert all-to-all
  // Expert all-to-all:
  double tokens = 0;           ///< tokens this rank sends
  double bytes_per_token = 0;  ///< payload of one copy
  double node_copies = 0;      ///< expected distinct target nodes of a token, the own node counted
  double rank_copies = 0;      ///< expected distinct target ranks of a token
  bool each_copy = false;      ///< the library's all-to-all: every one of `rank_copies` goes by itself
  bool recompute = false;
  Beside beside = Beside::kNothing;
};

using WorkItem = std::variant<Op, CommOp>;
/// A row of items, each after the one before.
using Segment = std::vector<WorkItem>;

/// What arrives in one exchange of tokens.
[[nodiscard]] double exchange_bytes(const CommOp& op);
/// Calls of the host for an item.
[[nodiscard]] std::int64_t host_calls(const WorkItem& item);

/// Share of the pairs of a causal triangle that a window of w leaves of a sequence of s. Query i, from 0,
/// sees min(i + 1, w) keys, together w s - w (w - 1) / 2 for w < s; a triangle is counted as s^2 / 2, half of
/// its diagonal, and no window as more than that. 1 without a window shorter than the sequence.
[[nodiscard]] double window_share(std::int64_t sequence, std::int64_t window);

/// Class of an op in a hardware profile: "gemm.fp8-block", "attention-mla.forward", "memory.norm".
[[nodiscard]] std::string op_class(const Op& op);
/// "dispatch", "dispatch-cached", "combine", "all-gather", ...
[[nodiscard]] const char* to_text(CommKind kind);

}  // namespace orrery
