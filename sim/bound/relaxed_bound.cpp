#include <algorithm>

#include "sim/base/check.hpp"
#include "sim/bound/step_least.hpp"
#include "sim/schedule/schedule_costs.hpp"

namespace orrery {

void relax_bound(const BoundContext& context, const ScheduleProfile& profile, const StageBounds& stages,
                 const Schedule& schedule, LayoutBound& bound) {
  const std::size_t n = stages.stages.size();
  ScheduleCosts costs;
  costs.stages.resize(n);
  if (profile.overlaps) costs.pairs.assign(n * n, {.duration = -1});
  // What a rank's last step takes without its messages, which the rank does not wait for.
  std::vector<std::int64_t> last(profile.ranks.size());
  for (std::size_t r = 0; r < profile.ranks.size(); ++r) {
    const RankProfile& rank = profile.ranks[r];
    for (std::size_t i = 0; i < rank.steps.size(); ++i) {
      const StepCount& c = rank.steps[i];
      const StepLeast least = step_least(context, stages, rank, c);
      const StepTicks ticks{.duration = least.free, .output = least.output, .gradient = least.gradient};
      if (i == rank.last_step) last[r] = least.alone;
      const auto at = static_cast<std::size_t>(c.stage);
      if (c.overlapped) {
        costs.pairs[at * n + static_cast<std::size_t>(c.second)] = ticks;
        continue;
      }
      StageCost& stage = costs.stages[at];
      switch (c.kind) {
        case ActionKind::kForward: stage.forward = ticks; break;
        case ActionKind::kBackward: stage.backward = ticks; break;
        case ActionKind::kInputGrad: stage.input_grad = ticks; break;
        case ActionKind::kWeightGrad: stage.weight_grad = ticks; break;
      }
    }
  }
  if (context.scenario.layout.messages != MessageRule::kBlocking) costs.message = stages.message;
  ScheduleTimer timer(costs);
  std::vector<std::vector<StepTime>> times;
  SIM_CHECK(timer.run(schedule, &times).runs, "the schedule does not run to its end");
  for (std::size_t r = 0; r < times.size(); ++r) {
    if (times[r].empty()) continue;
    bound.ends[r] = std::max(bound.ends[r], times[r].back().begin + last[r]);
    bound.pipeline_ps = std::max(bound.pipeline_ps, bound.ends[r]);
  }
}

}  // namespace orrery
