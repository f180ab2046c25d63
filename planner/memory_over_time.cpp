#include "planner/memory_over_time.hpp"

#include <algorithm>

#include "sim/base/check.hpp"
#include "sim/engine/timeline.hpp"
#include "sim/plan.hpp"

namespace orrery {
namespace {

struct StageBytes {
  double kept = 0;
  double deferred = 0;
};

std::vector<StageBytes> stage_bytes(const Workload& workload) {
  std::vector<StageBytes> all;
  for (const StageUnits& stage : workload.stages) {
    StageBytes s;
    for (std::size_t u : stage.units) {
      s.kept += workload.units[u].kept_bytes;
      s.deferred += workload.units[u].deferred_bytes;
    }
    all.push_back(s);
  }
  return all;
}

class Walk {
 public:
  Walk(const LoweredStep& step, const Timeline& timeline, const std::vector<StageBytes>& stages)
      : step_(step), timeline_(timeline), stages_(stages) {}

  MemoryOverTime rank(std::size_t r) {
    out_ = {.fixed = 0, .t_ps = {0}, .activations = {0}};
    for (std::size_t s = step_.rank_begin[r]; s < step_.rank_begin[r + 1]; ++s) follow(step_.steps[s]);
    return std::move(out_);
  }

 private:
  void follow(const PlacedStep& placed) {
    const std::int64_t begin = timeline_.end[placed.begin.at()].ps;
    const std::int64_t end = end_of(placed, step_, timeline_).ps;
    for (int i = 0; i < placed.step.count(); ++i) {
      const Action& action = placed.step.action(i);
      const StageBytes& s = stages_[action.stage.at()];
      switch (action.kind) {
        case ActionKind::kForward: change(begin, s.kept); break;
        case ActionKind::kBackward: change(end, -s.kept); break;
        case ActionKind::kInputGrad: change(end, s.deferred - s.kept); break;
        case ActionKind::kWeightGrad: change(end, -s.deferred); break;
      }
    }
  }

  void change(std::int64_t t, double by) {
    out_.t_ps.push_back(t);
    out_.activations.push_back(std::max(0.0, out_.activations.back() + by));
  }

  const LoweredStep& step_;
  const Timeline& timeline_;
  const std::vector<StageBytes>& stages_;
  MemoryOverTime out_;
};

}  // namespace

double MemoryOverTime::peak() const {
  return fixed + (activations.empty() ? 0 : *std::max_element(activations.begin(), activations.end()));
}

std::vector<MemoryOverTime> memory_over_time(const Scenario& scenario, const SimResult& result) {
  SIM_CHECK(result.step != nullptr && result.timeline != nullptr && result.schedule != nullptr,
            "only a feasible result has a timeline");
  Plan plan;
  SIM_CHECK(plan_layout(scenario, plan), "the result is feasible, its scenario is not");
  plan_schedule(scenario, *result.schedule, overlaps(*result.schedule), plan);
  const std::vector<StageBytes> stages = stage_bytes(plan.workload);
  Walk walk(*result.step, *result.timeline, stages);
  std::vector<MemoryOverTime> all;
  for (std::size_t r = 0; r < plan.memory.size(); ++r) {
    all.push_back(walk.rank(r));
    all.back().fixed = plan.memory[r].total() - plan.memory[r].activations;
  }
  return all;
}

}  // namespace orrery
