#include "sim/workload/op_builder.hpp"

namespace orrery {
namespace {

/// A cast is followed by a small kernel that transposes its scales for the product (published training
/// trace).
constexpr std::int64_t kQuantizeKernels = 2;

}  // namespace

Op gemm_op(const char* name, OpKind kind, Precision p, std::int64_t groups, std::int64_t m, std::int64_t n,
           std::int64_t k, double gradient_bytes) {
  const auto g = static_cast<double>(groups);
  const auto dm = static_cast<double>(m);
  const auto dn = static_cast<double>(n);
  const auto dk = static_cast<double>(k);
  const bool weight = kind == OpKind::kWeightGemm || kind == OpKind::kGroupedWeightGemm;
  Op op{.name = name, .kind = kind, .precision = p, .groups = groups, .m = m, .n = n, .k = k};
  op.flops = 2.0 * g * dm * dn * dk;
  op.output_bytes = g * dm * dn * (weight ? 2.0 * gradient_bytes : 2.0);
  op.bytes = g * (dm * dk + dn * dk) * element_bytes(p) + op.output_bytes;
  return op;
}

Op memory_op(const char* name, OpKind kind, double bytes, std::int64_t kernels) {
  return Op{.name = name, .kind = kind, .kernels = kernels, .calls = kernels, .bytes = bytes};
}

void linear_forward(Segment& out, const BlockContext& c, const LinearNames& names, std::int64_t m,
                    std::int64_t n, std::int64_t k, bool recompute) {
  if (is_fp8(c.precision)) {
    const bool blocks = fp8_recipe(c.precision) == Fp8Recipe::kBlock;
    Op quantize = memory_op(names.quantize, OpKind::kQuantize,
                            static_cast<double>(m) * static_cast<double>(k) *
                                (blocks ? 2.0 + kScaledFp8Bytes : kCastTransposeBytes),
                            blocks ? kQuantizeKernels : 1);
    quantize.recompute = recompute;
    out.emplace_back(quantize);
  }
  Op product = gemm_op(names.forward, OpKind::kGemm, c.precision, 1, m, n, k);
  product.recompute = recompute;
  out.emplace_back(product);
}

void linear_input_grad(Segment& out, const BlockContext& c, const LinearNames& names, std::int64_t m,
                       std::int64_t n, std::int64_t k) {
  const double gradient = static_cast<double>(m) * static_cast<double>(n);
  if (fp8_recipe(c.precision) == Fp8Recipe::kTensor) {
    out.emplace_back(
        memory_op("cast and transpose gradient", OpKind::kQuantize, gradient * kCastTransposeBytes));
  }
  if (fp8_recipe(c.precision) == Fp8Recipe::kBlock) {
    const double input = static_cast<double>(m) * static_cast<double>(k);
    out.emplace_back(memory_op(names.quantize, OpKind::kQuantize, gradient * (2.0 + kScaledFp8Bytes)));
    out.emplace_back(
        memory_op("cast and transpose gradient", OpKind::kQuantize, gradient * (2.0 + kScaledFp8Bytes)));
    out.emplace_back(memory_op("retile kept input", OpKind::kQuantize, input * 2.0 * kScaledFp8Bytes));
    // FP8 tensor cores take both operands along the reduction, so the weights are turned round first.
    out.emplace_back(memory_op("transpose weights", OpKind::kQuantize,
                               2.0 * static_cast<double>(n) * static_cast<double>(k)));
  }
  out.emplace_back(gemm_op(names.input_grad, OpKind::kGemm, c.precision, 1, m, k, n));
}

void linear_weight_grad(Segment& out, const BlockContext& c, const LinearNames& names, std::int64_t m,
                        std::int64_t n, std::int64_t k) {
  out.emplace_back(
      gemm_op(names.weight_grad, OpKind::kWeightGemm, c.precision, 1, n, k, m, c.gradient_bytes));
}

Op norm_forward(const char* name, std::int64_t rows, std::int64_t width, bool recompute) {
  Op op = memory_op(name, OpKind::kNorm, 4.0 * static_cast<double>(rows) * static_cast<double>(width));
  op.recompute = recompute;
  return op;
}

Op norm_backward(const char* name, std::int64_t rows, std::int64_t width) {
  return memory_op(name, OpKind::kNorm, 6.0 * static_cast<double>(rows) * static_cast<double>(width));
}

namespace {

double hidden_bytes(const BlockContext& c) {
  return 2.0 * static_cast<double>(c.tokens) * static_cast<double>(c.model.hidden);
}

}  // namespace

void tensor_gather(Segment& out, const BlockContext& c, const char* name, Beside beside, double element) {
  if (c.layout.tp == 1 || !c.layout.sequence_parallel) return;
  out.emplace_back(CommOp{.name = name,
                          .kind = CommKind::kAllGather,
                          .axis = Axis::kTp,
                          .bytes = element / 2.0 * hidden_bytes(c),
                          .beside = beside});
}

void tensor_reduce(Segment& out, const BlockContext& c, const char* name) {
  if (c.layout.tp == 1) return;
  const CommKind kind = c.layout.sequence_parallel ? CommKind::kReduceScatter : CommKind::kAllReduce;
  out.emplace_back(CommOp{.name = name, .kind = kind, .axis = Axis::kTp, .bytes = hidden_bytes(c)});
}

}  // namespace orrery
