#include "sim/hw/curve_rates.hpp"

#include <utility>
#include <vector>

namespace orrery {

void scale_rates(OperatorCurve& curve, double factor) {
  curve.flops_per_s *= factor;
  curve.bytes_per_s *= factor;
  curve.output_bytes_per_s *= factor;
  GemmKernelCurve& g = curve.gemm_kernel;
  for (double* rate :
       {&g.flops_per_s, &g.sm_bytes_per_s, &g.sm_outputs_per_s, &g.split_bytes_per_s, &g.memory_bytes_per_s})
    *rate *= factor;
  g.cta_s /= factor;
  g.split_s /= factor;
  curve.attention_kernel.flops_per_s *= factor;
  if (curve.form != CurveForm::kSequence) return;
  std::vector<std::vector<double>> points = curve.flops_per_s_by_sequence.points();
  for (std::vector<double>& point : points) point[1] *= factor;
  curve.flops_per_s_by_sequence = Curve(std::move(points));
}

}  // namespace orrery
