#pragma once

#include <iosfwd>
#include <span>
#include <string>

#include "planner/compare_schedules.hpp"

namespace orrery {

/// Compared schedules as one picture: a panel for each that fits, all on one time axis, one row per pipeline
/// rank, coloured as in `write_schedule_svg`; below them those that do not fit with the reason. `title`
/// stands on top as plain text. SIM_CHECK: one schedule fits.
void write_schedules_svg(std::span<const ComparedSchedule> rows, const std::string& title, std::ostream& out);

}  // namespace orrery
