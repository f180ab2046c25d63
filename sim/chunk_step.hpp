#pragma once

#include "sim/engine/sim_time.hpp"
#include "sim/plan.hpp"

namespace orrery {

/// A step at chunk level: one duration per step of a rank's program instead of its kernels.
struct ChunkStep {
  SimTime time;        ///< of the whole step, gradient reduction and optimizer included
  SimTime pipeline;    ///< until the last pipeline rank is done
  bool exact = false;  ///< equal to the operator level, picosecond by picosecond
};

/// Time of a feasible plan without its task graph, never above what the operator level gives:
/// - Messages that block (layout.messages): a rank's steps do not touch, since each begins when everything of
///   the one before has ended on its GPU. So a step takes what its tasks and messages take alone on one GPU,
///   with the slowdown between lanes, whenever it begins; the schedule's relaxation over these durations is
///   the engine's run. Not so where a rank's last step leaves a message to send: it meets the gradient
///   reduction, which slows both and the rank that waits for it. Here the message arrives as fast as beside
///   its step alone.
/// - Asynchronous messages run beside the next step. Then every task counts as fast as alone: what remains is
///   the longest path of the task graph, which no slowdown (all are >= 1) can undercut.
/// The tail is lowered as the simulator lowers it, onto ranks that end when this says.
/// Uses up `plan.templates`: lower the plan before or make it anew.
[[nodiscard]] ChunkStep chunk_step(const Scenario& scenario, Plan& plan);

}  // namespace orrery
