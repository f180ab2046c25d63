#pragma once

#include <string>

#include "planner/plan.hpp"
#include "sim/report/report_json.hpp"
#include "sim/report/table.hpp"

namespace orrery {

/// The object of schema orrery.plan/1 (docs/formats/plan.md).
[[nodiscard]] std::string plan_json(const PlanReport& report, const ProgramInfo& program, double elapsed_s);

/// The best layouts, one row each.
[[nodiscard]] Table best_table(const PlanReport& report);
/// What became of all candidates.
[[nodiscard]] Table funnel_table(const PlanReport& report);
/// Points of the Pareto front.
[[nodiscard]] Table front_table(const PlanReport& report);
/// The whole answer for a terminal; `elapsed_s` goes to the last line.
[[nodiscard]] std::string plan_text(const PlanReport& report);

}  // namespace orrery
