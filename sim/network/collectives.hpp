#pragma once

#include <cstdint>

#include "sim/base/units.hpp"
#include "sim/hw/cluster.hpp"

namespace orrery {

/// How the endpoints of a collective lie on the nodes; every node holds the same number of them.
struct EndpointGroup {
  std::int64_t size = 1;
  std::int64_t per_node = 1;
  std::int64_t nodes = 1;
};

enum class CollectiveKind { kAllGather, kReduceScatter, kAllReduce, kAllToAll, kSendRecv };

/// Time and traffic of one endpoint.
struct CollectiveCost {
  Seconds time;
  Bytes scale_up_bytes;   ///< received over the node's own network
  Bytes scale_out_bytes;  ///< received through the endpoint's NIC
};

/// Rate that large transfers reach on a tier, per endpoint and direction; oversubscription counts between
/// nodes.
[[nodiscard]] BytesPerSecond scale_up_rate(const ClusterProfile& cluster);
[[nodiscard]] BytesPerSecond scale_out_rate(const ClusterProfile& cluster);

/// Bandwidth-optimal collectives in two tiers, pipelined, so the slower tier sets the time. With n endpoints
/// on `nodes` nodes, g = n / nodes of them per node, and B bytes of the gathered (or to be reduced) buffer:
///   through the NIC    B/g * (nodes - 1)/nodes     every endpoint fetches its share of the other nodes' part
///   inside the node    B * (1 - 1/g)               and passes it on to its neighbours
///   time = max of both at their rates + 2*latency*ceil(log2 n)
/// Where the cluster has measured curves of the operation (`measured_seconds`), inside(B, g) of them on the g
/// GPUs of a node takes the place of the node's rate and latency:
///   time = max(network time + inside(0, g), inside(B, g)) + 2*latency of the network*ceil(log2 nodes)
/// which is the curve itself in one node.
/// All-reduce is reduce-scatter then all-gather. In an all-to-all B is what one endpoint has for all, itself
/// among them; nothing is shared on the way, so its NIC carries B (nodes - 1)/nodes, and B (g - 1)/n stay in
/// the node. Send-recv moves B over one tier. Known error: latency of
/// rings grows with n, not log2 n; trees and in-switch reduction are not told apart
/// (docs/models/collectives.md).
[[nodiscard]] CollectiveCost collective_cost(CollectiveKind kind, Bytes bytes, const EndpointGroup& group,
                                             const ClusterProfile& cluster);

}  // namespace orrery
