#pragma once

#include <vector>

#include "sim/engine/sim_time.hpp"
#include "sim/engine/timeline.hpp"
#include "sim/lower/lower.hpp"

namespace orrery {

/// The part of a rank's time that one step of training takes, when steps follow one another.
struct StepWindow {
  SimTime begin;  ///< 0 with a barrier, else when the rank's first step begins
  SimTime end;    ///< of the rank's own update and gathering of weights
};

/// How far apart steps of training follow one another.
///
/// With a barrier in the optimizer, a step ends for all ranks when the last one has updated: the makespan.
/// Without one (post-validation) every rank begins its next step when its own update is done. The whole
/// timeline, shifted by T, keeps all dependencies between ranks, and a rank is free in time if T is at least
/// the length of its window; so steps can follow one another at T = the longest window. That is the "cost" of
/// arXiv 2401.10241, 3.1: max over stages of last end - first start. An upper bound: a rank that idles inside
/// its window might start later in a steady state.
struct StepPeriod {
  SimTime length;
  std::size_t longest_rank = 0;  ///< whose window that is; with a barrier the rank whose pipeline ends last
  std::vector<StepWindow> ranks;
};
[[nodiscard]] StepPeriod step_period(const LoweredStep& step, const Timeline& timeline);

}  // namespace orrery
