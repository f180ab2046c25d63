#include "calibrate/probe/cuda/workload.hpp"
#include "calibrate/ranks/communicator.hpp"

namespace orrery {

Answer run_nccl(const Case&, const Effort&) {
  return Failure{FailureClass::kUnsupported, "this program was built without NCCL (nccl.h was not found)"};
}

std::unique_ptr<Communicator> make_nccl_communicator(RankProgress) {
  throw RankFailure{
      {FailureClass::kUnsupported, "this program was built without NCCL (nccl.h was not found)"}};
}

}  // namespace orrery
