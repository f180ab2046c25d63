#pragma once

#include <cstdint>

#include "sim/engine/task_graph_builder.hpp"

namespace orrery::test {

struct RandomGraph {
  std::uint64_t seed = 0;
  int tasks = 200;
  int groups = 3;
  int lanes_per_group = 4;
  bool coupled = false;
  int extra_dependencies = 0;  ///< added after all others, which stay the same
};

/// Acyclic: tasks have a hidden order that both lanes and dependencies follow. They are created lane by
/// lane, so dependencies point to earlier and to later tasks alike. One task in eight has no duration, and
/// durations are few, so that many events fall on one instant.
[[nodiscard]] TaskGraph make_random_graph(const RandomGraph& spec);

}  // namespace orrery::test
