#include "sim/cost/comm_cost.hpp"

#include <algorithm>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

const Sourced& notify_of(CommKind kind, const ExpertAllToAll& a) {
  if (kind == CommKind::kDispatch) return a.notify_dispatch_s;
  return kind == CommKind::kCombine ? a.notify_combine_s : a.notify_cached_s;
}

/// Inside one node by the measured curve, on the SMs nearest to `sms` that it was measured with.
CommCost measured_exchange(const CommOp& op, const ClusterProfile& cluster, const ExchangeCurve& curve,
                           double rate, std::int64_t sms) {
  const std::int64_t on = sms > 0 ? sms : cluster.expert_all_to_all.sm_count;
  ExchangeSize size{.tokens = op.tokens,
                    .row_bytes = op.bytes_per_token,
                    .targets = op.rank_copies,
                    .sms = static_cast<double>(std::clamp(on, curve.least_sms, curve.most_sms))};
  const LinkScale scale = link_scale(cluster, curve, rate);
  CommCost cost;
  cost.scale_up_bytes = Bytes{op.tokens * op.rank_copies * op.bytes_per_token};
  cost.alone = Seconds{exchange_seconds(curve, size, scale)};
  size.tokens = 0;
  cost.moving = cost.alone - Seconds{exchange_seconds(curve, size, scale)};
  return cost;
}

CommCost all_to_all(const CommOp& op, const EndpointGroup& group, const ClusterProfile& cluster) {
  const ExpertAllToAll& a = cluster.expert_all_to_all;
  const bool combine = op.kind == CommKind::kCombine;
  CommCost cost;
  const double up_bytes = op.tokens * op.rank_copies * op.bytes_per_token;
  const double up_rate = combine ? a.nvlink_combine_bytes_per_s : a.nvlink_dispatch_bytes_per_s;
  double time = up_bytes / up_rate;
  if (group.nodes > 1) {
    const Curve& curve = combine ? a.combine_bytes_per_s : a.dispatch_bytes_per_s;
    const double out_bytes = op.tokens * op.node_copies * op.bytes_per_token;
    time = std::max(time, out_bytes / curve.at(static_cast<double>(group.size)));
    const auto nodes = static_cast<double>(group.nodes);
    cost.scale_out_bytes = Bytes{out_bytes * (nodes - 1.0) / nodes};
  }
  cost.scale_up_bytes = Bytes{up_bytes};
  // Inside a node the counts travel with the kernel (DeepEP reports no notify time there).
  const double before = group.nodes > 1 ? notify_of(op.kind, a).value : cluster.scale_up.latency_s.value;
  cost.alone = Seconds{time + before};
  cost.moving = Seconds{time};
  return cost;
}

/// Every copy by itself through the library.
CommCost library_exchange(const CommOp& op, const EndpointGroup& group, const ClusterProfile& cluster) {
  const Bytes bytes{op.tokens * op.rank_copies * op.bytes_per_token};
  const CollectiveCost c = collective_cost(CollectiveKind::kAllToAll, bytes, group, cluster);
  CommCost cost;
  cost.alone = c.time;
  cost.moving = c.time - collective_cost(CollectiveKind::kAllToAll, Bytes{}, group, cluster).time;
  cost.scale_up_bytes = c.scale_up_bytes;
  cost.scale_out_bytes = c.scale_out_bytes;
  return cost;
}

CollectiveKind collective_of(CommKind kind) {
  switch (kind) {
    case CommKind::kAllGather: return CollectiveKind::kAllGather;
    case CommKind::kReduceScatter: return CollectiveKind::kReduceScatter;
    case CommKind::kAllReduce: return CollectiveKind::kAllReduce;
    default: return CollectiveKind::kSendRecv;
  }
}

}  // namespace

CommCost comm_cost(const CommOp& op, const EndpointGroup& group, const ClusterProfile& cluster,
                   std::int64_t sms) {
  const bool expert =
      op.kind == CommKind::kDispatch || op.kind == CommKind::kDispatchCached || op.kind == CommKind::kCombine;
  CommCost cost;
  if (expert && op.each_copy) {
    cost = library_exchange(op, group, cluster);
  } else if (expert) {
    const ExpertAllToAll& a = cluster.expert_all_to_all;
    const bool combine = op.kind == CommKind::kCombine;
    const std::optional<ExchangeCurve>& curve = combine ? a.in_node_combine : a.in_node_dispatch;
    const bool measured = group.nodes <= 1 && curve;
    cost = measured ? measured_exchange(
                          op, cluster, *curve,
                          combine ? a.nvlink_combine_bytes_per_s : a.nvlink_dispatch_bytes_per_s, sms)
                    : all_to_all(op, group, cluster);
    const std::int64_t measured_with = a.sm_count;
    if (!measured && sms > 0 && sms < measured_with) {
      const Seconds slower = cost.moving * (static_cast<double>(measured_with) / static_cast<double>(sms));
      cost.alone += slower - cost.moving;
      cost.moving = slower;
    }
  } else {
    const CollectiveCost c = collective_cost(collective_of(op.kind), Bytes{op.bytes}, group, cluster);
    cost.alone = c.time;
    cost.moving = c.time;
    cost.scale_up_bytes = c.scale_up_bytes;
    cost.scale_out_bytes = c.scale_out_bytes;
  }
  if (cost.alone.value > 0) {
    // Only the moving part suffers; counts and barriers wait for messages of a few bytes.
    const double factor = cluster.gpu.contention_factor(std::string("communication.") + to_text(op.kind));
    cost.beside_compute = 1.0 + (factor - 1.0) * (cost.moving / cost.alone);
    cost.nic_share = std::min(1.0, cost.scale_out_bytes / cost.alone / scale_out_rate(cluster));
  }
  return cost;
}

double nic_slowdown(double own, double other) {
  SIM_CHECK(own >= 0 && own <= 1 && other >= 0 && other <= 1, "shares of a NIC lie in [0, 1]");
  if (own <= 0 || own + other <= 1) return 1;
  const double got = std::max(0.5, 1.0 - other);
  return std::max(1.0, own / got);
}

}  // namespace orrery
