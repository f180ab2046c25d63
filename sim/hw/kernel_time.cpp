#include "sim/hw/kernel_time.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/hw/power_sum.hpp"

namespace orrery {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLeastPart = 128;  ///< shortest part of a split reduction
constexpr double kPartStep = 64;    ///< reductions run in steps of so many elements
constexpr double kMostParts = 32;
constexpr double kKeyStep = 128;  ///< attention walks its keys in steps of so many

}  // namespace

double gemm_kernel_seconds(const GemmKernelCurve& c, const GemmSize& s, double memory_s, double sms,
                           double sm_count) {
  const double per_sm = c.flops_per_s / sm_count;
  double best = kInfinity;
  for (double parts = 1; parts <= kMostParts; parts *= 2) {
    if (parts > 1 && (s.groups > 1 || s.k / parts < kLeastPart)) break;
    const double k = std::ceil(s.k / parts / kPartStep) * kPartStep;
    double compute = kInfinity;
    for (const std::vector<double>& tile : c.tiles) {
      const double blocks = s.groups * std::ceil(s.m / tile[0]) * std::ceil(s.n / tile[1]) * parts;
      const double operands = s.operand_bytes * (std::min(s.m, tile[0]) + std::min(s.n, tile[1]));
      const double results = c.sm_outputs_per_s > 0 ? std::min(s.m, tile[0]) * std::min(s.n, tile[1]) /
                                                          c.sm_outputs_per_s * (s.result_bytes / 2)
                                                    : 0;
      const double block =
          c.cta_s + results +
          k * std::max(2 * tile[0] * tile[1] / (per_sm * tile[2]), operands / c.sm_bytes_per_s);
      const double waves = blocks / sms;
      compute = std::min(
          compute, block * (c.wave_share * std::ceil(waves) + (1 - c.wave_share) * std::max(1.0, waves)));
    }
    compute += k * s.step_delay_s;
    double time = power_sum(compute, memory_s, c.overlap);
    if (c.throttle > 0) {
      const double busy = s.busy_s > 0 ? s.busy_s : time;
      const double share = std::pow(compute / time, c.overlap);
      time *= 1 + c.throttle * share * busy / (busy + c.throttle_after_s);
    }
    if (parts > 1) time += c.split_s + 4 * s.m * s.n * parts / c.split_bytes_per_s;
    best = std::min(best, time);
  }
  return best;
}

double attention_kernel_seconds(const AttentionKernelCurve& c, const AttentionSize& s, double memory_s,
                                double sms, double sm_count) {
  const double per_sm = c.flops_per_s / sm_count;
  double compute = kInfinity;
  for (const double rows : {c.tile_rows, c.tile_rows / 2}) {
    const double efficiency = rows < c.tile_rows ? c.small_tile_efficiency : 1.0;
    const double tile = s.flops_per_pair * rows * kKeyStep / (per_sm * efficiency);
    const double blocks = std::ceil(s.sequence / rows);
    const double steps = rows / kKeyStep;  // for each `rows` keys
    // In units of `rows` keys: what a block walks at most, and how many blocks walk all keys before them.
    const double reach = s.window > 0 ? 1 + std::ceil((s.window - 1) / kKeyStep) / steps : blocks;
    const double whole = std::min(blocks, std::floor(reach));
    const double longest = tile * std::min(blocks, reach) * steps + c.block_s;
    const double walked = tile * steps * whole * (whole + 1) / 2 + tile * steps * (blocks - whole) * reach;
    const double all = s.heads * (walked + c.block_s * blocks) / sms;
    const double late = std::max(0.0, 1 - sms / (s.heads * blocks));
    compute = std::min(compute, std::max(longest, all + c.tail * longest * late));
  }
  return power_sum(compute, memory_s, c.overlap);
}

}  // namespace orrery
