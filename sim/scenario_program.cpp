#include "sim/scenario_program.hpp"

#include <algorithm>

namespace orrery {

void set_program(const SoftwareStack& stack, Training& training, Layout& layout) {
  if (stack.name.empty()) return;
  const std::vector<std::string>& overlaps = tensor_overlap_names();
  const auto overlap = std::find(overlaps.begin(), overlaps.end(), stack.tp_overlap);
  if (overlap != overlaps.end()) layout.tp_overlap = static_cast<TensorOverlap>(overlap - overlaps.begin());
  training.attention = stack.attention == "unfused" ? AttentionKernel::kUnfused : AttentionKernel::kFused;
  training.dropout = stack.dropout;
  const char* family = is_fp8(training.precision) ? "fp8" : to_text(training.precision);
  const auto& with = stack.gradients_16bit_with;
  const bool half = std::find(with.begin(), with.end(), family) != with.end();
  training.gradients = half ? GradientFormat::kBf16 : GradientFormat::kFp32;
}

}  // namespace orrery
