#pragma once

#include <cstdint>

#include "sim/schedule/schedule_costs.hpp"

namespace orrery {

/// Improves a schedule that runs and fits, by small changes of the program of one rank at a time: moving a
/// step, moving all later forwards of a stage up by one, splitting a backward or joining its halves, forming
/// or parting an overlapped pair. A change stays when the makespan does not grow, or is no longer than it was
/// twenty changes ago (late acceptance, Burke & Bykov 2017); nine in ten are tried at a step of the critical
/// path. The changes come from a fixed sequence of pseudo-random numbers, so equal inputs give equal results.
/// Returns the best found after `evaluations` changes; never longer than the input.
[[nodiscard]] Schedule improve_schedule(Schedule start, const ScheduleCosts& costs, std::int64_t evaluations);

}  // namespace orrery
