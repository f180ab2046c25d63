#include "sim/schedule/schedule_search.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "sim/base/work_control.hpp"

namespace orrery {
namespace {

using Steps = std::vector<Step>;

struct Place {
  std::size_t rank = 0;
  std::size_t step = 0;
};

std::size_t find_action(const Steps& steps, const Action& action) {
  const auto holds = [&](const Step& s) { return s.first == action || (s.overlapped && s.second == action); };
  return static_cast<std::size_t>(std::ranges::find_if(steps, holds) - steps.begin());
}

Action with_kind(Action action, ActionKind kind) {
  action.kind = kind;
  return action;
}

void move_step(Steps& steps, std::size_t from, std::size_t to) {
  const auto at = [&](std::size_t i) { return steps.begin() + static_cast<std::ptrdiff_t>(i); };
  if (from < to) {
    std::rotate(at(from), at(from + 1), at(to + 1));
  } else {
    std::rotate(at(to), at(from), at(from + 1));
  }
}

void insert_step(Steps& steps, std::size_t at, const Step& step) {
  steps.insert(steps.begin() + static_cast<std::ptrdiff_t>(std::min(at, steps.size())), step);
}

void erase_step(Steps& steps, std::size_t at) {
  steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(at));
}

class Search {
 public:
  Search(Schedule start, const ScheduleCosts& costs)
      : costs_(costs), timer_(costs), now_(std::move(start)), random_(1) {}

  /// Begins anew from the best with a longer memory, which climbs out of deeper hollows, then a short one.
  Schedule run(std::int64_t evaluations) {
    const Evaluation& first = timer_.run(now_, &times_);
    if (!first.usable()) return std::move(now_);
    best_ = now_;
    best_makespan_ = first.makespan;
    for (const std::size_t memory : {20U, 300U, 20U}) {
      now_ = best_;
      makespan_ = timer_.run(now_, &times_).makespan;
      history_.assign(memory, makespan_);
      trace();
      climb(evaluations / 3);
    }
    return std::move(best_);
  }

 private:
  void climb(std::int64_t evaluations) {
    for (std::int64_t i = 0; i < evaluations; ++i) {
      check_control();
      const Place place = pick();
      Steps& steps = now_.ranks[place.rank];
      saved_ = steps;
      if (!change(steps, place.step)) continue;
      const Evaluation& e = timer_.run(now_, &times_);
      // What was reached some changes ago is good enough to go on from: so it leaves small hollows again.
      std::int64_t& before = history_[static_cast<std::size_t>(i) % history_.size()];
      if (!e.usable() || (e.makespan > makespan_ && e.makespan > before)) {
        std::swap(steps, saved_);
        before = std::min(before, makespan_);
        continue;
      }
      makespan_ = e.makespan;
      before = std::min(before, makespan_);
      trace();
      if (makespan_ >= best_makespan_) continue;
      best_makespan_ = makespan_;
      best_ = now_;
    }
  }

  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }

  Place pick() {
    if (!critical_.empty() && below(10) != 0) return critical_[below(critical_.size())];
    for (;;) {
      const std::size_t rank = below(now_.ranks.size());
      if (!now_.ranks[rank].empty()) return {rank, below(now_.ranks[rank].size())};
    }
  }

  /// Collects the steps that set the makespan, from the last back to one that begins at time 0.
  void trace() {
    critical_.clear();
    Place at;
    std::int64_t latest = -1;
    for (std::size_t r = 0; r < now_.ranks.size(); ++r) {
      if (times_[r].empty() || times_[r].back().end + costs_.tail_of(r) <= latest) continue;
      latest = times_[r].back().end + costs_.tail_of(r);
      at = {r, times_[r].size() - 1};
    }
    if (latest < 0) return;
    for (;;) {
      critical_.push_back(at);
      const StepTime& time = times_[at.rank][at.step];
      if (time.cause == StepCause::kRank) {
        if (at.step == 0) return;
        --at.step;
        continue;
      }
      const Step& step = now_.ranks[at.rank][at.step];
      const Action& a = time.cause == StepCause::kFirstInput ? step.first : step.second;
      const bool forward = a.kind == ActionKind::kForward;
      const StageId from{a.stage.value + (forward ? -1 : 1)};
      if (from.value < 0 || from.value >= now_.stages) return;
      at = source(from, a.microbatch, forward);
    }
  }

  [[nodiscard]] Place source(StageId stage, MicrobatchId microbatch, bool forward) const {
    const std::size_t rank = now_.rank_of(stage, microbatch).at();
    const auto makes = [&](const Action& a) {
      return a.stage == stage && a.microbatch == microbatch &&
             (forward ? a.kind == ActionKind::kForward : is_backward(a.kind));
    };
    const Steps& steps = now_.ranks[rank];
    std::size_t i = 0;
    while (!makes(steps[i].first) && !(steps[i].overlapped && makes(steps[i].second))) ++i;
    return {rank, i};
  }

  bool change(Steps& steps, std::size_t at) {
    switch (below(7)) {
      case 0:
      case 1: return shift(steps, at, true);
      case 2: return shift(steps, at, false);
      case 3:
      case 4: return split_or_join(steps, at);
      case 5: return hasten_forwards(steps, at);
      default: return pair_or_part(steps, at);
    }
  }

  bool shift(Steps& steps, std::size_t at, bool earlier) {
    const std::size_t by = below(2) == 0 ? 1 : 1 + below(8);
    if (earlier ? at < by : at + by >= steps.size()) return false;
    move_step(steps, at, earlier ? at - by : at + by);
    return true;
  }

  bool split_or_join(Steps& steps, std::size_t at) {
    const Step step = steps[at];
    if (step.overlapped) return false;
    const Action a = step.first;
    if (a.kind == ActionKind::kForward) return false;
    if (a.kind == ActionKind::kBackward) {
      steps[at] = alone(with_kind(a, ActionKind::kInputGrad));
      insert_step(steps, at + 1 + (below(2) == 0 ? below(4) : below(steps.size() - at)),
                  alone(with_kind(a, ActionKind::kWeightGrad)));
      return true;
    }
    const std::size_t half = find_action(steps, with_kind(a, ActionKind::kInputGrad));
    const std::size_t rest = find_action(steps, with_kind(a, ActionKind::kWeightGrad));
    if (half >= steps.size() || rest >= steps.size()) return false;
    if (below(2) == 0) {  // only move the weight gradient
      const std::size_t to = half + 1 + below(steps.size() - half - 1);
      if (to == rest) return false;
      move_step(steps, rest, to);
      return true;
    }
    steps[half] = alone(with_kind(a, ActionKind::kBackward));
    erase_step(steps, rest);
    return true;
  }

  bool pair_or_part(Steps& steps, std::size_t at) {
    if (costs_.pairs.empty()) return false;
    const Step step = steps[at];
    if (step.overlapped) {
      const bool forward_first = below(2) == 0;
      steps[at] = alone(forward_first ? step.first : step.second);
      insert_step(steps, at + 1, alone(forward_first ? step.second : step.first));
      return true;
    }
    const ActionKind kind = step.first.kind;
    if (kind == ActionKind::kWeightGrad) return false;
    // The nearest step of the other kind, at most a few places away, comes here.
    const std::size_t reach = 1 + below(4);
    for (std::size_t other = at + 1; other < std::min(steps.size(), at + 1 + reach); ++other) {
      if (steps[other].overlapped) continue;
      const Action a = steps[other].first;
      const bool fits = kind == ActionKind::kForward ? is_backward(a.kind) : a.kind == ActionKind::kForward;
      if (!fits) continue;
      const Action forward = kind == ActionKind::kForward ? step.first : a;
      const Action backward = with_kind(kind == ActionKind::kForward ? a : step.first, ActionKind::kBackward);
      if (costs_.pair(forward.stage, backward.stage).duration < 0) return false;
      steps[at] = overlap(forward, backward);
      erase_step(steps, other);
      const std::size_t rest = find_action(steps, with_kind(backward, ActionKind::kWeightGrad));
      if (rest < steps.size()) erase_step(steps, rest);
      return true;
    }
    return false;
  }

  /// One more forward of a stage here; those that follow move up by one place each, and the last place goes.
  /// In single moves every pair in between would have to part first.
  bool hasten_forwards(Steps& steps, std::size_t at) {
    const Step& here = steps[at];
    const StageId stage = here.overlapped && below(2) == 0 ? here.second.stage : here.first.stage;
    const auto forward_of = [&](const Step& s) {
      return s.first.kind == ActionKind::kForward && s.first.stage == stage;
    };
    std::vector<MicrobatchId> order;
    std::size_t last = steps.size();
    for (std::size_t i = at; i < steps.size(); ++i) {
      if (!forward_of(steps[i])) continue;
      order.push_back(steps[i].first.microbatch);
      last = i;
    }
    if (last == steps.size() || last == at) return false;
    if (steps[last].overlapped) {
      steps[last] = alone(steps[last].second);
    } else {
      erase_step(steps, last);
    }
    insert_step(steps, at, alone({.kind = ActionKind::kForward, .stage = stage, .microbatch = order[0]}));
    std::size_t next = 0;
    for (std::size_t i = at; i < steps.size() && next < order.size(); ++i) {
      if (forward_of(steps[i])) steps[i].first.microbatch = order[next++];
    }
    return true;
  }

  const ScheduleCosts& costs_;
  ScheduleTimer timer_;
  Schedule now_, best_;
  Steps saved_;
  std::mt19937_64 random_;
  std::vector<std::vector<StepTime>> times_;
  std::vector<Place> critical_;
  std::int64_t makespan_ = 0, best_makespan_ = 0;
  std::vector<std::int64_t> history_;  ///< makespans of the last changes
};

}  // namespace

Schedule improve_schedule(Schedule start, const ScheduleCosts& costs, std::int64_t evaluations) {
  return Search(std::move(start), costs).run(evaluations);
}

}  // namespace orrery
