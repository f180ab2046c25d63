// What every item of a template costs, worked out once.
#include <algorithm>
#include <utility>

#include "sim/cost/comm_cost.hpp"
#include "sim/cost/compute_cost.hpp"
#include "sim/cost/host_cost.hpp"
#include "sim/lower/slowdown_rows.hpp"
#include "sim/lower/step_template.hpp"

namespace orrery {
namespace {

TaskKind kind_of(Axis axis) {
  switch (axis) {
    case Axis::kTp:
    case Axis::kEtp: return TaskKind::kTp;
    case Axis::kCp: return TaskKind::kCp;
    case Axis::kEp: return TaskKind::kEp;
    case Axis::kPp: return TaskKind::kPp;
    case Axis::kDp:
    case Axis::kExpertDp: return TaskKind::kDp;
  }
  return TaskKind::kMarker;
}

}  // namespace

StepTemplates::StepTemplates(const Workload& workload, const RankMap& ranks, const ClusterProfile& cluster,
                             std::int64_t compute_sms, DataParallelPlan data, std::int64_t stage_copies,
                             bool offload)
    : workload_(workload),
      ranks_(ranks),
      cluster_(cluster),
      compute_sms_(compute_sms),
      data_(data),
      offload_(offload),
      host_share_(offload && copies_share_port(cluster) ? 1.0 : 0.0) {
  // A gather of weights that each rank of both copies owns a part of; gradients are first reduced within a
  // copy.
  const std::int64_t gather_copies = data.gather == DataTraffic::kOnce ? stage_copies : 1;
  for (const UnitWork& unit : workload.units) {
    note_data_share(unit.gather, gather_copies);
    note_data_share(unit.reduce, 1);
  }
  for (const UnitWork& unit : workload.units) {
    const LayerWork& w = unit.work;
    UnitItems& u = units_.emplace_back();
    u.attention_f = cost_segment(w.attention_f, false);
    u.dispatch_f = cost_segment(w.dispatch_f, true);
    u.mlp_f = cost_segment(w.mlp_f, false);
    u.combine_f = cost_segment(w.combine_f, true);
    u.recompute = cost_segment(w.recompute, false);
    u.combine_b = cost_segment(w.combine_b, true);
    u.mlp_b = cost_segment(w.mlp_b, false);
    u.dispatch_b = cost_segment(w.dispatch_b, true);
    u.attention_b = cost_segment(w.attention_b, false);
    u.mlp_w = cost_segment(w.mlp_w, false);
    u.attention_w = cost_segment(w.attention_w, false);
    u.mlp_rest = split_rest(u.mlp_b);
    u.attention_rest = split_rest(u.attention_b);
  }
  for (std::size_t i = 0; i < units_.size(); ++i) {
    units_[i].gather = cost_data(workload.units[i].gather, Lane::kGather, gather_copies);
    units_[i].reduce = cost_data(workload.units[i].reduce, Lane::kReduce, 1);
    if (!offload_) continue;
    units_[i].store = add_copy("store activations", workload.units[i].kept_bytes, Lane::kStore);
    units_[i].fetch = add_copy("fetch activations", workload.units[i].kept_bytes, Lane::kFetch);
  }
}

EndpointGroup StepTemplates::group_of(Axis axis) const {
  const GroupSpan span = ranks_.span(GpuId{0}, axis);
  return {.size = span.size, .per_node = span.per_node, .nodes = span.nodes};
}

CostedItem StepTemplates::cost(const WorkItem& item, const EndpointGroup& group, Lane lane) {
  CostedItem out;
  out.lane = lane;
  out.host_calls = host_calls(item);
  if (const auto* op = std::get_if<Op>(&item)) {
    // Casts that belong to an exchange run on the communication lane, but not on the few SMs of its kernels.
    const OpCost c = op_cost(*op, cluster_.gpu, compute_sms_);
    out.name = op->name;
    out.kind = op->recompute ? TaskKind::kRecompute : TaskKind::kCompute;
    out.duration = to_sim_time(c.alone);
    if (lane == Lane::kCompute) out.slowdown_row = slowdown_row({.beside = c.beside_communication});
    out.flops = op->flops;
    out.bytes = op->bytes;
    out.beside = op->beside;
    out.op_class = op_class(*op);
    return out;
  }
  const CommOp& op = std::get<CommOp>(item);
  const CommCost c =
      comm_cost(op, group, cluster_, static_cast<std::int64_t>(cluster_.gpu.sm_count.value) - compute_sms_);
  out.name = op.name;
  out.kind = kind_of(op.axis);
  out.duration = to_sim_time(c.alone);
  out.bytes = op.bytes + op.tokens * op.bytes_per_token * op.node_copies;
  out.scale_out_bytes = c.scale_out_bytes.value;
  out.beside = op.beside;
  out.op_class = std::string("communication.") + to_text(op.kind);
  // Others count with their busiest kind; a message asks for the whole NIC.
  NicShares others{
      .communication = busiest_nic_share_, .message = 1.0, .data = busiest_data_share_, .host = host_share_};
  if (lane == Lane::kNic) {
    if (c.scale_out_bytes.value <= 0) others = {};
    out.slowdown_row = slowdown_row({.lane = lane, .nic_share = 1.0, .others = others});
    return out;
  }
  if (!beside_steps(lane)) busiest_nic_share_ = std::max(busiest_nic_share_, c.nic_share);
  out.slowdown_row =
      slowdown_row({.lane = lane, .beside = c.beside_compute, .nic_share = c.nic_share, .others = others});
  return out;
}

std::uint16_t StepTemplates::slowdown_row(const RowKey& key) {
  for (const auto& [known, row] : rows_) {
    if (known == key) return row;
  }
  const std::uint16_t row = slowdowns_.add(
      key.lane == Lane::kCompute ? compute_row(key.beside)
                                 : transfer_row(key.lane, key.beside, key.nic_share, key.others));
  rows_.emplace_back(key, row);
  return row;
}

EndpointGroup StepTemplates::data_group(const WorkItem& item, std::int64_t copies) const {
  EndpointGroup group = group_of(std::get<CommOp>(item).axis);
  group.size *= copies;
  group.nodes *= copies;
  return group;
}

void StepTemplates::note_data_share(const Segment& segment, std::int64_t copies) {
  for (const WorkItem& item : segment) {
    const EndpointGroup group = data_group(item, copies);
    if (group.size <= 1) continue;
    const CommCost c = comm_cost(std::get<CommOp>(item), group, cluster_);
    busiest_data_share_ = std::max(busiest_data_share_, c.nic_share);
  }
}

StepTemplates::Row StepTemplates::cost_data(const Segment& segment, Lane lane, std::int64_t copies) {
  Row row;
  for (const WorkItem& item : segment) {
    const EndpointGroup group = data_group(item, copies);
    if (group.size > 1) row.push_back(add_item(item, group, lane, TaskKind::kDp));
  }
  return row;
}

StepTemplates::Row StepTemplates::split_rest(Row& row) const {
  const auto reduction = std::find_if(
      row.begin(), row.end(), [&](std::uint32_t i) { return items_[i].beside == Beside::kWeightProducts; });
  if (reduction == row.end()) return {};
  Row rest(reduction + 1, row.end());
  row.erase(reduction + 1, row.end());
  return rest;
}

StepTemplates::Row StepTemplates::cost_segment(const Segment& segment, bool communication_lane) {
  Row row;
  for (const WorkItem& item : segment) {
    const auto* comm = std::get_if<CommOp>(&item);
    const Lane lane = communication_lane || comm != nullptr ? Lane::kCommunication : Lane::kCompute;
    CostedItem costed = cost(item, comm != nullptr ? group_of(comm->axis) : EndpointGroup{}, lane);
    row.push_back(static_cast<std::uint32_t>(items_.size()));
    items_.push_back(std::move(costed));
  }
  return row;
}

std::uint32_t StepTemplates::add_item(const WorkItem& item, const EndpointGroup& group, Lane lane,
                                      TaskKind kind) {
  CostedItem costed = cost(item, group, lane);
  costed.kind = kind;
  items_.push_back(std::move(costed));
  return static_cast<std::uint32_t>(items_.size() - 1);
}

std::uint32_t StepTemplates::add_copy(const char* name, double bytes, Lane lane) {
  CostedItem copy{
      .name = name, .lane = lane, .kind = TaskKind::kOffload, .duration = {}, .op_class = "host.copy"};
  copy.duration = to_sim_time(host_copy_time(Bytes{bytes}, cluster_));
  copy.bytes = bytes;
  if (host_share_ > 0) {
    const NicShares others{.communication = busiest_nic_share_, .message = 1.0, .data = busiest_data_share_};
    copy.slowdown_row = slowdown_row({.lane = lane, .nic_share = 1.0, .others = others});
  }
  items_.push_back(std::move(copy));
  return static_cast<std::uint32_t>(items_.size() - 1);
}

std::uint32_t StepTemplates::add_host_work(const char* name, double bytes) {
  CostedItem work{.name = name,
                  .lane = Lane::kHost,
                  .kind = TaskKind::kOffload,
                  .duration = {},
                  .op_class = "host.update"};
  work.duration = to_sim_time(host_work_time(Bytes{bytes}, cluster_));
  work.bytes = bytes;
  items_.push_back(std::move(work));
  return static_cast<std::uint32_t>(items_.size() - 1);
}

double StepTemplates::unit_seconds(std::size_t unit, bool with_communication) const {
  const UnitItems& u = units_[unit];
  double sum = 0;
  for (const Row* row :
       {&u.attention_f, &u.dispatch_f, &u.mlp_f, &u.combine_f, &u.recompute, &u.combine_b, &u.mlp_b,
        &u.mlp_rest, &u.dispatch_b, &u.attention_b, &u.attention_rest, &u.mlp_w, &u.attention_w}) {
    for (std::uint32_t i : *row) {
      const bool counts =
          with_communication ? holds_chain(items_[i].beside) : items_[i].lane == Lane::kCompute;
      if (counts) sum += to_seconds(items_[i].duration).value;
    }
  }
  return sum;
}

}  // namespace orrery
