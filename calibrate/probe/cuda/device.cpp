#include "calibrate/probe/cuda/device.hpp"

namespace orrery {

void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  (void)cudaGetLastError();
  FailureClass kind = FailureClass::kOther;
  switch (error) {
    case cudaErrorMemoryAllocation: kind = FailureClass::kOutOfMemory; break;
    case cudaErrorNotSupported:
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorInvalidConfiguration: kind = FailureClass::kUnsupported; break;
    // A fault of a kernel: the context is of no use any more, so the process is made anew; the device is
    // well.
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchFailure:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchTimeout:
    case cudaErrorContextIsDestroyed:
    case static_cast<cudaError_t>(226):  // contained; these three have no name in older toolkits
    case static_cast<cudaError_t>(721):  // tensor memory leak
    case static_cast<cudaError_t>(911):  // external device
    case cudaErrorAssert: kind = FailureClass::kCrashed; break;
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case cudaErrorDevicesUnavailable:
    case cudaErrorSystemNotReady:
    case cudaErrorNoDevice:
    case cudaErrorUnknown: kind = FailureClass::kDeviceLost; break;
    default: break;
  }
  throw CaseFailed{
      {kind, std::string(what) + ": " + cudaGetErrorName(error) + ", " + cudaGetErrorString(error)}};
}

void unsupported(const std::string& reason) {
  throw CaseFailed{{FailureClass::kUnsupported, reason}};
}

Buffer::Buffer(std::int64_t bytes) : bytes_(bytes) {
  const std::string what = "memory of " + std::to_string(bytes) + " bytes";
  check(cudaMalloc(&data_, static_cast<std::size_t>(bytes)), what.c_str());
}

void Buffer::poison(cudaStream_t stream) const {
  check(cudaMemsetAsync(data_, 0xff, static_cast<std::size_t>(bytes_), stream), "poison");
}

void Buffer::zero(cudaStream_t stream) const {
  check(cudaMemsetAsync(data_, 0, static_cast<std::size_t>(bytes_), stream), "zero");
}

}  // namespace orrery
