#pragma once

#include "sim/engine/observer.hpp"
#include "sim/engine/timeline.hpp"

namespace orrery {

/// Start and end of every task by processing events in the order of time. Fills the columns and the
/// makespan of `timeline`; tasks that never start keep kNever. Returns how many tasks ran.
/// `observer` may be null.
std::size_t run_events(Timeline& timeline, Observer* observer);

}  // namespace orrery
