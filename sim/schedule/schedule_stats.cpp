#include <algorithm>

#include "sim/schedule/validate.hpp"

namespace orrery {
namespace {

// One rank's steps in order. A pair counts its forward in before its backward out, because the pair runs
// with the activations of both held.
class RankCounter {
 public:
  void add(const Step& step) {
    if (step.overlapped) {
      ++counts_.pairs;
    } else {
      ++alone(step.first.kind);
    }
    for (int i = 0; i < step.count(); ++i) hold(step.action(i).kind);
  }

  [[nodiscard]] const StepCounts& counts() const { return counts_; }

 private:
  int& alone(ActionKind kind) {
    switch (kind) {
      case ActionKind::kForward: return counts_.forwards;
      case ActionKind::kInputGrad: return counts_.input_grads;
      case ActionKind::kWeightGrad: return counts_.weight_grads;
      case ActionKind::kBackward: break;
    }
    return counts_.backwards;
  }

  void hold(ActionKind kind) {
    if (kind == ActionKind::kForward) counts_.peak_live = std::max(counts_.peak_live, ++live_);
    if (is_backward(kind)) --live_;
    if (kind == ActionKind::kInputGrad) counts_.peak_deferred = std::max(counts_.peak_deferred, ++deferred_);
    if (kind == ActionKind::kWeightGrad) --deferred_;
  }

  StepCounts counts_;
  int live_ = 0;
  int deferred_ = 0;
};

}  // namespace

ScheduleStats stats(const Schedule& schedule) {
  ScheduleStats result;
  for (const auto& steps : schedule.ranks) {
    RankCounter counter;
    for (const Step& step : steps) counter.add(step);
    const StepCounts& rank = result.ranks.emplace_back(counter.counts());
    result.overall.forwards += rank.forwards;
    result.overall.pairs += rank.pairs;
    result.overall.backwards += rank.backwards;
    result.overall.input_grads += rank.input_grads;
    result.overall.weight_grads += rank.weight_grads;
    result.overall.peak_live = std::max(result.overall.peak_live, rank.peak_live);
    result.overall.peak_deferred = std::max(result.overall.peak_deferred, rank.peak_deferred);
  }
  return result;
}

}  // namespace orrery
