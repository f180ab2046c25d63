#pragma once

#include <iosfwd>

#include "sim/simulate.hpp"

namespace orrery {

/// A feasible result's timeline in Chrome's trace event format, as chrome://tracing and Perfetto read it.
void write_chrome_trace(const SimResult& result, std::ostream& out);

}  // namespace orrery
