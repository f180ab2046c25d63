#pragma once

#include "sim/layout/layout.hpp"
#include "sim/model/zoo.hpp"

/// The published training of DeepSeek-V3 (arXiv 2412.19437, 3.2 and 4.2): 2,048 GPUs, 16 pipeline ranks,
/// experts over 64 ranks, no tensor parallelism, 15,360 sequences of 4,096 tokens.
namespace orrery::test {

inline constexpr std::int64_t kV3Gpus = 2048;

[[nodiscard]] inline ModelSpec v3_model() {
  return load_model("deepseek-v3", {}).spec;
}
[[nodiscard]] inline Layout v3_layout() {
  Layout l;
  l.pp = 16;
  l.ep = 64;
  l.schedule = "dualpipe";
  l.recompute = make_recompute({"deepseek-v3"}, "test");
  return l;
}
[[nodiscard]] inline Training v3_training() {
  return {.global_batch_size = 15360,
          .sequence_length = 4096,
          .precision = Precision::kFp8Block,
          .tokens = 14.8e12};
}

}  // namespace orrery::test
