#include "sim/engine/task_graph.hpp"

namespace orrery {

TaskGraph::TaskGraph() {
  auto empty = std::make_shared<TaskGraphColumns>();
  empty->core.resize(1);
  empty->predecessor_begin = {0};
  empty->lane_begin = {0};
  columns_ = std::move(empty);
}

}  // namespace orrery
