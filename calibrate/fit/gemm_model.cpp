#include <algorithm>
#include <cmath>

#include "calibrate/fit/kernel_models.hpp"

namespace orrery {
namespace {

/// Places of the parameters, in the order of `gemm_model`.
enum At : std::size_t {
  kFloor,
  kMemory,
  kRate,
  kOperands,
  kBlock,
  kSplit,
  kSplitRate,
  kOverlap,
  kWave,
  kMiddle,
  kNarrow,
  kSmall,
  kCache,
  kCacheShare,
  kThrottle,
  kThrottleAfter,
  kOutputs,
  kQuantise,
  kQuantiseFloor,
};

/// Share of a working set of `bytes` that a cache of `cache` bytes does not hold: 1/2 where they are equal.
double missed(double bytes, double cache) {
  if (!(bytes > 0)) return 1;
  return 1 / (1 + std::pow(cache / bytes, 4));
}

double memory_seconds(std::span<const double> v, const Observation& o, const DeviceFacts& device,
                      double copies) {
  const double all = o.input_bytes + o.weight_bytes + o.output_bytes;
  if (!(copies > 0)) return all / v[kMemory];
  const double cache = v[kCacheShare] * device.cache_bytes;
  const double once = missed(o.input_bytes + o.output_bytes, cache);
  const double weights = missed(copies * o.weight_bytes + o.input_bytes + o.output_bytes, cache);
  const double far = (o.input_bytes + o.output_bytes) * once + o.weight_bytes * weights;
  return far / v[kMemory] + (all - far) / v[kCache];
}

constexpr double kNarrowRows = 64, kRowTile = 128, kColumnTile = 128;
/// Beyond so many rows the tables no longer show the loss in general (between 1,025 and 2,560 only outputs of
/// 8,192 columns and less still do, unevenly); the kernels walk row tiles in groups of eight.
constexpr double kUnfilledRows = 1024;

/// How hard the blocks of the last tile of rows press on what they wait for when rows of the tile are empty.
/// As many blocks as half the SMs are 1 (with tiles as narrow as 16 columns, `columns` = 8 x SMs makes them);
/// fewer disturb each other less, by the square of their number; more take turns.
double unfilled_load(double columns, double sm_count) {
  const double few = std::min(1.0, columns / (8 * sm_count));
  return std::max(few * few, columns / kColumnTile / (sm_count / 2));
}

/// Shapes of training are few among those of the tables, 2 of 100 rows with M, N, K >= 4,096, and
/// small ones follow other rules of a library than its kernels at full rate: (least of M, N, K / 512)^(3/4),
/// 1 to 5.
double training_weight(const Observation& x) {
  constexpr double kFrom = 512, kPower = 0.75, kMost = 5;
  return std::clamp(std::pow(std::min({x.m, x.n, x.k}) / kFrom, kPower), 1.0, kMost);
}

/// The choice of a tile makes many minima; starts end in different ones, and more
/// of them would find better ones still now and then.
constexpr int kStarts = 16;

}  // namespace

GemmKernelCurve gemm_curve(std::span<const double> v) {
  const double middle = v[kMiddle], narrow = v[kNarrow], small = v[kSmall];
  return {.flops_per_s = v[kRate],
          .sm_bytes_per_s = v[kOperands],
          .cta_s = v[kBlock],
          .sm_outputs_per_s = v[kOutputs],
          .split_s = v[kSplit],
          .split_bytes_per_s = v[kSplitRate],
          .memory_bytes_per_s = v[kMemory],
          .overlap = v[kOverlap],
          .wave_share = v[kWave],
          .throttle = v[kThrottle],
          .throttle_after_s = v[kThrottleAfter],
          .tiles = {{256, 128, 1},
                    {128, 256, 1},
                    {128, 128, middle},
                    {256, 64, middle},
                    {64, 256, middle},
                    {128, 64, narrow},
                    {64, 128, narrow},
                    {64, 64, small}}};
}

FitModel gemm_model(const DeviceFacts& d, const GemmModelOptions& o) {
  FitModel model{.name = "gemm-kernel"};
  model.parameters = {
      {"overhead_s", "s", 1.5e-6, 1e-8, 1e-4},
      {"memory_bytes_per_s", "B/s", 0.85 * d.memory_bytes_per_s, 0.2 * d.memory_bytes_per_s,
       d.memory_bytes_per_s},
      {"flops_per_s", "FLOP/s", 0.85 * d.peak_flops_per_s, 0.05 * d.peak_flops_per_s, d.peak_flops_per_s},
      {"sm_bytes_per_s", "B/s", 1.5e11, 1e10, 1e13},
      {"cta_s", "s", 1.5e-6, 1e-8, 1e-4},
      {"split_s", "s", 2e-6, 1e-8, 1e-3},
      {"split_bytes_per_s", "B/s", 1e13, 1e11, 1e16},
      {"overlap", "", 2, 0.6, 12},
      {"wave_share", "", 0.3, 0, 1, false},
      {"efficiency_128x128", "", 0.9, 0.1, 1, false},
      {"efficiency_128x64", "", 0.8, 0.1, 1, false},
      {"efficiency_64x64", "", 0.7, 0.1, 1, false},
      {"cache_bytes_per_s", "B/s", 2 * d.memory_bytes_per_s, 0.5 * d.memory_bytes_per_s,
       20 * d.memory_bytes_per_s},
      {"cache_share", "", 0.5, 0.01, 3},
      {"throttle", "", 0.05, 1e-4, 0.5},
      {"throttle_after_s", "s", 3e-3, 2e-4, 0.1},
      {"sm_outputs_per_s", "1/s", 5e10, 2e9, 1e13},
  };
  if (o.quantise_inside) {
    model.parameters.push_back({"quantise_bytes_per_s", "B/s", 0.6 * d.memory_bytes_per_s,
                                0.05 * d.memory_bytes_per_s, 20 * d.memory_bytes_per_s});
    model.parameters.push_back({"quantise_s", "s", 1e-6, 1e-8, 1e-4});
  }
  const std::size_t unfilled = model.parameters.size();
  if (o.row_scales) model.parameters.push_back({"unfilled_s", "s", 2e-9, 0, 2e-8, false});
  model.starts = kStarts;
  model.measured = [](const Observation& x) { return x.seconds; };
  if (o.row_scales) model.weight = training_weight;
  model.sizes = kProductSizes;
  model.sizes_of = [](const Observation& x) { return std::vector<double>{x.m, x.n, x.k}; };
  model.predict = [d, o, unfilled](std::span<const double> v, const Observation& x) {
    const GemmKernelCurve curve = gemm_curve(v);
    GemmSize size{.groups = x.groups, .m = x.m, .n = x.n, .k = x.k, .operand_bytes = o.operand_bytes};
    if (x.output_bytes > 0) size.result_bytes = written_bytes(x.output_bytes / (x.groups * x.m * x.n));
    if (o.row_scales && x.m > kNarrowRows && x.m <= kUnfilledRows)
      size.step_delay_s =
          v[unfilled] * (std::ceil(x.m / kRowTile) - x.m / kRowTile) * unfilled_load(x.n, d.sm_count);
    double t =
        gemm_kernel_seconds(curve, size, memory_seconds(v, x, d, o.weight_copies), d.sm_count, d.sm_count);
    t += v[kFloor];
    // BF16 in, FP8 out: three bytes for each element of the activation.
    if (o.quantise_inside) t += v[kQuantiseFloor] + 3 * x.m * x.k / v[kQuantise];
    return t;
  };
  return model;
}

}  // namespace orrery
