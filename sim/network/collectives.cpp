#include "sim/network/collectives.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace orrery {

BytesPerSecond scale_up_rate(const ClusterProfile& cluster) {
  return BytesPerSecond{cluster.scale_up.bytes_per_s.value * cluster.scale_up.efficiency.value};
}

BytesPerSecond scale_out_rate(const ClusterProfile& cluster) {
  return BytesPerSecond{cluster.scale_out.bytes_per_s.value * cluster.scale_out.efficiency.value /
                        cluster.oversubscription.value};
}

namespace {

double tier_latency(const EndpointGroup& group, const ClusterProfile& cluster) {
  return group.nodes > 1 ? cluster.scale_out.latency_s.value : cluster.scale_up.latency_s.value;
}

/// Everything sent once: half of an all-reduce, or another collective as a whole.
CollectiveCost one_phase(CollectiveKind kind, Bytes bytes, const EndpointGroup& group,
                         const ClusterProfile& cluster) {
  const auto nodes = static_cast<double>(group.nodes);
  const auto per_node = static_cast<double>(group.per_node);
  const bool each = kind == CollectiveKind::kAllToAll;
  CollectiveCost cost;
  cost.scale_out_bytes = bytes * ((nodes - 1.0) / nodes / (each ? 1.0 : per_node));
  cost.scale_up_bytes = bytes * ((1.0 - 1.0 / per_node) / (each ? nodes : 1.0));
  const double out = cost.scale_out_bytes / scale_out_rate(cluster) / Seconds{1};
  const double up = cost.scale_up_bytes / scale_up_rate(cluster) / Seconds{1};
  const double hops = 2.0 * std::ceil(std::log2(static_cast<double>(group.size)));
  cost.time = Seconds{std::max(out, up) + hops * tier_latency(group, cluster)};
  return cost;
}

const char* name_of(CollectiveKind kind) {
  switch (kind) {
    case CollectiveKind::kAllGather: return "all-gather";
    case CollectiveKind::kReduceScatter: return "reduce-scatter";
    case CollectiveKind::kAllReduce: return "all-reduce";
    case CollectiveKind::kAllToAll: return "all-to-all";
    case CollectiveKind::kSendRecv: return "send-recv";
  }
  return "";
}

/// Seconds inside a node by the cluster's curves, of a buffer of `bytes`; empty without a curve.
std::optional<double> in_node(CollectiveKind kind, double bytes, std::int64_t gpus,
                              const ClusterProfile& cluster) {
  if (!cluster.collectives) return std::nullopt;
  const CollectiveCurves& curves = *cluster.collectives;
  const auto n = static_cast<double>(gpus);
  return measured_seconds(curves, name_of(kind), sent_bytes(name_of(kind), bytes, n), n,
                          link_scale(cluster, curves));
}

}  // namespace

CollectiveCost collective_cost(CollectiveKind kind, Bytes bytes, const EndpointGroup& group,
                               const ClusterProfile& cluster) {
  if (kind == CollectiveKind::kSendRecv) {
    const bool out = group.nodes > 1;
    CollectiveCost cost;
    (out ? cost.scale_out_bytes : cost.scale_up_bytes) = bytes;
    cost.time = bytes / (out ? scale_out_rate(cluster) : scale_up_rate(cluster)) +
                Seconds{tier_latency(group, cluster)};
    if (!out) {
      if (const auto measured = in_node(kind, bytes / Bytes{1}, 2, cluster)) cost.time = Seconds{*measured};
    }
    return cost;
  }
  if (group.size <= 1) return {};
  CollectiveCost cost = one_phase(kind, bytes, group, cluster);
  if (kind == CollectiveKind::kAllReduce) {
    cost.time *= 2.0;
    cost.scale_up_bytes *= 2.0;
    cost.scale_out_bytes *= 2.0;
  }
  if (group.per_node <= 1) return cost;
  const double shared =
      bytes / Bytes{1} / (kind == CollectiveKind::kAllToAll ? static_cast<double>(group.nodes) : 1.0);
  const auto inside = in_node(kind, shared, group.per_node, cluster);
  if (!inside) return cost;
  const double first = *in_node(kind, 0, group.per_node, cluster);
  const double out = cost.scale_out_bytes / scale_out_rate(cluster) / Seconds{1};
  const double halves = kind == CollectiveKind::kAllReduce ? 2 : 1;
  const double hops = halves * 2.0 * std::ceil(std::log2(static_cast<double>(group.nodes)));
  cost.time = Seconds{std::max(out + first, *inside) + hops * cluster.scale_out.latency_s.value};
  return cost;
}

}  // namespace orrery
