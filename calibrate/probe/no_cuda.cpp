#include "calibrate/probe/probe.hpp"
#include "calibrate/ranks/communicator.hpp"

namespace orrery {

ProbeOrReason make_cuda_probe(int, std::uint64_t) {
  return {.probe = nullptr,
          .reason = "this program was built without CUDA (no nvcc was found, or WITH_CUDA is OFF)"};
}

std::unique_ptr<Communicator> make_nccl_communicator(RankProgress) {
  throw RankFailure{{FailureClass::kUnsupported,
                     "this program was built without CUDA (no nvcc was found, or WITH_CUDA is OFF)"}};
}

}  // namespace orrery
