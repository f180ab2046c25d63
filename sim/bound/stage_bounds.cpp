#include <algorithm>
#include <cmath>

#include "sim/base/check.hpp"
#include "sim/bound/layout_bound.hpp"
#include "sim/cost/comm_cost.hpp"
#include "sim/engine/sim_time.hpp"
#include "sim/layout/rank_map.hpp"
#include "sim/layout/stage_partition.hpp"
#include "sim/workload/offload.hpp"

namespace orrery {
namespace {

/// As `plan_schedule` cuts: see sim/plan.cpp.
std::vector<std::int64_t> balanced(const UnitTable& table, const std::vector<std::int32_t>& owner,
                                   std::int64_t vpp, bool hidden) {
  const auto cost = [&](std::size_t u) {
    return hidden ? table.units[u].compute_seconds : table.units[u].seconds;
  };
  std::vector<double> costs;
  costs.reserve(table.layers.size());
  for (const std::size_t u : table.layers) costs.push_back(cost(u));
  const double first = cost(table.front.front());
  double last = cost(table.back.front());
  for (std::size_t i = 1; i < table.back.size(); i += 2)
    last += cost(table.back[i]) + cost(table.back[i + 1]);
  if (vpp > 1) return balance_ranks(costs, first, last, owner);
  costs.front() += first;
  costs.back() += last;
  return balance_stages(costs, static_cast<std::int64_t>(owner.size()));
}

std::int64_t host_ps(const ClusterProfile& cluster, std::int64_t calls) {
  return std::max<std::int64_t>(
      0, to_sim_time(Seconds{cluster.gpu.host_launch_s.value * static_cast<double>(calls)}).ps);
}

/// Adds units in the order of the forward pass, then reads off the stage's steps.
class StageSum {
 public:
  StageSum(const UnitTable& table, const ClusterProfile& cluster) : table_(table), cluster_(cluster) {}

  void add(std::size_t u) { row_.push_back(u); }

  StageBounds::Stage take() {
    StageBounds::Stage s;
    s.units = row_.size();
    std::size_t heads = 0;
    LaneShift shift;
    for (auto u = row_.rbegin(); u != row_.rend(); ++u) shift = shift.then(table_.units[*u].backward);
    for (const std::size_t u : row_) {
      const UnitTimes& unit = table_.units[u];
      ++s.unit_count[u];
      s.sums += unit.sums;
      s.working = std::max(s.working, unit.working);
      s.embedding = s.embedding || unit.kind == UnitKind::kEmbedding;
      s.mtp = s.mtp || unit.kind == UnitKind::kMtp;
      if (unit.kind == UnitKind::kHead && ++heads > 1) s.head_params += unit.sums.dense_params;
    }
    const auto kind = [&](std::size_t i) { return table_.units[row_[i]].kind; };
    for (std::size_t i = 0; i < row_.size(); ++i) {
      if (!can_leave(kind, row_.size(), i)) continue;
      s.away += table_.units[row_[i]].sums.kept;
      s.largest_away = std::max(s.largest_away, table_.units[row_[i]].sums.kept);
    }
    const UnitTimes& first = table_.units[row_.front()];
    s.first_backward_compute = first.last_backward_compute;
    s.last_combine = table_.units[row_.back()].combine;
    s.forward = std::max(s.sums.forward, host_ps(cluster_, s.sums.forward_calls));
    s.input_grad = std::max(s.sums.input_grad, host_ps(cluster_, s.sums.input_calls));
    s.weight_grad = std::max(s.sums.weight_grad, host_ps(cluster_, s.sums.weight_calls));
    s.backward = std::max(
        {shift.until(0), shift.until(1), host_ps(cluster_, s.sums.input_calls + s.sums.weight_calls)});
    s.backward_gradient = shift.until(first.ends_with_weights ? 1 : 0);
    row_.clear();
    return s;
  }

 private:
  const UnitTable& table_;
  const ClusterProfile& cluster_;
  std::vector<std::size_t> row_;
};

std::int64_t message_ps(const Scenario& s, const UnitTable& table, std::int64_t pp, std::int64_t sms) {
  if (pp == 1) return 0;
  Layout layout;
  layout.tp = s.layout.tp;
  layout.cp = s.layout.cp;
  layout.ep = s.layout.ep;
  layout.etp = s.layout.etp;
  layout.pp = pp;
  const RankMap ranks(layout, s.gpus, s.cluster.gpus_per_node);
  const bool out = ranks.span(GpuId{0}, Axis::kPp).per_node == 1;
  const CommOp op{
      .name = "message", .kind = CommKind::kSendRecv, .axis = Axis::kPp, .bytes = table.boundary_bytes};
  const EndpointGroup pair{.size = 2, .per_node = out ? 1 : 2, .nodes = out ? 2 : 1};
  return to_sim_time(comm_cost(op, pair, s.cluster, sms).alone).ps;
}

}  // namespace

const char* to_text(LayerPlacement placement) {
  switch (placement) {
    case LayerPlacement::kBalanced: return "balanced";
    case LayerPlacement::kEven: return "even";
    case LayerPlacement::kLightEnds: return "light-ends";
  }
  return "unknown";
}

std::vector<std::int64_t> counted_layers(LayerPlacement placement, std::int64_t layers, std::int64_t stages) {
  const std::int64_t ends = placement == LayerPlacement::kLightEnds && stages > 1 ? 1 : 0;
  const std::int64_t all = layers + 2 * ends;
  std::vector<std::int64_t> counts(static_cast<std::size_t>(stages), all / stages);
  // What is left over goes to the middle stages, which hold neither embedding nor head.
  const std::int64_t left = all % stages;
  for (std::int64_t i = 0; i < left; ++i) ++counts[static_cast<std::size_t>((stages - left) / 2 + i)];
  counts.front() -= ends;
  counts.back() -= ends;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const bool end = i == 0 || i + 1 == counts.size();
    if (counts[i] < (end ? 0 : 1)) return {};
  }
  return counts;
}

StageBounds stage_bounds(const BoundContext& context, const std::vector<std::int64_t>& stage_layers,
                         const std::vector<std::int32_t>& owner, std::int64_t pp, std::int64_t vpp,
                         bool hidden) {
  const UnitTable& table = context.units;
  SIM_CHECK(table.units.size() <= kUnitKinds, "more kinds of units than stages count");
  StageBounds out;
  out.layers = stage_layers.empty() ? balanced(table, owner, vpp, hidden) : stage_layers;
  out.message = message_ps(context.scenario, table, pp, context.communication_sms);
  StageSum sum(table, context.scenario.cluster);
  out.stages.reserve(out.layers.size());
  std::size_t layer = 0;
  for (std::size_t s = 0; s < out.layers.size(); ++s) {
    if (s == 0) {
      for (const std::size_t u : table.front) sum.add(u);
    }
    for (std::int64_t i = 0; i < out.layers[s]; ++i) sum.add(table.layers[layer++]);
    if (s + 1 == out.layers.size()) {
      for (const std::size_t u : table.back) sum.add(u);
    }
    out.stages.push_back(sum.take());
  }
  return out;
}

}  // namespace orrery
