#pragma once

#include <string_view>

#include "calibrate/probe/sample.hpp"

namespace orrery {

/// What one execution of a case must compute and move at least. Zero: not counted for this class.
struct Work {
  double flops = 0;  ///< multiply-adds count two
  double bytes = 0;  ///< device memory, each operand read once and each result written once; collectives:
                     ///< what one GPU must send
};

/// Classes and the sizes they take; elements are those of `dtype` (docs/calibration-measuring.md has the
/// table):
///
///   gemm.X, wgrad.X                m n k            2 m n k; m x n result in bf16 (wgrad: fp32, read and
///   written) grouped-gemm.X, grouped-wgrad.X  groups m n k     the same per group; `uneven` in per cent,
///   largest over mean attention[-mla].forward        sequences heads kv_heads sequence qk_dim v_dim, causal:
///                                  sequences heads (qk_dim + v_dim) sequence^2   (lower triangle once)
///   attention[-mla].backward       2.5 times that (arXiv 2307.08691)
///   attention-mla.decode           sequences heads cached: 2 sequences heads cached (576 + 512); bytes are
///   those
///                                  of the cache, 576 wide
///   memory.*                       rows width (memory.permute: top_k): bytes by kind, see the source
///   bandwidth.*                    bytes: read plus written
///   collective.all-reduce, ...     bytes gpus nodes: buffer as nccl-tests counts it; bytes sent by one GPU
///   dispatch, combine              tokens hidden top_k sms: local parts, bytes read plus written
///   contention.gemm.X, ...         sizes of the work beside, and `sms` of the communication kernel
///
/// A missing size counts as 0, so the work is 0 and nothing is invented.
[[nodiscard]] Work work_of(const Case& what);

/// "all-reduce" of "collective.all-reduce"; empty for a class that is no collective: all-to-all, all-reduce,
/// all-gather, reduce-scatter and send-recv are known.
[[nodiscard]] std::string_view collective_of(std::string_view op_class);

/// Bytes of one element: "bf16" 2, "fp8-e4m3" 1, "fp32" 4; 0 for an unknown type.
[[nodiscard]] double bytes_of_dtype(std::string_view dtype);

}  // namespace orrery
