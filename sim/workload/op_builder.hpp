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

/// A matrix product out of groups x (m x k) times (k x n). Forward and input gradient write BF16; weight
/// gradients read and write an FP32 accumulator.
[[nodiscard]] Op gemm_op(const char* name, OpKind kind, Precision p, std::int64_t groups, std::int64_t m,
                         std::int64_t n, std::int64_t k);
/// A memory-bound kernel that moves `bytes`.
[[nodiscard]] Op memory_op(const char* name, OpKind kind, double bytes, std::int64_t kernels = 1);

/// The three products of one linear layer y[m,n] = x[m,k] w[k,n] with their FP8 handling. Names are literals.
struct LinearNames {
  const char* forward;
  const char* input_grad;
  const char* weight_grad;
  const char* quantize;
};
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
void tensor_gather(Segment& out, const BlockContext& c, const char* name);
void tensor_reduce(Segment& out, const BlockContext& c, const char* name);

}  // namespace orrery
