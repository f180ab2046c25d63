#include <algorithm>

#include "sim/workload/op_builder.hpp"

// Mixture-of-experts block. Sources: arXiv 2412.19437, 2.1.2 (DeepSeekMoE), 3.2.1 (order of pieces), 3.3
// (FP8: dispatch in FP8 both ways, combine in BF16; SwiGLU input kept in FP8 and its output computed again).
// Kernel structure as in DeepSeek's published training trace (deepseek-ai/profile-data, train.json).

namespace orrery {
namespace {

constexpr LinearNames kSharedUp{"shared gate and up", "shared gate and up input grad",
                                "shared gate and up weight grad", "quantise shared gate and up"};
constexpr LinearNames kSharedDown{"shared down", "shared down input grad", "shared down weight grad",
                                  "quantise shared down"};

/// Small kernels of gate, top-k and token counting, and how often they pass over the scores: counted in the
/// trace.
constexpr std::int64_t kRouterKernels = 37;
constexpr double kRouterPasses = 4.0;
constexpr std::int64_t kRouterBackwardKernels = 26;
constexpr double kRouterBackwardPasses = 1.15;
constexpr std::int64_t kMapKernels = 2;
constexpr double kMapPasses = 3.5;

double area(double m, std::int64_t width, double bytes) {
  return m * static_cast<double>(width) * bytes;
}

bool blocks(const BlockContext& c) {
  return fp8_recipe(c.precision) == Fp8Recipe::kBlock;
}

/// A pass that writes both FP8 forms of BF16 rows; with per-tensor FP8 only.
void cast_transpose(const BlockContext& c, const char* name, double rows, std::int64_t width, Segment& out,
                    std::int64_t calls = 1) {
  if (fp8_recipe(c.precision) != Fp8Recipe::kTensor) return;
  Op cast = memory_op(name, OpKind::kQuantize, area(rows, width, kCastTransposeBytes));
  cast.calls = calls;
  out.emplace_back(cast);
}

/// Tokens travel as a copy for each expert, sorted by experts before and by ranks after.
bool each_copy(const BlockContext& c) {
  return c.layout.ep > 1 && c.layout.moe_dispatcher == TokenDispatcher::kAllToAll;
}

struct Sizes {
  std::int64_t h, expert_ffn, shared_ffn;
  std::int64_t local_experts;
  double sent;              ///< tokens this rank sends to experts
  std::int64_t per_expert;  ///< rows of one local expert
  double rows;              ///< rows of all local experts
  double received;          ///< copies of tokens that arrive here: one of each token, or one for each row
  std::int64_t calls;       ///< of the host, for all local experts
};

Sizes sizes(const BlockContext& c) {
  const MoeShape& moe = *c.model.moe;
  Sizes s{};
  s.h = c.model.hidden;
  s.expert_ffn = moe.expert_ffn / c.layout.etp;
  s.shared_ffn = moe.shared_ffn / c.layout.tp;
  s.local_experts = moe.experts / c.layout.ep;
  // The tp ranks of a sequence share its tokens out; the etp ranks of an expert all see the same rows, so a
  // rank works on those that etp ranks sent.
  s.sent = static_cast<double>(c.tokens) / static_cast<double>(c.layout.tp);
  const double tokens = s.sent * static_cast<double>(c.layout.etp);
  const double rows = tokens * static_cast<double>(moe.top_k) * c.routing.max_over_mean;
  s.per_expert =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(rows / static_cast<double>(s.local_experts)));
  s.rows = static_cast<double>(s.per_expert * s.local_experts);
  s.received =
      each_copy(c) ? s.rows : std::min(s.rows, tokens * c.spread.rank_copies * c.routing.max_over_mean);
  s.calls = c.expert_calls == ExpertCalls::kPerExpert ? s.local_experts : 1;
  return s;
}

CommOp exchange(const BlockContext& c, const Sizes& s, const char* name, CommKind kind,
                double bytes_per_element) {
  const bool each = each_copy(c);
  const auto experts = static_cast<double>(c.model.moe->top_k);
  return CommOp{.name = name,
                .kind = kind,
                .axis = Axis::kEp,
                .tokens = s.sent * c.routing.max_over_mean,
                .bytes_per_token = static_cast<double>(s.h) * bytes_per_element,
                .node_copies = each ? experts : c.spread.node_copies,
                .rank_copies = (each ? experts : c.spread.rank_copies) * static_cast<double>(c.layout.etp),
                .each_copy = each};
}

/// The library's all-to-all has to be told who sends how much; DeepEP's kernels find out themselves.
void gather_counts(const BlockContext& c, Segment& out) {
  if (!each_copy(c)) return;
  const auto counts = static_cast<double>(c.model.moe->experts * c.layout.ep);
  out.emplace_back(CommOp{
      .name = "gather token counts", .kind = CommKind::kAllGather, .axis = Axis::kEp, .bytes = 4.0 * counts});
}

/// Before a copy for each expert leaves, the tokens of a rank are written in the order of the experts, and
/// after they have come back they are added up again: the tokens and their copies are read or written once.
void sort_copies(const BlockContext& c, const Sizes& s, const char* name, double bytes, Segment& out) {
  if (!each_copy(c)) return;
  const double copies = s.sent * static_cast<double>(c.model.moe->top_k);
  out.emplace_back(memory_op(name, OpKind::kPermute, area(s.sent + copies, s.h, bytes)));
}

Op grouped(const char* name, OpKind kind, const BlockContext& c, const Sizes& s, std::int64_t m,
           std::int64_t n, std::int64_t k) {
  Op op = gemm_op(name, kind, c.precision, s.local_experts, m, n, k, c.gradient_bytes);
  op.calls = s.calls;
  return op;
}

void route(const BlockContext& c, Segment& out) {
  const MoeShape& moe = *c.model.moe;
  out.emplace_back(norm_forward("mlp norm", c.norm_tokens, c.model.hidden));
  out.emplace_back(gemm_op("router projection", OpKind::kGemm, Precision::kBf16, 1, c.norm_tokens,
                           moe.experts, c.model.hidden));
  out.emplace_back(memory_op("top-k and bookkeeping", OpKind::kRouter,
                             area(static_cast<double>(c.norm_tokens), moe.experts, 4.0) * kRouterPasses,
                             kRouterKernels));
  if (blocks(c)) {
    out.emplace_back(
        memory_op("quantise dispatch", OpKind::kQuantize,
                  area(static_cast<double>(c.norm_tokens), c.model.hidden, 2.0 + kScaledFp8Bytes)));
  }
}

void shared_forward(const BlockContext& c, const Sizes& s, Segment& out) {
  if (s.shared_ffn == 0) return;
  tensor_gather(out, c, "gather shared expert input");
  // With blocks the dispatched FP8 tokens serve here too, so nothing is quantised again.
  const auto tokens = static_cast<double>(c.tokens);
  cast_transpose(c, "cast shared expert input", tokens, s.h, out);
  out.emplace_back(
      gemm_op(kSharedUp.forward, OpKind::kGemm, c.precision, 1, c.tokens, 2 * s.shared_ffn, s.h));
  out.emplace_back(
      memory_op("shared activation", OpKind::kActivation, area(tokens, s.shared_ffn, blocks(c) ? 5.0 : 6.0)));
  cast_transpose(c, "cast shared activation", tokens, s.shared_ffn, out);
  if (blocks(c)) {
    out.emplace_back(memory_op("pack kept shared activation inputs", OpKind::kQuantize,
                               area(tokens, 2 * s.shared_ffn, 2.0 + kScaledFp8Bytes)));
  }
  out.emplace_back(gemm_op(kSharedDown.forward, OpKind::kGemm, c.precision, 1, c.tokens, s.h, s.shared_ffn));
  tensor_reduce(out, c, "reduce shared expert output");
}

void experts_forward(const BlockContext& c, const Sizes& s, Segment& out) {
  const double e = blocks(c) ? kScaledFp8Bytes : 2.0;
  out.emplace_back(memory_op("count and map tokens", OpKind::kRouter,
                             area(s.sent, c.model.moe->experts, 4.0) * kMapPasses, kMapKernels));
  out.emplace_back(
      memory_op("permute tokens", OpKind::kPermute, area(s.received, s.h, e) + area(s.rows, s.h, e)));
  cast_transpose(c, "cast expert inputs", s.rows, s.h, out, s.calls);
  out.emplace_back(
      grouped("experts gate and up", OpKind::kGroupedGemm, c, s, s.per_expert, 2 * s.expert_ffn, s.h));
  out.emplace_back(memory_op("experts activation", OpKind::kActivation, area(s.rows, s.expert_ffn, 4.0 + e)));
  cast_transpose(c, "cast expert activation", s.rows, s.expert_ffn, out, s.calls);
  if (blocks(c)) {
    out.emplace_back(memory_op("pack kept activation inputs", OpKind::kQuantize,
                               area(s.rows, 2 * s.expert_ffn, 2.0 + kScaledFp8Bytes)));
  }
  out.emplace_back(grouped("experts down", OpKind::kGroupedGemm, c, s, s.per_expert, s.h, s.expert_ffn));
  out.emplace_back(memory_op("unpermute and reduce", OpKind::kPermute,
                             area(s.rows, s.h, 2.0) + area(s.received, s.h, 2.0)));
}

void experts_input_grad(const BlockContext& c, const Sizes& s, Segment& in) {
  const double e = blocks(c) ? kScaledFp8Bytes : 2.0;
  if (blocks(c)) {
    in.emplace_back(memory_op("unpack kept activation inputs", OpKind::kQuantize,
                              area(s.rows, 2 * s.expert_ffn, 2.0 + kScaledFp8Bytes)));
  }
  in.emplace_back(
      memory_op("permute gradients", OpKind::kPermute, area(s.received, s.h, e) + area(s.rows, s.h, e)));
  cast_transpose(c, "cast expert output gradient", s.rows, s.h, in, s.calls);
  in.emplace_back(
      grouped("experts down input grad", OpKind::kGroupedGemm, c, s, s.per_expert, s.expert_ffn, s.h));
  if (c.layout.recompute.activation) {
    Op again =
        memory_op("experts activation again", OpKind::kActivation, area(s.rows, s.expert_ffn, 4.0 + 2.0));
    again.recompute = true;
    in.emplace_back(again);
  }
  in.emplace_back(memory_op("experts activation backward", OpKind::kActivation,
                            area(s.rows, s.expert_ffn, 4.0 + 2.0 + 4.0)));
  in.emplace_back(memory_op("combine weight gradient", OpKind::kActivation, area(s.rows, s.expert_ffn, 4.0)));
  cast_transpose(c, "cast gate and up gradient", s.rows, 2 * s.expert_ffn, in, s.calls);
  if (blocks(c)) {
    // Row-wise copies for the input gradient, column-wise ones for the weight gradients.
    in.emplace_back(memory_op("quantise gate and up gradient", OpKind::kQuantize,
                              area(s.rows, 2 * s.expert_ffn, 2.0 + kScaledFp8Bytes)));
    in.emplace_back(memory_op("cast and transpose activation", OpKind::kQuantize,
                              area(s.rows, s.expert_ffn, 2.0 + kScaledFp8Bytes)));
    in.emplace_back(memory_op("cast and transpose gradient", OpKind::kQuantize,
                              area(s.rows, 2 * s.expert_ffn, 2.0 + kScaledFp8Bytes)));
    const double weights = static_cast<double>(s.local_experts * s.h * 3 * s.expert_ffn);
    in.emplace_back(memory_op("transpose expert weights", OpKind::kQuantize, 2.0 * weights, 2));
  }
  in.emplace_back(grouped("experts gate and up input grad", OpKind::kGroupedGemm, c, s, s.per_expert, s.h,
                          2 * s.expert_ffn));
  in.emplace_back(memory_op("unpermute and reduce gradients", OpKind::kPermute,
                            area(s.rows, s.h, 2.0) + area(s.received, s.h, 2.0)));
}

void shared_input_grad(const BlockContext& c, const Sizes& s, Segment& in) {
  if (s.shared_ffn == 0) return;
  tensor_gather(in, c, "gather shared expert gradient");
  if (blocks(c)) {
    in.emplace_back(memory_op("unpack kept shared activation inputs", OpKind::kQuantize,
                              area(static_cast<double>(c.tokens), 2 * s.shared_ffn, 2.0 + kScaledFp8Bytes)));
  }
  linear_input_grad(in, c, kSharedDown, c.tokens, s.h, s.shared_ffn);
  in.emplace_back(memory_op("shared activation backward", OpKind::kActivation,
                            area(static_cast<double>(c.tokens), s.shared_ffn, 16.0)));
  linear_input_grad(in, c, kSharedUp, c.tokens, 2 * s.shared_ffn, s.h);
  tensor_reduce(in, c, "reduce shared expert gradient");
}

void weight_grads(const BlockContext& c, const Sizes& s, Segment& out) {
  if (s.shared_ffn > 0) {
    linear_weight_grad(out, c, kSharedDown, c.tokens, s.h, s.shared_ffn);
    linear_weight_grad(out, c, kSharedUp, c.tokens, 2 * s.shared_ffn, s.h);
  }
  if (blocks(c)) {
    // Rows arrived scaled along their length; the reduction over tokens needs scales along the columns.
    out.emplace_back(memory_op("requantise expert gradients", OpKind::kQuantize,
                               area(s.rows, s.h, 2.0 * kScaledFp8Bytes)));
    out.emplace_back(
        memory_op("requantise expert inputs", OpKind::kQuantize, area(s.rows, s.h, 2.0 * kScaledFp8Bytes)));
  }
  out.emplace_back(
      grouped("experts down weight grad", OpKind::kGroupedWeightGemm, c, s, s.h, s.expert_ffn, s.per_expert));
  out.emplace_back(grouped("experts gate and up weight grad", OpKind::kGroupedWeightGemm, c, s,
                           2 * s.expert_ffn, s.h, s.per_expert));
}

void router_backward(const BlockContext& c, Segment& in) {
  const MoeShape& moe = *c.model.moe;
  in.emplace_back(
      memory_op("router backward", OpKind::kRouter,
                area(static_cast<double>(c.norm_tokens), moe.experts, 4.0) * kRouterBackwardPasses,
                kRouterBackwardKernels));
  in.emplace_back(gemm_op("router input grad", OpKind::kGemm, Precision::kBf16, 1, c.norm_tokens,
                          c.model.hidden, moe.experts));
  in.emplace_back(gemm_op("router weight grad", OpKind::kWeightGemm, Precision::kBf16, 1, moe.experts,
                          c.model.hidden, c.norm_tokens, c.gradient_bytes));
  if (c.layout.recompute.norms)
    in.emplace_back(norm_forward("mlp norm again", c.norm_tokens, c.model.hidden, true));
  in.emplace_back(norm_backward("mlp norm backward", c.norm_tokens, c.model.hidden));
  in.emplace_back(memory_op("residual gradient add", OpKind::kCopy,
                            area(static_cast<double>(c.norm_tokens), c.model.hidden, 6.0)));
}

}  // namespace

void add_moe(const BlockContext& c, LayerWork& work) {
  const Sizes s = sizes(c);
  const double out = blocks(c) ? kScaledFp8Bytes : 2.0;
  const bool spread = c.layout.ep > 1;

  route(c, work.attention_f);
  sort_copies(c, s, "sort tokens by experts", out, work.attention_f);
  gather_counts(c, work.dispatch_f);
  if (spread) work.dispatch_f.emplace_back(exchange(c, s, "dispatch", CommKind::kDispatch, out));
  shared_forward(c, s, work.mlp_f);
  experts_forward(c, s, work.mlp_f);
  if (spread) work.combine_f.emplace_back(exchange(c, s, "combine", CommKind::kCombine, 2.0));
  sort_copies(c, s, "add up expert outputs", 2.0, work.combine_f);
  // The residual addition is part of the next norm, as in the trace.

  if (blocks(c)) {
    work.combine_b.emplace_back(
        memory_op("quantise output gradient", OpKind::kQuantize,
                  area(static_cast<double>(c.norm_tokens), s.h, 2.0 + kScaledFp8Bytes)));
  }
  sort_copies(c, s, "sort gradients by experts", out, work.combine_b);
  if (spread)
    work.combine_b.emplace_back(exchange(c, s, "dispatch gradients", CommKind::kDispatchCached, out));
  experts_input_grad(c, s, work.mlp_b);
  shared_input_grad(c, s, work.mlp_b);
  if (spread) work.dispatch_b.emplace_back(exchange(c, s, "combine gradients", CommKind::kCombine, 2.0));
  sort_copies(c, s, "add up expert gradients", 2.0, work.dispatch_b);
  // Runs after the gradients of the experts have come back, before those of attention.
  Segment router;
  router_backward(c, router);
  work.attention_b.insert(work.attention_b.begin(), router.begin(), router.end());
  weight_grads(c, s, work.mlp_w);
}

}  // namespace orrery
