#include <algorithm>
#include <cmath>

#include "calibrate/fit/kernel_models.hpp"

namespace orrery {
namespace {

double seconds_of(const Observation& o) {
  return o.seconds;
}

}  // namespace

AttentionKernelCurve attention_curve(std::span<const double> v) {
  return {.flops_per_s = v[1],
          .block_s = v[2],
          .tail = v[3],
          .small_tile_efficiency = v[4],
          .tile_rows = v[7],
          .memory_bytes_per_s = v[5],
          .overlap = v[6]};
}

FitModel attention_model(const DeviceFacts& d, const AttentionModelOptions& o) {
  FitModel model{.name = "attention-kernel"};
  model.parameters = {
      {"overhead_s", "s", 1e-5, 1e-7, 1e-3},
      {"flops_per_s", "FLOP/s", 0.6 * d.peak_flops_per_s, 0.05 * d.peak_flops_per_s,
       1.2 * d.peak_flops_per_s},
      {"block_s", "s", 3e-6, 1e-8, 1e-3},
      {"tail", "", 0.6, 0, 1, false},
      {"small_tile_efficiency", "", 0.7, 0.1, 1, false},
      {"memory_bytes_per_s", "B/s", 0.7 * d.memory_bytes_per_s, 0.05 * d.memory_bytes_per_s,
       20 * d.memory_bytes_per_s},
      {"overlap", "", 1.5, 0.6, 12},
      {"tile_rows", "", o.tile_rows, o.tile_rows, o.tile_rows, false},
  };
  const std::size_t pass = model.parameters.size();
  if (o.cache_pass)
    model.parameters.push_back({"pass_bytes_per_s", "B/s", 0.6 * d.memory_bytes_per_s,
                                0.02 * d.memory_bytes_per_s, 20 * d.memory_bytes_per_s});
  model.starts = 4;
  model.measured = seconds_of;
  model.sizes = kAttentionSizes;
  model.sizes_of = [](const Observation& x) { return std::vector<double>{x.heads, x.sequence}; };
  model.predict = [d, o, pass](std::span<const double> v, const Observation& x) {
    const AttentionKernelCurve curve = attention_curve(v);
    const AttentionSize size{.heads = x.heads, .sequence = x.sequence, .flops_per_pair = x.flops_per_pair};
    return v[0] + (o.cache_pass ? x.pass_bytes / v[pass] : 0) +
           attention_kernel_seconds(curve, size, x.bytes / curve.memory_bytes_per_s, d.sm_count, d.sm_count);
  };
  return model;
}

FitModel bandwidth_model(const DeviceFacts& d) {
  FitModel model{.name = "bandwidth"};
  model.parameters = {
      {"overhead_s", "s", 3e-6, 1e-7, 1e-3},
      {"bytes_per_s", "B/s", 0.7 * d.memory_bytes_per_s, 0.01 * d.memory_bytes_per_s,
       10 * d.memory_bytes_per_s},
  };
  model.measured = seconds_of;
  model.predict = [](std::span<const double> v, const Observation& x) { return v[0] + x.bytes / v[1]; };
  return model;
}

FitModel power_model(double floor_w, double joules_per_byte) {
  FitModel model{.name = "power"};
  model.parameters = {
      {"joules_per_flop", "J/FLOP", 5e-13, 1e-15, 1e-10},
  };
  model.measured = [](const Observation& x) { return x.watts; };
  model.predict = [floor_w, joules_per_byte](std::span<const double> v, const Observation& x) {
    return floor_w + v[0] * x.flops / x.seconds + joules_per_byte * x.bytes / x.seconds;
  };
  return model;
}

}  // namespace orrery
