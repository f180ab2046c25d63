#pragma once

#include <vector>

#include "calibrate/probe/sample.hpp"

namespace orrery {

/// Collectives over the GPUs of several hosts, `ranks_of_hosts` of them on each: five kinds, buffers of 4 KiB
/// to 1 GiB, over
///   - 2, 4, 8, ... and all GPUs of the first host (as far as every host has them),
///   - one GPU on each of two hosts,
///   - all GPUs of 2, 4, 8, ... and all hosts.
/// Shapes have `bytes`, `gpus` (of all hosts together) and, over more than one host, `nodes`. Kinds and
/// arrangements take turns, so that a plan cut short has something of each.
[[nodiscard]] std::vector<Case> collective_plan(const std::vector<int>& ranks_of_hosts);

}  // namespace orrery
