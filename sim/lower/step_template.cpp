#include "sim/lower/step_template.hpp"

#include <algorithm>

#include "sim/cost/comm_cost.hpp"
#include "sim/cost/compute_cost.hpp"
#include "sim/engine/engine.hpp"
#include "sim/engine/task_graph_builder.hpp"

namespace orrery {
namespace {

constexpr std::size_t bit(Lane lane) {
  return std::size_t{1} << static_cast<std::size_t>(lane);
}

/// A compute kernel is slowed while the communication lane is busy.
SlowdownRow compute_row(double beside_communication) {
  SlowdownRow row;
  for (std::size_t mask = 0; mask < row.size(); ++mask) {
    row[mask] = to_slowdown((mask & bit(Lane::kCommunication)) != 0 ? beside_communication : 1.0);
  }
  return row;
}

/// A communication kernel is slowed by compute and, through the NIC, by a message. Slowed by compute it asks
/// for less of the NIC.
SlowdownRow communication_row(double beside_compute, double nic_share) {
  SlowdownRow row;
  for (std::size_t mask = 0; mask < row.size(); ++mask) {
    double factor = (mask & bit(Lane::kCompute)) != 0 ? beside_compute : 1.0;
    if ((mask & bit(Lane::kNic)) != 0) factor *= nic_slowdown(nic_share / factor, 1.0);
    row[mask] = to_slowdown(factor);
  }
  return row;
}

/// A message shares the NIC with communication, whatever that is at the moment, so the busiest kind counts;
/// it keeps at least half.
SlowdownRow nic_row(double share_of_others) {
  SlowdownRow row;
  for (std::size_t mask = 0; mask < row.size(); ++mask) {
    row[mask] =
        to_slowdown((mask & bit(Lane::kCommunication)) != 0 ? nic_slowdown(1.0, share_of_others) : 1.0);
  }
  return row;
}

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

/// Position in a chain of dependent tasks: the last one, and its lane.
struct StepTemplates::Chain {
  std::int32_t last = -1;
};

/// Appends rows of items to a template; an item waits for the one before it in its chain.
class StepTemplates::Emitter {
 public:
  Emitter(const std::vector<CostedItem>& items, StepTemplate& out) : items_(items), out_(out) {}

  void row(const Row& row, Chain& chain) {
    for (std::uint32_t item : row) {
      const bool other_lane = chain.last >= 0 && lane_of(chain.last) != items_[item].lane;
      const auto index = static_cast<std::int32_t>(out_.tasks.size());
      out_.tasks.push_back({.item = item, .after = other_lane ? chain.last : -1});
      if (out_.first_other < 0 && items_[item].lane == Lane::kCommunication) out_.first_other = index;
      chain.last = index;
    }
  }
  StepTemplate& out() { return out_; }

 private:
  [[nodiscard]] Lane lane_of(std::int32_t task) const {
    return items_[out_.tasks[static_cast<std::size_t>(task)].item].lane;
  }
  const std::vector<CostedItem>& items_;
  StepTemplate& out_;
};

StepTemplates::StepTemplates(const Workload& workload, const RankMap& ranks, const ClusterProfile& cluster,
                             std::int64_t compute_sms)
    : workload_(workload), ranks_(ranks), cluster_(cluster), compute_sms_(compute_sms) {
  for (const UnitWork& unit : workload.units) {
    const LayerWork& w = unit.work;
    units_.push_back({.attention_f = cost_segment(w.attention_f, false),
                      .dispatch_f = cost_segment(w.dispatch_f, true),
                      .mlp_f = cost_segment(w.mlp_f, false),
                      .combine_f = cost_segment(w.combine_f, true),
                      .recompute = cost_segment(w.recompute, false),
                      .combine_b = cost_segment(w.combine_b, true),
                      .mlp_b = cost_segment(w.mlp_b, false),
                      .dispatch_b = cost_segment(w.dispatch_b, true),
                      .attention_b = cost_segment(w.attention_b, false),
                      .mlp_w = cost_segment(w.mlp_w, false),
                      .attention_w = cost_segment(w.attention_w, false)});
  }
}

EndpointGroup StepTemplates::group_of(Axis axis) const {
  const GroupSpan span = ranks_.span(GpuId{0}, axis);
  return {.size = span.size, .per_node = span.per_node, .nodes = span.nodes};
}

std::uint16_t StepTemplates::slowdown_row(Lane lane, double beside, double nic_share) {
  for (const MadeRow& made : made_rows_) {
    if (made.lane == lane && made.beside == beside && made.nic_share == nic_share) return made.row;
  }
  const SlowdownRow row = lane == Lane::kCompute ? compute_row(beside)
                          : lane == Lane::kNic   ? nic_row(nic_share)
                                                 : communication_row(beside, nic_share);
  made_rows_.push_back({lane, beside, nic_share, slowdowns_.add(row)});
  return made_rows_.back().row;
}

CostedItem StepTemplates::cost(const WorkItem& item, const EndpointGroup& group, Lane lane) {
  CostedItem out;
  out.lane = lane;
  if (const auto* op = std::get_if<Op>(&item)) {
    // Casts that belong to an exchange run on the communication lane, but not on the few SMs of its kernels.
    const OpCost c = op_cost(*op, cluster_.gpu, compute_sms_);
    out.name = op->name;
    out.kind = op->recompute ? TaskKind::kRecompute : TaskKind::kCompute;
    out.duration = to_sim_time(c.alone);
    out.slowdown_row =
        lane == Lane::kCompute ? slowdown_row(lane, c.beside_communication, 0) : std::uint16_t{0};
    out.flops = op->flops;
    out.bytes = op->bytes;
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
  out.op_class = std::string("communication.") + to_text(op.kind);
  if (lane == Lane::kNic) {
    out.slowdown_row = slowdown_row(lane, 1, c.scale_out_bytes.value > 0 ? busiest_nic_share_ : 0.0);
  } else {
    busiest_nic_share_ = std::max(busiest_nic_share_, c.nic_share);
    out.slowdown_row = slowdown_row(lane, c.beside_compute, c.nic_share);
  }
  return out;
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

double StepTemplates::unit_seconds(std::size_t unit, bool with_communication) const {
  const UnitItems& u = units_[unit];
  double sum = 0;
  for (const Row* row : {&u.attention_f, &u.dispatch_f, &u.mlp_f, &u.combine_f, &u.recompute, &u.combine_b,
                         &u.mlp_b, &u.dispatch_b, &u.attention_b, &u.mlp_w, &u.attention_w}) {
    for (std::uint32_t i : *row) {
      if (with_communication || items_[i].lane == Lane::kCompute) sum += to_seconds(items_[i].duration).value;
    }
  }
  return sum;
}

void StepTemplates::emit_forward(Emitter& out, const std::vector<std::size_t>& units) const {
  Chain chain;
  for (std::size_t u : units) {
    for (const Row* row :
         {&units_[u].attention_f, &units_[u].dispatch_f, &units_[u].mlp_f, &units_[u].combine_f}) {
      out.row(*row, chain);
    }
  }
  out.out().forward_end = chain.last;
}

void StepTemplates::emit_backward(Emitter& out, const std::vector<std::size_t>& units, bool input,
                                  bool weight) const {
  Chain chain;
  for (auto u = units.rbegin(); u != units.rend(); ++u) {
    const UnitItems& unit = units_[*u];
    if (input) {
      for (const Row* row : {&unit.recompute, &unit.combine_b, &unit.mlp_b}) out.row(*row, chain);
    }
    // The weight gradients of the MLP fill the time while its input gradient is on the way back.
    if (input) out.row(unit.dispatch_b, chain);
    Chain weights{.last = -1};
    if (weight) out.row(unit.mlp_w, weights);
    if (input) out.row(unit.attention_b, chain);
    // The embedding has no other gradient: it waits for the one that arrives at it.
    if (weights.last < 0) weights = chain;
    if (weight) out.row(unit.attention_w, weights);
  }
  // A whole backward sends when all of it is done, as Megatron-LM and the published DualPipe code do.
  if (input)
    out.out().gradient_end = weight ? static_cast<std::int32_t>(out.out().tasks.size()) - 1 : chain.last;
}

void StepTemplates::emit_pair(Emitter& out, const std::vector<std::size_t>& forward,
                              const std::vector<std::size_t>& backward, std::size_t shift) const {
  Chain f;
  Chain b;
  // The shorter row starts `shift` places later.
  const std::size_t f0 = forward.size() < backward.size() ? shift : 0;
  const std::size_t b0 = backward.size() < forward.size() ? shift : 0;
  const std::size_t n = std::max(forward.size(), backward.size());
  static const UnitItems kNone{};
  for (std::size_t i = 0; i < n; ++i) {
    const bool has_f = i >= f0 && i - f0 < forward.size();
    const bool has_b = i >= b0 && i - b0 < backward.size();
    const UnitItems& uf = has_f ? units_[forward[i - f0]] : kNone;
    const UnitItems& ub = has_b ? units_[backward[backward.size() - 1 - (i - b0)]] : kNone;
    Chain weights;
    // Issue order of the published training trace: combine(B) attn(F) mlp(B) dispatch(F) dispatch(B) mlp(W)
    // mlp(F) attn(B) attn(W) combine(F).
    out.row(ub.recompute, b);
    out.row(ub.combine_b, b);
    out.row(uf.attention_f, f);
    out.row(ub.mlp_b, b);
    out.row(uf.dispatch_f, f);
    out.row(ub.dispatch_b, b);
    out.row(ub.mlp_w, weights);
    out.row(uf.mlp_f, f);
    out.row(ub.attention_b, b);
    if (weights.last < 0) weights = b;
    out.row(ub.attention_w, weights);
    out.row(uf.combine_f, f);
  }
  out.out().forward_end = f.last;
  out.out().gradient_end = b.last;
}

/// A template alone on the machine; its tasks have the template's numbers.
Timeline StepTemplates::alone(const StepTemplate& t) const {
  TaskGraphBuilder builder;
  const GroupId group = builder.add_group();
  for (int lane = 0; lane < kLaneCount; ++lane) builder.add_lane("", group);
  for (const TemplateTask& task : t.tasks) {
    const CostedItem& item = items_[task.item];
    const TaskId id = builder.add_task({.lane = ResourceId{static_cast<std::int32_t>(item.lane)},
                                        .duration = item.duration,
                                        .name = {},
                                        .slowdown_row = item.slowdown_row});
    if (task.after >= 0) builder.add_dependency(TaskId{task.after}, id);
  }
  builder.set_slowdowns(slowdowns_);
  return run(std::move(builder).freeze());
}

TemplateTimes StepTemplates::times_alone(std::size_t index) const {
  const StepTemplate& t = templates_[index];
  if (t.tasks.empty()) return {.duration = t.host, .output = {}, .gradient = {}};
  const Timeline timeline = alone(t);
  const auto end = [&](std::int32_t task) {
    return task < 0 ? SimTime{} : timeline.end[static_cast<std::size_t>(task)];
  };
  return {.duration = std::max(timeline.makespan, t.host),
          .output = end(t.forward_end),
          .gradient = end(t.gradient_end)};
}

/// The two rows of units meet in the published order; where one is longer, the shift that takes least time.
StepTemplate StepTemplates::build_pair(const std::vector<std::size_t>& forward,
                                       const std::vector<std::size_t>& backward) const {
  const std::size_t longer = std::max(forward.size(), backward.size());
  const std::size_t shifts = longer - std::min(forward.size(), backward.size()) + 1;
  StepTemplate best;
  SimTime best_time = kNever;
  for (std::size_t shift = 0; shift < shifts; ++shift) {
    StepTemplate candidate;
    Emitter out(items_, candidate);
    emit_pair(out, forward, backward, shift);
    const SimTime time = shifts == 1 ? SimTime{} : alone(candidate).makespan;
    if (time < best_time) {
      best_time = time;
      best = std::move(candidate);
    }
  }
  return best;
}

StepTemplate StepTemplates::build(const Step& step) const {
  StepTemplate result;
  const std::vector<std::size_t>& units = workload_.stages[step.first.stage.at()].units;
  if (step.overlapped) {
    result = build_pair(units, workload_.stages[step.second.stage.at()].units);
  } else {
    Emitter out(items_, result);
    switch (step.first.kind) {
      case ActionKind::kForward: emit_forward(out, units); break;
      case ActionKind::kBackward: emit_backward(out, units, true, true); break;
      case ActionKind::kInputGrad: emit_backward(out, units, true, false); break;
      case ActionKind::kWeightGrad: emit_backward(out, units, false, true); break;
    }
  }
  result.host =
      to_sim_time(Seconds{cluster_.gpu.host_launch_s.value * static_cast<double>(result.tasks.size())});
  return result;
}

std::size_t StepTemplates::template_of(const Step& step) {
  const TemplateKey key{static_cast<std::int32_t>(step.first.kind), step.first.stage.value,
                        step.overlapped ? step.second.stage.value : -1};
  const auto [found, made] = template_of_.try_emplace(key, templates_.size());
  if (made) templates_.push_back(build(step));
  return found->second;
}

}  // namespace orrery
