#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sim/schedule/list_policy.hpp"
#include "sim/schedule/schedule_bound.hpp"
#include "sim/schedule/schedule_costs.hpp"

namespace orrery {

/// The first steps of every rank of a schedule, to go on from.
struct SchedulePrefix {
  const Schedule& schedule;
  std::vector<std::size_t> steps;  ///< [rank]
};
/// The steps that begin before a time, by the times of a `ScheduleTimer`.
[[nodiscard]] SchedulePrefix prefix_until(const Schedule& schedule,
                                          const std::vector<std::vector<StepTime>>& times,
                                          std::int64_t until);

/// The order that the policy gives, found by running the pipeline in time, from the start or after `prefix`.
/// Nothing where it gets stuck under the memory limit. Microbatches pass each stage in the order of their
/// numbers; a prefix that has them otherwise gives nothing.
[[nodiscard]] std::optional<Schedule> list_schedule(const Placement& placement, const ScheduleCosts& costs,
                                                    const ListPolicy& policy,
                                                    const SchedulePrefix* prefix = nullptr);

}  // namespace orrery
