#pragma once

#include "sim/base/units.hpp"
#include "sim/hw/cluster.hpp"

namespace orrery {

/// What a kernel or transfer does to its GPU.
struct Activity {
  double flops = 0;
  bool fp8 = false;
  double memory_bytes = 0;     ///< of device memory, read and written
  double scale_up_bytes = 0;   ///< through NVLink, one direction
  double scale_out_bytes = 0;  ///< through the NIC, one direction
};

/// Joules above the floor and a running kernel's own draw: FLOPs * J/FLOP of their precision + bytes * J/byte
/// of device memory, NVLink and NIC. A profile without a figure for FP8 takes that of BF16, one without a
/// link's figure counts nothing for it and the assumptions say so. Source of the form: docs/models/power.md.
[[nodiscard]] double joules(const Activity& activity, const PowerFigures& figures);

/// Power at the machines of a cluster without its GPUs.
struct StaticPower {
  Watts nodes;    ///< overhead of every node, whole nodes
  Watts network;  ///< switches and the transceivers on their side
};
/// `switches` of the cluster's own kind, `links` with two transceivers, those at the GPUs' NICs being part of
/// the node overhead. 0 where the profile has no figure.
[[nodiscard]] StaticPower static_power(const ClusterProfile& cluster, double nodes, double gpus,
                                       double switches, double links);

}  // namespace orrery
