#pragma once

#include <iosfwd>
#include <string>

#include "sim/simulate.hpp"

namespace orrery {

/// A feasible result's schedule as a picture: one row per pipeline rank over the time of the step, coloured
/// by kind of action, pairs cut in two, with a legend and an axis in seconds. `title` stands on top as plain
/// text.
void write_schedule_svg(const SimResult& result, const std::string& title, std::ostream& out);

}  // namespace orrery
