#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "sim/schedule/schedule.hpp"

namespace orrery::test {

/// Time of each kind of step; I takes `backward - weight`.
struct UnitTimes {
  double forward = 1;
  double backward = 2;
  double weight = 1;
  double pair = 3;
};

/// When the last rank ends, what each rank idles until then, and what it idles between the start of its own
/// first step and the end of its own last: the part that is left when steps follow one another and no rank
/// waits for all others between two of them.
struct UnitOutcome {
  double end = 0;
  std::vector<double> idle;
  std::vector<double> own_idle;
};

inline double duration(const Step& step, const UnitTimes& times) {
  if (step.overlapped) return times.pair;
  switch (step.first.kind) {
    case ActionKind::kForward: return times.forward;
    case ActionKind::kInputGrad: return times.backward - times.weight;
    case ActionKind::kWeightGrad: return times.weight;
    case ActionKind::kBackward: break;
  }
  return times.backward;
}

/// Runs every step as soon as its rank is free and its inputs are there; messages take no time. Sweeps over
/// the ranks until nothing moves, which is slow and simple. `end` is -1 where the schedule is stuck.
inline UnitOutcome run_in_unit_time(const Schedule& schedule, const UnitTimes& times) {
  constexpr double kNotYet = -1;
  std::vector<double> forward_end(schedule.owner.size(), kNotYet);
  std::vector<double> backward_end(schedule.owner.size(), kNotYet);
  std::vector<double> clock(schedule.ranks.size(), 0);
  std::vector<double> busy(schedule.ranks.size(), 0);
  std::vector<double> first_start(schedule.ranks.size(), 0);
  std::vector<std::size_t> next(schedule.ranks.size(), 0);

  // When the input of `action` is there: 0 without one, kNotYet while it has not been made.
  const auto input_end = [&](const Action& action) -> double {
    if (action.kind == ActionKind::kWeightGrad) return 0;
    const bool forward = action.kind == ActionKind::kForward;
    const StageId source{action.stage.value + (forward ? -1 : 1)};
    if (source.value < 0 || source.value >= schedule.stages) return 0;
    return (forward ? forward_end : backward_end)[schedule.slot(source, action.microbatch)];
  };
  const auto start_of = [&](const Step& step, double rank_free) -> double {
    double start = rank_free;
    for (int i = 0; i < step.count(); ++i) {
      const double input = input_end(step.action(i));
      if (input == kNotYet) return kNotYet;
      start = std::max(start, input);
    }
    return start;
  };

  for (bool moved = true; moved;) {
    moved = false;
    for (std::size_t rank = 0; rank < schedule.ranks.size(); ++rank) {
      while (next[rank] < schedule.ranks[rank].size()) {
        const Step& step = schedule.ranks[rank][next[rank]];
        const double start = start_of(step, clock[rank]);
        if (start == kNotYet) break;
        if (next[rank] == 0) first_start[rank] = start;
        clock[rank] = start + duration(step, times);
        busy[rank] += duration(step, times);
        for (int i = 0; i < step.count(); ++i) {
          const Action& action = step.action(i);
          const std::size_t slot = schedule.slot(action.stage, action.microbatch);
          if (action.kind == ActionKind::kForward) forward_end[slot] = clock[rank];
          if (is_backward(action.kind)) backward_end[slot] = clock[rank];
        }
        ++next[rank];
        moved = true;
      }
    }
  }

  UnitOutcome outcome;
  for (std::size_t rank = 0; rank < schedule.ranks.size(); ++rank) {
    if (next[rank] < schedule.ranks[rank].size()) return {.end = kNotYet, .idle = {}, .own_idle = {}};
    outcome.end = std::max(outcome.end, clock[rank]);
  }
  for (std::size_t rank = 0; rank < busy.size(); ++rank) {
    outcome.idle.push_back(outcome.end - busy[rank]);
    outcome.own_idle.push_back(clock[rank] - first_start[rank] - busy[rank]);
  }
  return outcome;
}

}  // namespace orrery::test
