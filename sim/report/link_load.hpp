#pragma once

#include <vector>

#include "sim/lower/lower.hpp"
#include "sim/report/metrics.hpp"

namespace orrery {

/// Bytes that one GPU sends in a step, by the axis of the layout that asks for it: what a collective or
/// message has as payload per GPU, `scale_out_bytes` of it through the NIC. Mean over the pipeline ranks;
/// axes without traffic are left out. Copies to the host are not in it.
[[nodiscard]] std::vector<LinkRow> link_load(const LoweredStep& step);

}  // namespace orrery
