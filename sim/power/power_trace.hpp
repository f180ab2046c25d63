#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/engine/timeline.hpp"
#include "sim/hw/gpu_profile.hpp"

namespace orrery {

/// What a trace is made from, besides the timeline.
struct PowerTraceInput {
  const Timeline& timeline;
  std::span<const std::int32_t> item_by_task;    ///< index into `joules_by_item`, -1: no energy
  std::span<const double> joules_by_item;        ///< above the floor, of its FLOPs and bytes
  std::span<const bool> is_kernel_by_item = {};  ///< draws `kernel_w` while it runs; empty: none does
  int ranks = 0;
  int lanes_per_rank = 1;  ///< lane l belongs to rank l / lanes_per_rank
  const PowerFigures& figures;
  std::size_t bins = 512;
};

/// Board power of one GPU of every pipeline rank over a step.
struct PowerTrace {
  double bin_s = 0;
  std::vector<std::vector<double>> rank_w;  ///< [rank][bin]; at most the cap
  double mean_w = 0;                        ///< over ranks and time
  double peak_w = 0;                        ///< highest bin of any rank
  double capped_share = 0;                  ///< of ranks and time, in which more was asked for than the cap
  double cap_stretch = 0;  ///< by how much the busiest rank's step would be longer if its rates were those of
                           ///< an uncapped GPU; not applied to the step

  /// Mean over the ranks, by bin.
  [[nodiscard]] std::vector<double> mean_by_bin() const;
};

/// Floor plus `kernel_w` while a kernel runs (once, also where two run side by side) plus the energy of what
/// runs, spread evenly over each task's run time, averaged over equal bins of the step and cut at the cap. A
/// bin stands for the time over which a board averages its power (NVML: 0.1 to 1 s); steps of less than 10 s
/// have shorter bins. Where D is asked of a cap C over floor and kernels F, the clock falls until D is met:
/// the bin would take (D - F) / (C - F) as long at the same energy of FLOPs and bytes. Known error: energy
/// per FLOP is taken constant, while it falls with the clock.
[[nodiscard]] PowerTrace power_trace(const PowerTraceInput& input);

}  // namespace orrery
