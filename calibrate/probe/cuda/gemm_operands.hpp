#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "calibrate/probe/cuda/kernels.hpp"
#include "calibrate/probe/cuda/workload.hpp"

namespace orrery {

enum class GemmScaling { kNone, kTensor, kBlock };

/// Operands of groups of products C (m x n) = A (m x k) B^T, rows of B being n x k, with the reference.
///
/// Scales of kBlock: A 1x128, [k / 128][m]; B 128x128, or 1x128 as [k / 128][n] for a weight gradient. FP8
/// operands are random codes, so that the reference knows them exactly; the rounding of FP8 is not part of
/// the error that is found.
struct GemmOperands {
  std::string family;  ///< "gemm.", "wgrad.", "grouped-gemm.", "grouped-wgrad."
  GemmScaling scaling = GemmScaling::kNone;
  bool weight_gradient = false;
  std::vector<std::int64_t> rows;       ///< m of each group
  std::vector<std::int64_t> first_row;  ///< where it begins in A and C
  std::int64_t m = 0, n = 0, k = 0;     ///< m: of all groups together
  std::uint32_t seed = 0;
  /// As cuBLASLt wants them: rows of the 128x128 scales begin at multiples of four, scales of A group by
  /// group.
  bool for_cublaslt = false;
  bool a_by_k = false;  ///< A is stored [k][m] in each group rather than [m][k]
  bool b_by_k = false;  ///< B is stored [k][n] in each group rather than [n][k]
  Buffer a, b, scale_a, scale_b, c;

  [[nodiscard]] bool fp8() const { return scaling != GemmScaling::kNone; }
  [[nodiscard]] int element_bytes() const { return fp8() ? 1 : 2; }
  [[nodiscard]] std::int64_t groups() const { return static_cast<std::int64_t>(rows.size()); }
  /// Floats between two rows (of 128 columns of B) of its scales, and floats of one group.
  [[nodiscard]] std::int64_t scale_b_pitch() const;
  [[nodiscard]] std::int64_t scale_b_group() const;
  [[nodiscard]] std::int64_t c_bytes() const { return m * n * (weight_gradient ? 4 : 2); }
  /// Compares 256 elements of C, spread over all groups, corners among them. `before`: what C held (weight
  /// gradient).
  [[nodiscard]] Verified compare(cudaStream_t stream) const;

 private:
  [[nodiscard]] double expected(std::int64_t group, std::int64_t i, std::int64_t j) const;
};

/// Fills fresh operands for a case of the product classes. Groups of uneven size: `uneven` per cent is the
/// largest over the mean; group sizes fall linearly from it and are multiples of 128. The last word of the
/// case's name is the layout: tn (the default), nn (B by k) or nt (both by k).
[[nodiscard]] GemmOperands make_gemm_operands(const Case& what, Device& device, bool for_cublaslt);

}  // namespace orrery
