#include <algorithm>
#include <cmath>

#include "sim/bound/layout_bound.hpp"
#include "sim/cost/host_cost.hpp"
#include "sim/engine/sim_time.hpp"
#include "sim/layout/data_parallel.hpp"
#include "sim/layout/rank_map.hpp"
#include "sim/report/measure.hpp"
#include "sim/workload/op_builder.hpp"

namespace orrery {
namespace {

std::int64_t collective_ps(CollectiveKind kind, double bytes, const EndpointGroup& group,
                           const ClusterProfile& cluster) {
  if (group.size <= 1 || bytes <= 0) return 0;
  return to_sim_time(collective_cost(kind, Bytes{bytes}, group, cluster).time).ps;
}

DataParallelPlan plan_of(Layout layout, std::int64_t zero_stage) {
  layout.zero_stage = zero_stage;
  return data_parallel_plan(layout);
}

/// The update of `owned` parameters on the host with the copies there and back.
SimTime host_update(double owned, double gradient_bytes, double bytes, const ClusterProfile& cluster) {
  return to_sim_time(host_copy_time(Bytes{gradient_bytes * owned}, cluster)) +
         to_sim_time(host_work_time(Bytes{bytes}, cluster)) +
         to_sim_time(host_copy_time(Bytes{2.0 * owned}, cluster));
}

/// Gradient reduction and optimizer of one rank, as sim/lower/step_tail.cpp adds them.
class Tail {
 public:
  Tail(const BoundContext& context, const LayoutBound& bound, std::int64_t copies, std::int64_t zero_stage,
       const Offload& offload)
      : cluster_(context.scenario.cluster),
        context_(context),
        bound_(bound),
        copies_(copies),
        zero_(zero_stage),
        plan_(plan_of(context.scenario.layout, zero_stage)),
        on_host_(offload.optimizer),
        gradient_bytes_(bytes_of(context.scenario.training.gradients)),
        cast_bytes_(weight_cast_bytes(context.scenario.training.precision)),
        bytes_per_param_(optimizer_traffic(memory_rules(context.scenario.training))) {}

  [[nodiscard]] std::int64_t reduce(const RankParams& p) const {
    return reduce_part(p.dense, bound_.dense_group) + reduce_part(p.expert, bound_.expert_group);
  }

  [[nodiscard]] std::int64_t update(const RankParams& p) const {
    const bool sharded = zero_ >= 1;
    const double owned = sharded ? p.dense / static_cast<double>(bound_.dense_group.size) +
                                       p.expert / static_cast<double>(bound_.expert_group.size)
                                 : p.dense + p.expert;
    const auto sms = static_cast<std::int64_t>(cluster_.gpu.sm_count.value) - context_.communication_sms;
    std::int64_t ps = on_host_ ? host_update(owned, gradient_bytes_, owned * bytes_per_param_, cluster_).ps
                               : context_.memo.optimizer_ps(
                                     owned * bytes_per_param_ + (p.dense + p.expert) * cast_bytes_, sms);
    if (!sharded || plan_.gather != DataTraffic::kAfterPipeline) return ps;
    ps += collective_ps(CollectiveKind::kAllGather, 2.0 * p.dense, bound_.dense_group, cluster_);
    ps += collective_ps(CollectiveKind::kAllGather, 2.0 * p.expert, bound_.expert_group, cluster_);
    return ps;
  }

 private:
  [[nodiscard]] std::int64_t reduce_part(double params, EndpointGroup group) const {
    if (plan_.reduce != DataTraffic::kAfterPipeline) {
      if (zero_ >= 1) params /= static_cast<double>(group.size / copies_);
      group = {.size = copies_, .per_node = 1, .nodes = copies_};
    }
    const CollectiveKind kind = zero_ == 0 ? CollectiveKind::kAllReduce : CollectiveKind::kReduceScatter;
    return collective_ps(kind, gradient_bytes_ * params, group, cluster_);
  }

  const ClusterProfile& cluster_;
  const BoundContext& context_;
  const LayoutBound& bound_;
  std::int64_t copies_, zero_;
  DataParallelPlan plan_;
  bool on_host_;
  double gradient_bytes_, cast_bytes_, bytes_per_param_;
};

/// Traffic of ZeRO 2 and 3 beside or between the kernels of one rank, picoseconds on the busier of the lanes
/// for gathering and reducing.
class ShardTraffic {
 public:
  ShardTraffic(const BoundContext& context, const StageBounds& stages, const LayoutBound& bound,
               std::int64_t zero)
      : stages_(stages) {
    const ClusterProfile& cluster = context.scenario.cluster;
    const double gradient = bytes_of(context.scenario.training.gradients);
    for (std::size_t u = 0; u < context.units.units.size(); ++u) {
      head_[u] = context.units.units[u].kind == UnitKind::kHead;
      const WorkSums& s = context.units.units[u].sums;
      reduce_[u] = collective_ps(CollectiveKind::kReduceScatter, gradient * s.dense_params,
                                 bound.dense_shards, cluster) +
                   collective_ps(CollectiveKind::kReduceScatter, gradient * s.expert_params,
                                 bound.expert_shards, cluster);
      if (zero < 3) continue;
      // Before the forward and again before the backward.
      gather_[u] =
          2 *
          (collective_ps(CollectiveKind::kAllGather, 2.0 * s.dense_params, bound.dense_shards, cluster) +
           collective_ps(CollectiveKind::kAllGather, 2.0 * s.expert_params, bound.expert_shards, cluster));
    }
  }

  [[nodiscard]] std::int64_t of(const RankProfile& rank) const {
    std::int64_t reduce = 0;
    std::int64_t gather = 0;
    for (const StepCount& c : rank.steps) {
      if (c.kind != ActionKind::kForward) continue;
      const std::int64_t microbatches = c.before + c.middle + c.after;
      const auto& counts = stages_.stages[static_cast<std::size_t>(c.stage)].unit_count;
      for (std::size_t u = 0; u < kUnitKinds; ++u) {
        // Heads of one stage share their weights.
        const std::int64_t count = head_[u] ? std::min(counts[u], 1) : counts[u];
        reduce += microbatches * count * reduce_[u];
        gather += microbatches * count * gather_[u];
      }
    }
    return std::max(reduce, gather);
  }

 private:
  const StageBounds& stages_;
  std::array<std::int64_t, kUnitKinds> reduce_{};
  std::array<std::int64_t, kUnitKinds> gather_{};
  std::array<bool, kUnitKinds> head_{};
};

/// Activations that a rank copies to the host in the step, one after the other. Where the NIC's traffic goes
/// through the same port, the port has to carry both: of a copy and a transfer that meet, each gets at most
/// what the other leaves (nic_slowdown), so their shares never exceed the port.
std::int64_t copies_ps(const BoundContext& context, const StageBounds& stages, const RankProfile& rank) {
  const ClusterProfile& cluster = context.scenario.cluster;
  const bool shared = copies_share_port(cluster);
  double ps = 0;
  for (const StepCount& c : rank.steps) {
    if (c.kind != ActionKind::kForward) continue;
    const StageBounds::Stage& s = stages.stages[static_cast<std::size_t>(c.stage)];
    if (s.away <= 0) continue;
    const double copies = host_copy_time(Bytes{s.away}, cluster).value * kPicosecondsPerSecond;
    ps += static_cast<double>(c.before + c.middle + c.after) * (copies + (shared ? s.sums.nic_ps : 0));
  }
  // Times are rounded to picoseconds, slowdowns to a part in 65,536.
  return static_cast<std::int64_t>(ps * (1 - 2e-5));
}

double memory_of(const BoundContext& context, const ScheduleProfile& profile, const LayoutBound& bound,
                 std::int64_t zero, std::int64_t pp, const Offload& offload) {
  const Scenario& s = context.scenario;
  const MemoryRules rules = memory_rules(s.training);
  const auto copies = static_cast<double>(profile.copies);
  const auto world = static_cast<double>(s.gpus / pp);
  const double dense_shards = world / static_cast<double>(s.layout.tp) * copies;
  const double expert_shards = world / static_cast<double>(s.layout.ep * s.layout.etp) * copies;
  const double reserve = rules.reserve_bytes + rules.reserve_share * s.cluster.gpu.memory_bytes.value;
  // What ZeRO 2 and 3 hold whole for a moment, as sim/lower/memory.cpp has it.
  double unit = 0;
  for (const UnitTimes& u : context.units.units) {
    unit = std::max(unit, (dense_shards > copies ? u.sums.dense_params : 0) +
                              (expert_shards > copies ? u.sums.expert_params : 0));
  }
  Layout layout = s.layout;
  layout.zero_stage = zero;
  const double gathered = data_parallel_plan(layout).gather == DataTraffic::kEveryUse ? 2.0 : 1.0;
  const double moment = (zero >= 3 ? gathered * unit * rules.weight_bytes : 0) +
                        (zero >= 2 ? unit * (2.0 + rules.gradient_bytes) : 0);
  double most = 0;
  for (std::size_t r = 0; r < bound.params.size(); ++r) {
    const RankParams& p = bound.params[r];
    const double whole = p.dense + p.expert;
    const double shard = p.dense / dense_shards + p.expert / expert_shards;
    const double total =
        rules.weight_bytes * (zero >= 3 ? shard : whole) +
        rules.gradient_bytes * (zero >= 2 ? shard : whole) +
        (offload.optimizer ? 0.0 : (rules.moment_bytes + rules.master_bytes) * (zero >= 1 ? shard : whole)) +
        (offload.activations ? bound.staying[r] + bound.copies[r] : bound.activations[r]) + bound.buffers[r] +
        moment + reserve;
    most = std::max(most, total);
  }
  return most;
}

}  // namespace

double mean_memory(const BoundContext& context, const ScheduleProfile& profile, std::int64_t zero,
                   std::int64_t pp, const Offload& offload) {
  const WorkSums& w = context.units.whole;
  const double share = static_cast<double>(profile.copies) / static_cast<double>(pp);
  LayoutBound mean;
  mean.params.push_back(
      {.dense = (w.dense_params - context.units.head_params) * share, .expert = w.expert_params * share});
  mean.activations.push_back(static_cast<double>(profile.least_live) * w.kept * share);
  mean.staying.push_back(0);
  mean.copies.push_back(0);
  mean.buffers.push_back(2.0 * context.units.exchange_bytes);
  return memory_of(context, profile, mean, zero, pp, offload);
}

namespace {

/// Mean power as docs/models/power.md has it grows no faster than time shrinks: with the least time this is
/// the least energy.
double energy_of(const BoundContext& context, const LayoutBound& bound, double seconds) {
  const Scenario& s = context.scenario;
  const PowerFigures& p = s.cluster.gpu.power;
  double per_gpu = 0;
  for (const double joules : bound.joules) {
    per_gpu += std::min(p.cap_w.value * seconds, p.communication_floor_w.value * seconds + joules) /
               static_cast<double>(bound.joules.size());
  }
  const auto gpus = static_cast<double>(s.gpus);
  const double nodes = std::ceil(gpus / static_cast<double>(s.cluster.gpus_per_node));
  return per_gpu * gpus + s.cluster.node_overhead_w.value * nodes * seconds;
}

}  // namespace

ZeroBound zero_bound(const BoundContext& context, const ScheduleProfile& profile, const StageBounds& stages,
                     const LayoutBound& bound, std::int64_t zero_stage, std::int64_t pp,
                     const Offload& offload) {
  const Tail tail(context, bound, profile.copies, zero_stage, offload);
  const std::size_t n = bound.ends.size();
  std::int64_t joined = 0;
  std::int64_t least_reduce = INT64_MAX;
  std::int64_t most_update = 0;
  std::int64_t reduce = 0;
  for (std::size_t r = 0; r < n; ++r) {
    const RankParams& p = bound.params[r];
    // Inner ranks mostly hold the same.
    if (r == 0 || p.dense != bound.params[r - 1].dense || p.expert != bound.params[r - 1].expert) {
      reduce = tail.reduce(p);
      most_update = std::max(most_update, tail.update(p));
    }
    const std::int64_t ready =
        profile.copies == 2 ? std::max(bound.ends[r], bound.ends[n - 1 - r]) : bound.ends[r];
    joined = std::max(joined, ready + reduce);
    least_reduce = std::min(least_reduce, reduce);
  }
  joined = std::max(joined, bound.pipeline_ps + least_reduce);
  if (zero_stage >= 2) {
    const ShardTraffic traffic(context, stages, bound, zero_stage);
    for (const RankProfile& rank : profile.ranks) joined = std::max(joined, traffic.of(rank));
  }
  if (offload.activations) {
    for (const RankProfile& rank : profile.ranks) joined = std::max(joined, copies_ps(context, stages, rank));
  }
  ZeroBound out;
  out.step_ps = joined + most_update;
  out.memory_bytes = memory_of(context, profile, bound, zero_stage, pp, offload);
  out.energy_j = energy_of(context, bound, to_seconds(SimTime{out.step_ps}).value);
  return out;
}

void set_tail_groups(const Scenario& s, std::int64_t pp, std::int64_t copies, LayoutBound& bound) {
  Layout layout;
  layout.tp = s.layout.tp;
  layout.cp = s.layout.cp;
  layout.ep = s.layout.ep;
  layout.etp = s.layout.etp;
  layout.pp = pp;
  const RankMap ranks(layout, s.gpus, s.cluster.gpus_per_node);
  const auto grown = [&](const GroupSpan& span) -> EndpointGroup {
    return {.size = span.size * copies, .per_node = span.per_node, .nodes = span.nodes * copies};
  };
  bound.dense_group = grown(ranks.span(GpuId{0}, Axis::kDp));
  const GroupSpan context = ranks.span(GpuId{0}, Axis::kCp);
  bound.dense_group.size *= context.size;
  bound.dense_group.per_node *= context.per_node;
  bound.dense_group.nodes *= context.nodes;
  bound.expert_group = grown(ranks.span(GpuId{0}, Axis::kExpertDp));
  copies = 1;
  bound.dense_shards = grown(ranks.span(GpuId{0}, Axis::kDp));
  bound.expert_shards = grown(ranks.span(GpuId{0}, Axis::kExpertDp));
}

}  // namespace orrery
