#include "planner/distribute/distribute.hpp"

namespace orrery {

std::string distribution_missing() {
  return "this orrery was built without MPI (package libopenmpi-dev)";
}

std::unique_ptr<ProcessGroup> join_process_group() {
  return nullptr;
}

}  // namespace orrery
