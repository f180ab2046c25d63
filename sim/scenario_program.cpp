#include "sim/scenario_program.hpp"

#include <algorithm>

namespace orrery {

void set_program(const SoftwareStack& stack, Training& training) {
  if (stack.name.empty()) return;
  training.attention = stack.attention == "unfused" ? AttentionKernel::kUnfused : AttentionKernel::kFused;
  training.dropout = stack.dropout;
  const char* family = is_fp8(training.precision) ? "fp8" : to_text(training.precision);
  const auto& with = stack.gradients_16bit_with;
  const bool half = std::find(with.begin(), with.end(), family) != with.end();
  training.gradients = half ? GradientFormat::kBf16 : GradientFormat::kFp32;
}

}  // namespace orrery
