#pragma once

#include "sim/base/units.hpp"
#include "sim/hw/cluster.hpp"

namespace orrery {

/// A copy between GPU and host alone on the link.
[[nodiscard]] Seconds host_copy_time(Bytes bytes, const ClusterProfile& cluster);

/// Work of the host's processors that moves so many bytes of its memory, at the share
/// kReachedHostBandwidth of the nominal bandwidth. SIM_CHECK: the profile knows the bandwidth.
[[nodiscard]] Seconds host_work_time(Bytes bytes, const ClusterProfile& cluster);

}  // namespace orrery
