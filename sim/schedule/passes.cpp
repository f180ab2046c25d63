#include "sim/schedule/passes.hpp"

namespace orrery {
namespace {

bool ends_gradient(ActionKind kind) {
  return kind == ActionKind::kBackward || kind == ActionKind::kWeightGrad;
}

}  // namespace

Schedule split_weight_gradients(const Schedule& schedule) {
  Schedule out = schedule;
  for (std::size_t r = 0; r < out.ranks.size(); ++r) {
    out.ranks[r].clear();
    for (const Step& step : schedule.ranks[r]) {
      if (step.overlapped || step.first.kind != ActionKind::kBackward) {
        out.ranks[r].push_back(step);
        continue;
      }
      for (const ActionKind half : {ActionKind::kInputGrad, ActionKind::kWeightGrad}) {
        Action action = step.first;
        action.kind = half;
        out.ranks[r].push_back(alone(action));
      }
    }
  }
  return out;
}

Schedule merge_weight_gradients(const Schedule& schedule) {
  Schedule out = schedule;
  for (std::size_t r = 0; r < out.ranks.size(); ++r) {
    out.ranks[r].clear();
    for (Step step : schedule.ranks[r]) {
      if (step.first.kind == ActionKind::kWeightGrad) continue;
      if (step.first.kind == ActionKind::kInputGrad) step.first.kind = ActionKind::kBackward;
      out.ranks[r].push_back(step);
    }
  }
  return out;
}

std::vector<std::vector<StepUse>> stage_uses(const Schedule& schedule) {
  std::vector<std::vector<StepUse>> all;
  const auto stages = static_cast<std::size_t>(schedule.stages);
  for (const std::vector<Step>& steps : schedule.ranks) {
    std::vector<StepUse> uses(steps.size());
    const auto use = [&](std::size_t s, int i) -> StageUse& {
      return i == 0 ? uses[s].first : uses[s].second;
    };
    std::vector<bool> seen(stages, false);
    for (std::size_t s = 0; s < steps.size(); ++s) {
      for (int i = 0; i < steps[s].count(); ++i) {
        const Action& a = steps[s].action(i);
        if (a.kind != ActionKind::kForward || seen[a.stage.at()]) continue;
        seen[a.stage.at()] = true;
        use(s, i).first_forward = true;
      }
    }
    seen.assign(stages, false);
    for (std::size_t s = steps.size(); s-- > 0;) {
      for (int i = steps[s].count(); i-- > 0;) {
        const Action& a = steps[s].action(i);
        if (!ends_gradient(a.kind) || seen[a.stage.at()]) continue;
        seen[a.stage.at()] = true;
        use(s, i).last_gradient = true;
      }
    }
    all.push_back(std::move(uses));
  }
  return all;
}

}  // namespace orrery
