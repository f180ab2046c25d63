#pragma once

#include <cstdint>
#include <vector>

#include "sim/layout/layout.hpp"
#include "sim/schedule/schedule.hpp"
#include "sim/workload/stage_work.hpp"

namespace orrery {

/// Bytes on one pipeline rank's GPU at the peak of the step.
struct RankMemory {
  double weights = 0;
  double gradients = 0;
  double optimizer = 0;
  double activations = 0;        ///< kept and deferred at the worst step, by walking the schedule
  double buffers = 0;            ///< communication buffers and the working set of the largest unit
  double reserve = 0;            ///< context, libraries and fragmentation: a named assumption
  double host = 0;               ///< in the host's memory, with offloading; no part of the total
  double peak_microbatches = 0;  ///< (stage, microbatch) activations alive at the worst step

  [[nodiscard]] double total() const {
    return weights + gradients + optimizer + activations + buffers + reserve;
  }
};

/// Bytes per parameter and the reserve; all appear among the result's assumptions.
struct MemoryRules {
  double weight_bytes = 2;    ///< BF16; with FP8 one more for the quantised copy
  double gradient_bytes = 4;  ///< FP32 accumulation (arXiv 2412.19437, 3.3.2); 2 in BF16
  double moment_bytes = 8;    ///< both Adam moments: 4 in BF16, 8 in FP32
  double master_bytes = 4;    ///< FP32
  double reserve_bytes = 3.0e9;
  double reserve_share = 0.02;  ///< of the GPU's memory: fragmentation
};
[[nodiscard]] MemoryRules memory_rules(const Training& training);

struct MemoryInput {
  const Workload& workload;
  const Schedule& schedule;
  const Layout& layout;
  const Derived& derived;
  const ModelSpec& model;
  MemoryRules rules;
  double capacity_bytes = 0;
};

/// One entry per pipeline rank. ZeRO 1 shards the optimizer, 2 also gradients, 3 also weights over the
/// data-parallel group of each part (twice as large where two ranks hold the same stage, as in DualPipe).
/// Offloaded activations leave room on the GPU for four units': two on their way out, two on their way back.
/// On the host stand, with an offloaded optimizer, its state, the FP32 gradients that arrive and the BF16
/// weights that leave.
[[nodiscard]] std::vector<RankMemory> memory_by_rank(const MemoryInput& input);

/// Parameters a pipeline rank's GPU holds.
struct RankParams {
  double dense = 0;
  double expert = 0;
};
[[nodiscard]] std::vector<RankParams> params_by_rank(const Workload& workload, const Schedule& schedule);
/// How many pipeline ranks hold each stage: 2 in DualPipe, else 1.
[[nodiscard]] std::int64_t stage_copies(const Schedule& schedule);

}  // namespace orrery
