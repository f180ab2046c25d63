#include "calibrate/ranks/messenger.hpp"

namespace orrery {

std::string messenger_missing() {
  return "this orrery was built without MPI (package libopenmpi-dev)";
}

std::unique_ptr<Messenger> join_messenger(double, const std::string&) {
  return nullptr;
}

}  // namespace orrery
