#include "sim/lower/step_window.hpp"

#include <algorithm>

namespace orrery {

StepPeriod step_period(const LoweredStep& step, const Timeline& timeline) {
  StepPeriod period;
  for (const TaskId end : step.pipeline_end) {
    period.ranks.push_back({.begin = {}, .end = timeline.end[end.at()]});
  }
  const auto last = std::max_element(period.ranks.begin(), period.ranks.end(),
                                     [](const auto& a, const auto& b) { return a.end < b.end; });
  period.longest_rank = static_cast<std::size_t>(last - period.ranks.begin());
  for (std::size_t t = step.tail_begin.at(); t < timeline.graph.task_count(); ++t) {
    StepWindow& window = period.ranks[rank_of_lane(timeline.graph.lane(TaskId{t})).at()];
    window.end = std::max(window.end, timeline.end[t]);
  }
  period.length = timeline.makespan;
  if (step.barrier) return period;
  period.length = {};
  for (std::size_t r = 0; r < period.ranks.size(); ++r) {
    StepWindow& window = period.ranks[r];
    if (step.rank_begin[r] < step.rank_begin[r + 1])
      window.begin = timeline.end[step.steps[step.rank_begin[r]].begin.at()];
    if (window.end - window.begin <= period.length) continue;
    period.length = window.end - window.begin;
    period.longest_rank = r;
  }
  return period;
}

}  // namespace orrery
