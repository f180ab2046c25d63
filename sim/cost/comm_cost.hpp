#pragma once

#include <cstdint>

#include "sim/base/units.hpp"
#include "sim/hw/cluster.hpp"
#include "sim/network/collectives.hpp"
#include "sim/workload/op.hpp"

namespace orrery {

/// One communication alone on the machine.
struct CommCost {
  Seconds alone;
  Seconds moving;             ///< the part of it that moves data: all but the notify before an exchange
  double beside_compute = 1;  ///< factor >= 1 on `alone` while compute kernels run on the same GPU
  double nic_share = 0;       ///< of the NIC's reachable rate while it runs alone
  Bytes scale_up_bytes;
  Bytes scale_out_bytes;
};

/// Expert all-to-all from the cluster's measured kernels: bytes = tokens * distinct target nodes (own node
/// counted, as DeepEP counts) * payload, over the rate for the group's size; inside one node distinct target
/// ranks count. Between nodes every call starts with its notify time. Other kinds:
/// `collective_cost`.
/// `sms`: SMs set apart for communication, 0 when its kernels take what they need. Inside a node a measured
/// curve (`ExchangeCurve`) says what they cost; without one, and between nodes, the moving part slows in
/// proportion with fewer SMs than the kernels were measured with (assumed).
[[nodiscard]] CommCost comm_cost(const CommOp& op, const EndpointGroup& group, const ClusterProfile& cluster,
                                 std::int64_t sms = 0);

/// Slow-down of two transfers that share a NIC, by max-min fairness: the one that wants less than half gets
/// what it wants, the other the rest. `own` and `other` are shares of the reachable rate in (0, 1].
[[nodiscard]] double nic_slowdown(double own, double other);

}  // namespace orrery
