#include "sim/workload/op.hpp"

#include <algorithm>

#include "sim/base/check.hpp"

namespace orrery {

double window_share(std::int64_t sequence, std::int64_t window) {
  if (window <= 0 || window >= sequence) return 1;
  const auto s = static_cast<double>(sequence);
  const auto w = static_cast<double>(window);
  return std::min(1.0, (w * s - w * (w - 1) / 2) / (s * s / 2));
}

std::string op_class(const Op& op) {
  const std::string precision = to_text(op.precision == Precision::kFp16 ? Precision::kBf16 : op.precision);
  switch (op.kind) {
    case OpKind::kGemm: return "gemm." + precision;
    case OpKind::kGroupedGemm: return "grouped-gemm." + precision;
    case OpKind::kWeightGemm: return "wgrad." + precision;
    case OpKind::kGroupedWeightGemm: return "grouped-wgrad." + precision;
    case OpKind::kAttentionForward: return op.mla ? "attention-mla.forward" : "attention.forward";
    case OpKind::kAttentionBackward: return op.mla ? "attention-mla.backward" : "attention.backward";
    case OpKind::kNorm: return "memory.norm";
    case OpKind::kQuantize: return "memory.quantize";
    case OpKind::kPack: return "memory.pack";
    case OpKind::kActivation: return "memory.activation";
    case OpKind::kRotary: return "memory.rotary";
    case OpKind::kPermute: return "memory.permute";
    case OpKind::kRouter: return "memory.router";
    case OpKind::kCopy: return "memory.copy";
    case OpKind::kEmbedding: return "memory.embedding";
    case OpKind::kLoss: return "memory.loss";
    case OpKind::kOptimizer: return "memory.optimizer";
  }
  fail_check("op kind", __FILE__, __LINE__, "op kind without a class");
}

std::int64_t host_calls(const WorkItem& item) {
  const auto* op = std::get_if<Op>(&item);
  return op == nullptr ? 1 : op->calls;
}

double exchange_bytes(const CommOp& op) {
  return op.tokens * op.rank_copies * op.bytes_per_token;
}

const char* to_text(CommKind kind) {
  switch (kind) {
    case CommKind::kDispatch: return "dispatch";
    case CommKind::kDispatchCached: return "dispatch-cached";
    case CommKind::kCombine: return "combine";
    case CommKind::kAllGather: return "all-gather";
    case CommKind::kReduceScatter: return "reduce-scatter";
    case CommKind::kAllReduce: return "all-reduce";
    case CommKind::kSendRecv: return "send-recv";
  }
  return "";
}

}  // namespace orrery
