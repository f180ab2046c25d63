#include "planner/curve_rates.hpp"

#include <utility>
#include <vector>

namespace orrery {

void scale_rates(OperatorCurve& curve, double factor) {
  curve.flops_per_s *= factor;
  curve.bytes_per_s *= factor;
  curve.gemm_kernel.flops_per_s *= factor;
  curve.gemm_kernel.sm_outputs_per_s *= factor;
  curve.attention_kernel.flops_per_s *= factor;
  if (curve.form != CurveForm::kSequence) return;
  std::vector<std::vector<double>> points = curve.flops_per_s_by_sequence.points();
  for (std::vector<double>& point : points) point[1] *= factor;
  curve.flops_per_s_by_sequence = Curve(std::move(points));
}

}  // namespace orrery
