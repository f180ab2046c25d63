#pragma once

#include <optional>
#include <vector>

#include "sim/base/verdict.hpp"
#include "sim/layout/rank_map.hpp"
#include "sim/lower/lower.hpp"
#include "sim/lower/memory.hpp"
#include "sim/lower/step_template.hpp"
#include "sim/scenario.hpp"
#include "sim/schedule/schedule.hpp"
#include "sim/workload/stage_work.hpp"

namespace orrery {

struct Timeline;

/// Everything between the scenario and the task graph. Stays where it is: parts refer to one another.
struct Plan {
  Plan() = default;
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  Verdict verdict;
  Schedule schedule;
  Derived derived;
  Workload workload;
  std::optional<RankMap> ranks;
  std::optional<StepTemplates> templates;
  MemoryRules rules;
  std::vector<RankMemory> memory;
  std::int64_t communication_sms = 0;
};

/// InputError where something is to be offloaded and the profile does not say what memory its hosts have.
void demand_host(const Offload& offload, const ClusterProfile& cluster);
/// What does not depend on the schedule: capability, layout, derived sizes. False where the plan ends here
/// with a verdict.
bool plan_layout(const Scenario& scenario, Plan& plan);
/// The rest, after `plan_layout`. `pairs` says whether forwards and backwards overlap, which decides about
/// the SMs set apart for communication and about the cut into stages.
void plan_schedule(const Scenario& scenario, Schedule schedule, bool pairs, Plan& plan);
/// The schedule after the passes that the layout asks for (sim/schedule/passes.hpp); applied twice it stays.
[[nodiscard]] Schedule with_passes(const Layout& layout, Schedule schedule);
/// Whether any step of the schedule is an overlapped pair.
[[nodiscard]] bool overlaps(const Schedule& schedule);

/// SMs set apart for communication: as given, else the all-to-all kernels' own number where pairs overlap,
/// else none.
[[nodiscard]] std::int64_t communication_sms(const Scenario& scenario, bool pairs);

/// The task graph of a plan without verdict.
[[nodiscard]] LoweredStep lower_plan(const Scenario& scenario, Plan& plan);
/// Runs it; a deadlock is an InternalError.
[[nodiscard]] Timeline run_step(const LoweredStep& step);

}  // namespace orrery
