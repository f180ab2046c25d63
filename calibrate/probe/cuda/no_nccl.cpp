#include "calibrate/probe/cuda/workload.hpp"

namespace orrery {

Answer run_nccl(const Case&, const Effort&) {
  return Failure{FailureClass::kUnsupported, "this program was built without NCCL (nccl.h was not found)"};
}

}  // namespace orrery
