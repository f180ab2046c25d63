#pragma once

#include <cstdint>
#include <vector>

#include "sim/base/verdict.hpp"
#include "sim/scenario.hpp"
#include "sim/schedule/schedule.hpp"

namespace orrery {

/// The schedule taken for "auto".
struct PickedSchedule {
  /// Why none was taken; `schedule` then is the one that comes nearest to fitting, if any.
  Verdict verdict;
  Schedule schedule;
  std::int64_t vpp = 1;  ///< stages per rank of `schedule`; the layout's may be another
  std::vector<Scenario::Assumed>
      notes;  ///< for the result: which it is, its lower bound, what else was tried
};

/// How hard `pick_schedule` looks.
enum class PickEffort {
  kAny,   ///< any schedule that fits, without simulating
  kBest,  ///< all fixed schedules and the orders found, simulated
};

/// The schedule with the shortest simulated step among all fixed schedules that fit into memory - with the
/// layout's stages per rank where they take those, else with their own number, as `compare-schedules` runs
/// them - and, for every placement of the layout's stages and of the best fixed schedule's, with and without
/// overlapped pairs, the order that `find_schedule` finds on the templates' times and the memory that weights
/// leave. So never slower than any fixed schedule of the same scenario. Layers given per stage are kept, so
/// no other number of stages is tried then. Deterministic; looks at no clock.
[[nodiscard]] PickedSchedule pick_schedule(const Scenario& scenario, PickEffort effort);

}  // namespace orrery
