#pragma once

#include "sim/engine/task_graph.hpp"

namespace orrery::bench {

/// A graph with the shape of a pipeline: `ranks` groups of 4 lanes (compute, two kinds of exchange, sending
/// to the next rank), `steps` times one task on each lane; about 1.3 dependencies per task. Tasks are
/// made rank by rank, as lowering makes them. With `coupled`, busy exchange lanes slow compute and
/// compute slows them.
[[nodiscard]] TaskGraph pipeline_graph(int ranks, int steps, bool coupled);

}  // namespace orrery::bench
