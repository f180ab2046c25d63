#include "sim/schedule/schedule_costs.hpp"

#include <algorithm>

namespace orrery {
namespace {

constexpr std::size_t kWaitsForNothing = static_cast<std::size_t>(-1);

}  // namespace

StepTicks ScheduleCosts::ticks(const Step& step) const {
  if (step.overlapped) return pair(step.first.stage, step.second.stage);
  const StageCost& stage = stages[step.first.stage.at()];
  switch (step.first.kind) {
    case ActionKind::kForward: return stage.forward;
    case ActionKind::kInputGrad: return stage.input_grad;
    case ActionKind::kWeightGrad: return stage.weight_grad;
    case ActionKind::kBackward: break;
  }
  return stage.backward;
}

/// Whether all inputs are known; then when the step begins and why. Else notes what the rank waits for.
bool ScheduleTimer::inputs_of(const Schedule& schedule, const Step& step, Rank& rank, StepTime& time) const {
  time = {.begin = rank.free, .end = 0, .cause = StepCause::kRank};
  for (int i = 0; i < step.count(); ++i) {
    const Action& action = step.action(i);
    const std::size_t slot = schedule.slot(action.stage, action.microbatch);
    if (action.kind == ActionKind::kWeightGrad) {
      rank.waits_for = kWaitsForNothing;
      return slots_[slot].weight_input;
    }
    const bool forward = action.kind == ActionKind::kForward;
    const std::int64_t there = forward ? slots_[slot].forward_input : slots_[slot].backward_input;
    if (there < 0) {
      rank.waits_for = 2 * slot + (forward ? 0 : 1);
      return false;
    }
    if (there <= time.begin) continue;
    time.begin = there;
    time.cause = i == 0 ? StepCause::kFirstInput : StepCause::kSecondInput;
  }
  return true;
}

void ScheduleTimer::hold(const Action& action, std::size_t rank) {
  const StageCost& stage = costs_.stages[action.stage.at()];
  std::int64_t& units = ranks_[rank].units;
  switch (action.kind) {
    case ActionKind::kForward: units += stage.kept; break;
    case ActionKind::kBackward: units -= stage.kept; break;
    case ActionKind::kInputGrad: units += stage.deferred - stage.kept; break;
    case ActionKind::kWeightGrad: units -= stage.deferred; break;
  }
  result_.peak_units[rank] = std::max(result_.peak_units[rank], units);
}

void ScheduleTimer::deliver(const Schedule& schedule, const Action& action, StageId to, std::size_t rank,
                            std::int64_t ready, StepTime& time) {
  const bool forward = action.kind == ActionKind::kForward;
  const std::size_t slot = schedule.slot(to, action.microbatch);
  const std::size_t target = schedule.owner[slot].at();
  std::int64_t arrival = ready;
  if (target != rank) {
    Rank& from = ranks_[rank];
    arrival = std::max(ready, from.nic_free) + costs_.message;
    from.nic_free = arrival;
    if (costs_.blocking) time.end = std::max(time.end, arrival);
  }
  (forward ? slots_[slot].forward_input : slots_[slot].backward_input) = arrival;
  if (ranks_[target].waits_for == 2 * slot + (forward ? 0 : 1)) {
    ranks_[target].waits_for = kWaitsForNothing;
    if (target != rank) runnable_.push_back(target);
  }
}

void ScheduleTimer::finish(const Schedule& schedule, const Step& step, std::size_t rank, StepTime& time) {
  const StepTicks ticks = costs_.ticks(step);
  time.end = time.begin + ticks.duration;
  for (int i = 0; i < step.count(); ++i) {
    const Action& action = step.action(i);
    hold(action, rank);
    if (action.kind == ActionKind::kForward) {
      // The last stage turns round: what its backward needs is its own forward.
      if (action.stage.value + 1 == schedule.stages) {
        slots_[schedule.slot(action.stage, action.microbatch)].backward_input = time.begin;
      } else {
        deliver(schedule, action, StageId{action.stage.value + 1}, rank, time.begin + ticks.output, time);
      }
    } else if (is_backward(action.kind)) {
      slots_[schedule.slot(action.stage, action.microbatch)].weight_input = true;
      if (action.stage.value > 0) {
        deliver(schedule, action, StageId{action.stage.value - 1}, rank, time.begin + ticks.gradient, time);
      }
    }
  }
  ranks_[rank].free = time.end;
}

const Evaluation& ScheduleTimer::run(const Schedule& schedule, std::vector<std::vector<StepTime>>* times) {
  slots_.assign(schedule.owner.size(), {});
  ranks_.assign(schedule.ranks.size(), {.waits_for = kWaitsForNothing});
  result_.peak_units.assign(schedule.ranks.size(), 0);
  result_.runs = result_.fits = true;
  result_.makespan = 0;
  for (int m = 0; m < schedule.microbatches; ++m)
    slots_[schedule.slot(StageId{0}, MicrobatchId{m})].forward_input = 0;
  if (times != nullptr) times->resize(schedule.ranks.size());
  runnable_.clear();
  for (std::size_t rank = schedule.ranks.size(); rank-- > 0;) {
    runnable_.push_back(rank);
    if (times != nullptr) (*times)[rank].resize(schedule.ranks[rank].size());
  }
  while (!runnable_.empty()) {
    const std::size_t r = runnable_.back();
    runnable_.pop_back();
    const std::vector<Step>& steps = schedule.ranks[r];
    Rank& rank = ranks_[r];
    StepTime time;
    for (; rank.next < steps.size(); ++rank.next) {
      const Step& step = steps[rank.next];
      if (step.overlapped && costs_.ticks(step).duration < 0) break;
      if (!inputs_of(schedule, step, rank, time)) break;
      finish(schedule, step, r, time);
      if (times != nullptr) (*times)[r][rank.next] = time;
    }
  }
  for (std::size_t r = 0; r < ranks_.size(); ++r) {
    result_.runs = result_.runs && ranks_[r].next == schedule.ranks[r].size();
    result_.fits = result_.fits && costs_.within_limit(r, result_.peak_units[r]);
    result_.makespan = std::max(result_.makespan, ranks_[r].free + costs_.tail_of(r));
  }
  return result_;
}

Evaluation evaluate(const Schedule& schedule, const ScheduleCosts& costs) {
  ScheduleTimer timer(costs);
  return timer.run(schedule);
}

}  // namespace orrery
