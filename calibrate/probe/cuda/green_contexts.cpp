#include "calibrate/probe/cuda/green_contexts.hpp"

#include <cuda.h>

#include <string>
#include <type_traits>

namespace orrery {
namespace {

struct Driver {
  decltype(&cuDeviceGet) device_get = nullptr;
  decltype(&cuDeviceGetDevResource) resource = nullptr;
  decltype(&cuDevSmResourceSplitByCount) split = nullptr;
  decltype(&cuDevResourceGenerateDesc) description = nullptr;
  decltype(&cuGreenCtxCreate) create = nullptr;
  decltype(&cuGreenCtxDestroy) destroy = nullptr;
  decltype(&cuGreenCtxStreamCreate) stream = nullptr;
  decltype(&cuGetErrorName) error_name = nullptr;
};

Driver load() {
  constexpr unsigned kSince = 12050;  // green contexts with streams of their own
  Driver out;
  const auto find = [&](const char* symbol, auto& function) {
    void* found = nullptr;
    cudaDriverEntryPointQueryResult state{};
    const cudaError_t error =
        cudaGetDriverEntryPointByVersion(symbol, &found, kSince, cudaEnableDefault, &state);
    if (error != cudaSuccess || state != cudaDriverEntryPointSuccess || found == nullptr) {
      (void)cudaGetLastError();
      unsupported(std::string("the driver has no ") + symbol + ", which green contexts need");
    }
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(found);
  };
  find("cuDeviceGet", out.device_get);
  find("cuDeviceGetDevResource", out.resource);
  find("cuDevSmResourceSplitByCount", out.split);
  find("cuDevResourceGenerateDesc", out.description);
  find("cuGreenCtxCreate", out.create);
  find("cuGreenCtxDestroy", out.destroy);
  find("cuGreenCtxStreamCreate", out.stream);
  find("cuGetErrorName", out.error_name);
  return out;
}

const Driver& driver() {
  static const Driver functions = load();
  return functions;
}

void check(CUresult result, const char* what) {
  if (result == CUDA_SUCCESS) return;
  const char* name = nullptr;
  if (driver().error_name(result, &name) != CUDA_SUCCESS) name = "unknown error";
  const FailureClass kind = result == CUDA_ERROR_OUT_OF_MEMORY ? FailureClass::kOutOfMemory
                            : result == CUDA_ERROR_DEVICE_UNAVAILABLE || result == CUDA_ERROR_NO_DEVICE
                                ? FailureClass::kDeviceLost
                                : FailureClass::kUnsupported;
  throw CaseFailed{{kind, std::string("green contexts, ") + what + ": " + name}};
}

/// One part: a context and its stream.
class Part {
 public:
  Part(CUdevice device, CUdevResource resource, int priority) {
    CUdevResourceDesc description = nullptr;
    check(driver().description(&description, &resource, 1), "description");
    check(driver().create(&context_, description, device, CU_GREEN_CTX_DEFAULT_STREAM), "context");
    const CUresult made = driver().stream(&stream_, context_, CU_STREAM_NON_BLOCKING, priority);
    if (made != CUDA_SUCCESS) {
      driver().destroy(context_);
      check(made, "stream");
    }
  }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  ~Part() {
    cudaStreamSynchronize(stream_);
    cudaStreamDestroy(stream_);
    driver().destroy(context_);
  }
  [[nodiscard]] cudaStream_t stream() const { return stream_; }

 private:
  CUgreenCtx context_ = nullptr;
  CUstream stream_ = nullptr;
};

class Partition final : public GreenPartition {
 public:
  Partition(const Device& device, int sms) {
    CUdevice number = 0;
    check(driver().device_get(&number, device.index), "device");
    CUdevResource all{}, taken{}, left{};
    check(driver().resource(number, &all, CU_DEV_RESOURCE_TYPE_SM), "SMs of the device");
    unsigned groups = 1;
    check(driver().split(&taken, &groups, &all, &left, 0, static_cast<unsigned>(sms)), "split");
    if (groups != 1 || taken.sm.smCount != static_cast<unsigned>(sms))
      unsupported("the driver sets " + std::to_string(taken.sm.smCount) + " SMs apart, not " +
                  std::to_string(sms));
    if (left.sm.smCount == 0) unsupported("no SM is left for the work");
    int least = 0, greatest = 0;
    orrery::check(cudaDeviceGetStreamPriorityRange(&least, &greatest), "stream");
    communication_ = std::make_unique<Part>(number, taken, greatest);
    work_ = std::make_unique<Part>(number, left, least);
  }
  [[nodiscard]] cudaStream_t communication() const override { return communication_->stream(); }
  [[nodiscard]] cudaStream_t work() const override { return work_->stream(); }

 private:
  std::unique_ptr<Part> communication_, work_;
};

}  // namespace

std::unique_ptr<GreenPartition> make_green_partition(const Device& device, int sms) {
  if (device.compute >= 90 && (sms < 8 || sms % 8 != 0))
    unsupported("green contexts split SMs by multiples of 8 on this device");
  return std::make_unique<Partition>(device, sms);
}

}  // namespace orrery
