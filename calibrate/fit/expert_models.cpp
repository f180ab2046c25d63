#include <algorithm>
#include <cmath>

#include "calibrate/fit/kernel_models.hpp"

namespace orrery {
namespace {

enum At : std::size_t {
  kFloor,
  kMemory,
  kRate,
  kOperands,
  kBlock,
  kOverlap,
  kWave,
  kMiddle,
  kNarrow,
  kSmall,
  kMove,
  kRouter,
  kCache,
  kCacheShare,
};

double missed(double bytes, double cache) {
  if (!(bytes > 0)) return 1;
  return 1 / (1 + std::pow(cache / bytes, 4));
}

}  // namespace

GemmKernelCurve expert_curve(std::span<const double> v) {
  return {.flops_per_s = v[kRate],
          .sm_bytes_per_s = v[kOperands],
          .cta_s = v[kBlock],
          .split_s = 1,
          .split_bytes_per_s = 1,
          .memory_bytes_per_s = v[kMemory],
          .overlap = v[kOverlap],
          .wave_share = v[kWave],
          .tiles = {{256, 128, 1},
                    {128, 256, 1},
                    {128, 128, v[kMiddle]},
                    {64, 256, v[kMiddle]},
                    {128, 64, v[kNarrow]},
                    {64, 128, v[kNarrow]},
                    {64, 64, v[kSmall]},
                    {16, 128, v[kSmall]}}};
}

FitModel expert_model(const DeviceFacts& d, double operand_bytes) {
  FitModel model{.name = "expert-layer"};
  model.parameters = {
      {"overhead_s", "s", 2e-5, 1e-6, 1e-3},
      {"memory_bytes_per_s", "B/s", 0.7 * d.memory_bytes_per_s, 0.1 * d.memory_bytes_per_s,
       d.memory_bytes_per_s},
      {"flops_per_s", "FLOP/s", 0.7 * d.peak_flops_per_s, 0.05 * d.peak_flops_per_s, d.peak_flops_per_s},
      {"sm_bytes_per_s", "B/s", 1.5e11, 1e10, 1e13},
      {"cta_s", "s", 2e-6, 1e-8, 1e-4},
      {"overlap", "", 1.5, 0.6, 12},
      {"wave_share", "", 0.3, 0, 1, false},
      {"efficiency_128x128", "", 0.9, 0.1, 1, false},
      {"efficiency_128x64", "", 0.8, 0.1, 1, false},
      {"efficiency_64x64", "", 0.7, 0.1, 1, false},
      {"move_bytes_per_s", "B/s", 0.5 * d.memory_bytes_per_s, 0.02 * d.memory_bytes_per_s,
       20 * d.memory_bytes_per_s},
      {"router_s_per_score", "s", 1e-12, 1e-16, 1e-9},
      {"cache_bytes_per_s", "B/s", 3 * d.memory_bytes_per_s, 0.5 * d.memory_bytes_per_s,
       20 * d.memory_bytes_per_s},
      {"cache_share", "", 0.5, 0.01, 3},
  };
  model.starts = 4;  // as for products
  model.measured = [](const Observation& x) { return x.seconds; };
  model.predict = [d, operand_bytes](std::span<const double> v, const Observation& x) {
    const GemmKernelCurve curve = expert_curve(v);
    // Balanced routing: equal rows for as many experts as there are rows.
    const double rows = std::max(1.0, x.tokens * x.top_k * x.local_experts / x.experts);
    const double active = std::min(x.local_experts, rows);
    const double m = std::ceil(rows / active);
    const double wide = (x.matrices - 1) * x.intermediate;
    double time = 0;
    const double weights = operand_bytes * active * x.hidden * x.intermediate * x.matrices;
    const double far = missed(weights, v[kCacheShare] * d.cache_bytes);
    const double stream = far / v[kMemory] + (1 - far) / v[kCache];
    for (const auto& [n, k] : {std::pair{wide, x.hidden}, std::pair{x.hidden, x.intermediate}}) {
      const GemmSize size{.groups = active, .m = m, .n = n, .k = k, .operand_bytes = operand_bytes};
      const double rows_bytes = rows * (operand_bytes * k + 2 * n);
      const double memory = operand_bytes * active * n * k * stream + rows_bytes / v[kMemory];
      time += gemm_kernel_seconds(curve, size, memory, d.sm_count, d.sm_count);
    }
    // Expand, activation and reduce: rows in and out of each.
    const double moved = rows * (6 * x.hidden + 2 * (wide + x.intermediate));
    return v[kFloor] + time + moved / v[kMove] + v[kRouter] * x.tokens * x.experts;
  };
  return model;
}

}  // namespace orrery
