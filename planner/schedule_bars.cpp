#include "planner/schedule_bars.hpp"

#include <algorithm>

#include "sim/engine/timeline.hpp"
#include "sim/lower/lower.hpp"

namespace orrery {
namespace {

BarKind bar_of(ActionKind kind) {
  switch (kind) {
    case ActionKind::kForward: return BarKind::kForward;
    case ActionKind::kBackward: return BarKind::kBackward;
    case ActionKind::kInputGrad: return BarKind::kInputGrad;
    case ActionKind::kWeightGrad: return BarKind::kWeightGrad;
  }
  return BarKind::kForward;
}

}  // namespace

ScheduleBars schedule_bars(const LoweredStep& step, const Timeline& timeline) {
  ScheduleBars bars{.makespan_ps = timeline.makespan.ps, .ranks = {}};
  bars.ranks.resize(static_cast<std::size_t>(step.ranks));
  std::vector<std::int64_t> last(bars.ranks.size(), 0);
  for (const PlacedStep& placed : step.steps) {
    const std::int64_t begin = timeline.end[placed.begin.at()].ps;
    const std::int64_t end = end_of(placed, step, timeline).ps;
    bars.ranks[placed.rank.at()].push_back({.kind = bar_of(placed.step.first.kind),
                                            .second = bar_of(placed.step.second.kind),
                                            .pair = placed.step.overlapped,
                                            .begin_ps = begin,
                                            .end_ps = end});
    last[placed.rank.at()] = end;
  }
  for (std::size_t t = step.tail_begin.at(); t < timeline.graph.task_count(); ++t) {
    if (timeline.end[t] == timeline.start[t]) continue;
    const std::size_t rank = rank_of_lane(timeline.graph.lane(TaskId{t})).at();
    bars.ranks[rank].push_back({.kind = BarKind::kTail,
                                .begin_ps = std::max(last[rank], timeline.start[t].ps),
                                .end_ps = timeline.end[t].ps});
  }
  return bars;
}

}  // namespace orrery
