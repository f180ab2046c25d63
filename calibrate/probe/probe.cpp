#include "calibrate/probe/probe.hpp"

namespace orrery {

Answer Probe::run_sequence(const Sequence&, const Effort&) {
  return Failure{FailureClass::kUnsupported, "this probe runs no sequences of kernels"};
}

}  // namespace orrery
