#pragma once

#include <vector>

#include "sim/hw/cluster.hpp"

/// The same cluster with one kind of speed changed.
namespace orrery::test {

inline Curve times(const Curve& curve, double k) {
  auto points = curve.points();
  for (auto& point : points) point[1] *= k;
  return Curve(points);
}

/// Every link `k` times as fast; set-up times and latencies stay.
inline ClusterProfile links(ClusterProfile c, double k) {
  c.scale_up.bytes_per_s.value *= k;
  c.scale_out.bytes_per_s.value *= k;
  ExpertAllToAll& a = c.expert_all_to_all;
  a.dispatch_bytes_per_s = times(a.dispatch_bytes_per_s, k);
  a.combine_bytes_per_s = times(a.combine_bytes_per_s, k);
  a.nvlink_dispatch_bytes_per_s *= k;
  a.nvlink_combine_bytes_per_s *= k;
  return c;
}

/// Device memory `k` times as fast: streaming kernels and the writing of products.
inline ClusterProfile memory(ClusterProfile c, double k) {
  c.gpu.hbm_bytes_per_s.value *= k;
  for (OperatorCurve& curve : c.gpu.operators) {
    curve.bytes_per_s *= k;
    curve.output_bytes_per_s *= k;
    curve.gemm_kernel.memory_bytes_per_s *= k;
    curve.gemm_kernel.sm_bytes_per_s *= k;
    curve.gemm_kernel.sm_outputs_per_s *= k;
    curve.gemm_kernel.split_bytes_per_s *= k;
    curve.attention_kernel.memory_bytes_per_s *= k;
  }
  return c;
}

/// Matrix products and attention `k` times as fast.
inline ClusterProfile arithmetic(ClusterProfile c, double k) {
  for (auto& [precision, peak] : c.gpu.peak_flops_per_s) peak.value *= k;
  for (OperatorCurve& curve : c.gpu.operators) {
    curve.flops_per_s *= k;
    curve.gemm_kernel.flops_per_s *= k;
    curve.attention_kernel.flops_per_s *= k;
    if (curve.form == CurveForm::kSequence)
      curve.flops_per_s_by_sequence = times(curve.flops_per_s_by_sequence, k);
  }
  return c;
}

/// Every kernel `k` times as long, its fixed cost included.
inline ClusterProfile slower_kernels(ClusterProfile c, double k) {
  c = arithmetic(memory(std::move(c), 1 / k), 1 / k);
  for (OperatorCurve& curve : c.gpu.operators) {
    curve.overhead_s *= k;
    curve.gemm_kernel.cta_s *= k;
    curve.gemm_kernel.split_s *= k;
    curve.attention_kernel.block_s *= k;
  }
  return c;
}

}  // namespace orrery::test
