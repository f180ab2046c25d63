#include "sim/lower/step_template.hpp"

#include <algorithm>
#include <utility>

#include "sim/engine/engine.hpp"
#include "sim/engine/task_graph_builder.hpp"
#include "sim/workload/offload.hpp"

namespace orrery {
/// Position in a chain of dependent tasks: the last one, and what its next kernel needs of weights and of the
/// host.
struct StepTemplates::Chain {
  std::int32_t last = -1;
  std::int32_t gather = -1;
  std::int32_t host = -1;
  std::int32_t input = -1;    ///< a gather that the last part of the product at work waits for
  std::int32_t part = -1;     ///< the first part of the product at work
  std::int32_t weights = -1;  ///< a gather that the next weight gradient waits for
};

/// Data-parallel traffic of one action's units.
struct StepTemplates::Traffic {
  bool gather = false, reduce = false;
};

/// Appends rows of items to a template; an item waits for the one before it in its chain.
class StepTemplates::Emitter {
 public:
  Emitter(const std::vector<CostedItem>& items, bool gathers_often, bool offload, StepTemplate& out)
      : items_(items), gathers_often_(gathers_often), counts_units_(gathers_often || offload), out_(out) {}

  void row(const Row& row, Chain& chain) {
    for (std::uint32_t item : row) {
      const Lane lane = items_[item].lane;
      const Beside beside = items_[item].beside;
      const bool other_lane = chain.last >= 0 && lane_of(chain.last) != lane;
      const auto index = append({.item = item, .after = other_lane ? chain.last : -1});
      if (lane == Lane::kCompute) {
        out_.tasks.back().also = std::exchange(beside == Beside::kLastPart ? chain.input : chain.gather, -1);
        out_.tasks.back().host = std::exchange(chain.host, -1);
        last_kernel_ = index;
        if (beside == Beside::kFirstPart) chain.part = index;
      }
      if (out_.first_other < 0 && lane == Lane::kCommunication) out_.first_other = index;
      if (beside == Beside::kNextProduct) {
        chain.input = index;
      } else if (beside == Beside::kForWeights) {
        chain.weights = index;
      } else {
        if (beside == Beside::kPreviousProduct) out_.tasks.back().after = std::exchange(chain.part, -1);
        chain.last = index;
      }
    }
  }

  /// Weight gradients of a unit beside `chain`, in a chain of their own.
  void weights(const Row& row, Chain& chain, Chain& weights) {
    if (row.empty()) return;
    if (chain.weights >= 0) weights.last = std::exchange(chain.weights, -1);
    this->row(row, weights);
  }

  /// The weights of the chain's next unit. Gathered at every use, they have room for one unit besides the one
  /// at work: a gather waits for the end of the last unit but one.
  void gather(const Row& row, Chain& chain) {
    std::int32_t after = gathers_often_ ? room_for_next() : -1;
    for (std::uint32_t item : row) {
      chain.gather = append({.item = item, .after = after});
      after = -1;
    }
  }

  /// The activations of the chain's next unit come back, one unit ahead of the one at work.
  void fetch(std::uint32_t item, Chain& chain) {
    chain.host = append({.item = item, .after = room_for_next()});
    if (out_.first_fetch < 0) out_.first_fetch = chain.host;
  }

  /// The chain's next unit makes activations: there is room for those of one unit besides, on their way out.
  void make_room(Chain& chain) {
    chain.host = out_.stores[0];
    if (chain.host < 0) chain.host = out_.stores[1] < 0 ? kAfterLastStoreButOne : kAfterLastStore;
  }
  void store(std::uint32_t item, const Chain& chain) {
    out_.stores = {out_.stores[1], append({.item = item, .after = chain.last})};
  }

  /// The chain's unit has ended with `row` to send.
  void end_unit(const Row& row) {
    std::int32_t after = last_kernel_;
    for (std::uint32_t item : row) {
      append({.item = item, .after = after});
      after = -1;
    }
    if (!counts_units_) return;
    ++units_;
    out_.unit_ends = {out_.unit_ends[1], last_kernel_};
  }

  StepTemplate& out() { return out_; }

 private:
  std::int32_t append(const TemplateTask& task) {
    out_.tasks.push_back(task);
    return static_cast<std::int32_t>(out_.tasks.size()) - 1;
  }
  /// What arrives for the next unit has room when the last unit but one has ended.
  [[nodiscard]] std::int32_t room_for_next() const {
    if (out_.unit_ends[0] >= 0) return out_.unit_ends[0];
    return units_ == 0 ? kAfterLastUnitButOne : kAfterLastUnit;
  }
  [[nodiscard]] Lane lane_of(std::int32_t task) const {
    return items_[out_.tasks[static_cast<std::size_t>(task)].item].lane;
  }
  const std::vector<CostedItem>& items_;
  bool gathers_often_, counts_units_;
  StepTemplate& out_;
  std::int32_t last_kernel_ = -1;
  int units_ = 0;
};

StepTemplates::Traffic StepTemplates::traffic_of(const Action& action, const StageUse& use) const {
  const bool forward = action.kind == ActionKind::kForward;
  const bool needs_weights = action.kind != ActionKind::kWeightGrad;
  const bool ends_gradient = action.kind == ActionKind::kBackward || action.kind == ActionKind::kWeightGrad;
  return {.gather = (data_.gather == DataTraffic::kEveryUse && needs_weights) ||
                    (data_.gather == DataTraffic::kOnce && forward && use.first_forward),
          .reduce = (data_.reduce == DataTraffic::kEveryUse && ends_gradient) ||
                    (data_.reduce == DataTraffic::kOnce && ends_gradient && use.last_gradient)};
}

/// Whether an earlier unit of the stage has the same weights: the heads of MTP modules are the main head.
bool StepTemplates::shares_head(const std::vector<std::size_t>& units, std::size_t i) const {
  if (workload_.units[units[i]].kind != UnitKind::kHead) return false;
  return std::find(units.begin(), units.begin() + static_cast<std::ptrdiff_t>(i), units[i]) !=
         units.begin() + static_cast<std::ptrdiff_t>(i);
}

bool StepTemplates::leaves(const std::vector<std::size_t>& units, std::size_t i) const {
  return offload_ &&
         can_leave([&](std::size_t unit) { return workload_.units[units[unit]].kind; }, units.size(), i);
}

void StepTemplates::await_fetch(Emitter& out, const std::vector<std::size_t>& units, std::size_t i,
                                Chain& chain) const {
  if (leaves(units, i)) out.fetch(units_[units[i]].fetch, chain);
}

void StepTemplates::store(Emitter& out, const std::vector<std::size_t>& units, std::size_t i,
                          const Chain& chain) const {
  if (leaves(units, i)) out.store(units_[units[i]].store, chain);
}

void StepTemplates::emit_forward(Emitter& out, const std::vector<std::size_t>& units,
                                 const Traffic& traffic) const {
  Chain chain;
  for (std::size_t i = 0; i < units.size(); ++i) {
    const UnitItems& unit = units_[units[i]];
    if (traffic.gather && !shares_head(units, i)) out.gather(unit.gather, chain);
    if (leaves(units, i)) out.make_room(chain);
    for (const Row* row : {&unit.attention_f, &unit.dispatch_f, &unit.mlp_f, &unit.combine_f}) {
      out.row(*row, chain);
    }
    store(out, units, i, chain);
    out.end_unit({});
  }
  out.out().forward_end = chain.last;
}

void StepTemplates::emit_backward(Emitter& out, const std::vector<std::size_t>& units, ActionKind kind,
                                  const Traffic& traffic) const {
  const bool input = kind != ActionKind::kWeightGrad;
  const bool weight = kind != ActionKind::kInputGrad;
  Chain chain;
  for (std::size_t i = units.size(); i-- > 0;) {
    const UnitItems& unit = units_[units[i]];
    if (traffic.gather && !shares_head(units, i)) out.gather(unit.gather, chain);
    if (input) await_fetch(out, units, i, chain);
    if (input) {
      for (const Row* row : {&unit.recompute, &unit.combine_b, &unit.mlp_b}) out.row(*row, chain);
    }
    // The weight gradients of the MLP fill the time while its input gradient is on the way back.
    if (input) out.row(unit.dispatch_b, chain);
    Chain weights;
    if (weight) out.weights(unit.mlp_w, chain, weights);
    if (input) out.row(unit.mlp_rest, chain);
    if (input) out.row(unit.attention_b, chain);
    // The embedding has no other gradient: it waits for the one that arrives at it.
    if (weights.last < 0) weights.last = chain.last;
    if (weight) out.weights(unit.attention_w, chain, weights);
    if (input) out.row(unit.attention_rest, chain);
    out.end_unit(traffic.reduce && !shares_head(units, i) ? unit.reduce : Row{});
  }
  if (!input) return;
  // A whole backward sends when all of it is done, as Megatron-LM and the published DualPipe code do.
  out.out().gradient_end = chain.last;
  if (!weight) return;
  for (auto t = static_cast<std::int32_t>(out.out().tasks.size()); t-- > 0;) {
    if (beside_steps(items_[out.out().tasks[static_cast<std::size_t>(t)].item].lane)) continue;
    out.out().gradient_end = t;
    break;
  }
}

void StepTemplates::emit_pair(Emitter& out, const std::vector<std::size_t>& forward,
                              const std::vector<std::size_t>& backward, std::size_t shift,
                              const std::array<Traffic, 2>& traffic) const {
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
    const std::size_t fi = has_f ? i - f0 : 0;
    const std::size_t bi = has_b ? backward.size() - 1 - (i - b0) : 0;
    const UnitItems& uf = has_f ? units_[forward[fi]] : kNone;
    const UnitItems& ub = has_b ? units_[backward[bi]] : kNone;
    if (has_b && traffic[1].gather && !shares_head(backward, bi)) out.gather(ub.gather, b);
    if (has_f && traffic[0].gather && !shares_head(forward, fi)) out.gather(uf.gather, f);
    if (has_b) await_fetch(out, backward, bi, b);
    if (has_f && leaves(forward, fi)) out.make_room(f);
    Chain weights;
    // Issue order of the published training trace: combine(B) attn(F) mlp(B) dispatch(F) dispatch(B) mlp(W)
    // mlp(F) attn(B) attn(W) combine(F).
    out.row(ub.recompute, b);
    out.row(ub.combine_b, b);
    out.row(uf.attention_f, f);
    out.row(ub.mlp_b, b);
    out.row(uf.dispatch_f, f);
    out.row(ub.dispatch_b, b);
    out.weights(ub.mlp_w, b, weights);
    out.row(ub.mlp_rest, b);
    out.row(uf.mlp_f, f);
    out.row(ub.attention_b, b);
    if (weights.last < 0) weights.last = b.last;
    out.weights(ub.attention_w, b, weights);
    out.row(ub.attention_rest, b);
    out.row(uf.combine_f, f);
    if (has_f) store(out, forward, fi, f);
    out.end_unit(has_b && traffic[1].reduce && !shares_head(backward, bi) ? ub.reduce : Row{});
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
    if (task.also >= 0) builder.add_dependency(TaskId{task.also}, id);
    if (task.host >= 0) builder.add_dependency(TaskId{task.host}, id);
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
  SimTime last;
  for (std::size_t i = 0; i < t.tasks.size(); ++i) {
    if (!beside_steps(items_[t.tasks[i].item].lane)) last = std::max(last, timeline.end[i]);
  }
  return {.duration = std::max(last, t.host), .output = end(t.forward_end), .gradient = end(t.gradient_end)};
}

/// The two rows of units meet in the published order; where one is longer, the shift that takes least time.
StepTemplate StepTemplates::build_pair(const std::vector<std::size_t>& forward,
                                       const std::vector<std::size_t>& backward,
                                       const std::array<Traffic, 2>& traffic) const {
  const std::size_t longer = std::max(forward.size(), backward.size());
  const std::size_t shifts = longer - std::min(forward.size(), backward.size()) + 1;
  StepTemplate best;
  SimTime best_time = kNever;
  for (std::size_t shift = 0; shift < shifts; ++shift) {
    StepTemplate candidate;
    Emitter out(items_, data_.gather == DataTraffic::kEveryUse, offload_, candidate);
    emit_pair(out, forward, backward, shift, traffic);
    const SimTime time = shifts == 1 ? SimTime{} : alone(candidate).makespan;
    if (time < best_time) {
      best_time = time;
      best = std::move(candidate);
    }
  }
  return best;
}

StepTemplate StepTemplates::build(const Step& step, const StepUse& use) const {
  StepTemplate result;
  const std::vector<std::size_t>& units = workload_.stages[step.first.stage.at()].units;
  const Traffic first = traffic_of(step.first, use.first);
  if (step.overlapped) {
    result = build_pair(units, workload_.stages[step.second.stage.at()].units,
                        {first, traffic_of(step.second, use.second)});
  } else {
    Emitter out(items_, data_.gather == DataTraffic::kEveryUse, offload_, result);
    if (step.first.kind == ActionKind::kForward) {
      emit_forward(out, units, first);
    } else {
      emit_backward(out, units, step.first.kind, first);
    }
  }
  std::int64_t calls = 0;
  for (const TemplateTask& task : result.tasks) calls += items_[task.item].host_calls;
  result.host = to_sim_time(Seconds{cluster_.gpu.host_launch_s.value * static_cast<double>(calls)});
  return result;
}

std::int32_t StepTemplates::same_stage(StageId stage) {
  const std::vector<StageUnits>& stages = workload_.stages;
  if (same_stage_.size() != stages.size()) {
    same_stage_.clear();
    for (const StageUnits& s : stages) {
      const auto same = std::find_if(stages.begin(), stages.end(),
                                     [&](const StageUnits& other) { return other.units == s.units; });
      same_stage_.push_back(static_cast<std::int32_t>(same - stages.begin()));
    }
  }
  return same_stage_[stage.at()];
}

std::size_t StepTemplates::template_of(const Step& step, const StepUse& use) {
  const bool once = data_.gather == DataTraffic::kOnce || data_.reduce == DataTraffic::kOnce;
  const TemplateKey key{static_cast<std::int32_t>(step.first.kind), same_stage(step.first.stage),
                        step.overlapped ? same_stage(step.second.stage) : -1, once ? use.bits() : 0};
  const auto [found, made] = template_of_.try_emplace(key, templates_.size());
  if (made) templates_.push_back(build(step, use));
  return found->second;
}

}  // namespace orrery
