#pragma once

#include <cstdint>

#include "sim/workload/blocks.hpp"

namespace orrery {

/// Bytes of one element of a matrix operand in `p`.
[[nodiscard]] constexpr double element_bytes(Precision p) {
  return is_fp8(p) ? 1.0 : 2.0;
}
/// FP8 with one FP32 scale per 128 elements.
inline constexpr double kScaledFp8Bytes = 1.0 + 4.0 / 128.0;

/// Bytes per element of one pass that casts BF16 to per-tensor FP8 and writes it both by rows and by columns
/// (Transformer Engine's cast_transpose); MXFP8's scales, a byte for 32 elements, are left out.
inline constexpr double kCastTransposeBytes = 2.0 + 1.0 + 1.0;

/// A matrix product out of groups x (m x k) times (k x n). Forward and input gradient write BF16; weight
/// gradients read and write an accumulator of `gradient_bytes`.
[[nodiscard]] Op gemm_op(const char* name, OpKind kind, Precision p, std::int64_t groups, std::int64_t m,
                         std::int64_t n, std::int64_t k, double gradient_bytes = 4);
/// A memory-bound kernel that moves `bytes`.
[[nodiscard]] Op memory_op(const char* name, OpKind kind, double bytes, std::int64_t kernels = 1);

/// The three products of one linear layer y[m,n] = x[m,k] w[k,n] with their FP8 handling. Names are literals.
struct LinearNames {
  const char* forward;
  const char* input_grad;
  const char* weight_grad;
  const char* quantize;
};
/// Bytes per weight of casting it once a step: BF16 to both FP8 forms per tensor; none where blocks are
/// quantised with the update and turned round at every use.
[[nodiscard]] constexpr double weight_cast_bytes(Precision p) {
  return fp8_recipe(p) == Fp8Recipe::kTensor ? kCastTransposeBytes : 0.0;
}

/// What FP8 adds. Blocks (DeepSeek's recipe, arXiv 2412.19437, 3.3): the input is quantised by rows, later
/// turned round in its FP8 form for the weight gradient; the output gradient is quantised twice, and FP8
/// weights are transposed for every input gradient. Per tensor (Transformer Engine): one pass writes input or
/// gradient both ways; weights are cast and transposed once a step.
/// Quantise the input (FP8 only), multiply.
void linear_forward(Segment& out, const BlockContext& c, const LinearNames& names, std::int64_t m,
                    std::int64_t n, std::int64_t k, bool recompute = false);
/// Quantise the output gradient by rows and, for the weight gradient, by columns together with the kept
/// input (FP8 only); multiply for the input gradient.
void linear_input_grad(Segment& out, const BlockContext& c, const LinearNames& names, std::int64_t m,
                       std::int64_t n, std::int64_t k);
void linear_weight_grad(Segment& out, const BlockContext& c, const LinearNames& names, std::int64_t m,
                        std::int64_t n, std::int64_t k);

/// Norm over rows x width; `forward` reads and writes once, backward reads twice and writes once.
[[nodiscard]] Op norm_forward(const char* name, std::int64_t rows, std::int64_t width,
                              bool recompute = false);
[[nodiscard]] Op norm_backward(const char* name, std::int64_t rows, std::int64_t width);

/// Collective of tensor parallelism around a block: nothing when tp is 1.
/// `element`: bytes of a gathered value.
void tensor_gather(Segment& out, const BlockContext& c, const char* name, Beside beside = Beside::kNothing,
                   double element = 2);
void tensor_reduce(Segment& out, const BlockContext& c, const char* name);

}  // namespace orrery
