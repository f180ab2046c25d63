#pragma once

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
  std::vector<Scenario::Assumed>
      notes;  ///< for the result: which it is, its lower bound, what else was tried
};

/// How hard `pick_schedule` looks.
enum class PickEffort {
  kAny,   ///< any schedule that fits, without simulating
  kBest,  ///< all fixed schedules and the orders found, simulated
};

/// The schedule with the shortest simulated step among all fixed schedules that fit into memory and, for
/// every placement of the stages, with and without overlapped pairs, the order that `find_schedule` finds on
/// the templates' times and the memory that weights leave. So never slower than any fixed schedule of the
/// same scenario. Deterministic; looks at no clock.
[[nodiscard]] PickedSchedule pick_schedule(const Scenario& scenario, PickEffort effort);

}  // namespace orrery
