#pragma once

#include <vector>

#include "sim/engine/timeline.hpp"
#include "sim/lower/lower.hpp"
#include "sim/report/metrics.hpp"

namespace orrery {

/// Reads one pipeline rank's step off the timeline, twice: by what the schedule was doing and by cause. Both
/// sum to the step time (to the picosecond before conversion).
struct RankAccount {
  RankTimes times;
  Waterfall waterfall;
  double flops = 0;      ///< done by the rank's kernels, recomputation included
  double fp8_flops = 0;  ///< of them in FP8
  double recomputed_bf16_flops = 0, recomputed_fp8_flops = 0;  ///< of both, done a second time
  double memory_bytes = 0;  ///< device memory traffic of its kernels that do no matrix products
};

/// Rules. A step of the program lasts from its begin marker to the end of its last task, and at least until
/// the host has enqueued it, which is waiting for the host once the tasks have ended; the time between steps
/// is bubble, except while the message it waited for was on the wire, which is exposed pipeline communication
/// in the waterfall and bubble in the breakdown. Inside a step, an instant with a busy compute lane counts as
/// compute (or recomputation) at stand-alone speed plus contention; with only the communication lane busy, as
/// exposed communication of its kind; with neither, as other. A whole backward counts as input gradient,
/// postponed weight gradients as weight gradient. What comes after the rank's last step is the optimizer's
/// (gradient reduction and, with a barrier, waiting for slower ranks included). The step of a rank is its
/// window of `step_period`. A step of the program that waits for its weights is exposed data-parallel
/// communication.
[[nodiscard]] std::vector<RankAccount> account_ranks(const LoweredStep& step, const Timeline& timeline);

/// Mean times of the actions of each stage over all ranks and microbatches.
void add_stage_means(const LoweredStep& step, const Timeline& timeline, std::vector<StageRow>& stages);

}  // namespace orrery
