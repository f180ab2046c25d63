#pragma once

#include "sim/engine/timeline.hpp"

namespace orrery {

/// Start and end of every task of a graph in which no lane slows another. Then
///
///     start(t) = max(end of the task before t in its lane, ends of t's dependencies),   end = start +
///     duration
///
/// has one solution, found in any order that respects it: no clock and no queue. Fills the columns and the
/// makespan; tasks on or behind a cycle keep kNever. Returns how many tasks ran.
std::size_t relax(Timeline& timeline);

}  // namespace orrery
