#pragma once

#include <cstddef>
#include <vector>

#include "sim/workload/stage_work.hpp"

namespace orrery {

/// Whether the activations of the i-th unit of a stage can wait in the host's memory: those of every
/// transformer layer but, in a stage that ends in the head, of the last one, whose backward follows at once.
[[nodiscard]] bool can_leave(const Workload& workload, const std::vector<std::size_t>& units, std::size_t i);

}  // namespace orrery
