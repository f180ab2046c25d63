#include <array>

#include "calibrate/probe/cuda/workload.hpp"
#include "calibrate/probe/probe.hpp"
#include "calibrate/probe/work.hpp"

namespace orrery {
namespace {

int attribute(cudaDeviceAttr name, int device) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, name, device), "device");
  return value;
}

class CudaProbe : public Probe {
 public:
  CudaProbe(int index, std::uint64_t seed) {
    check(cudaSetDevice(index), "device");
    device_.index = index;
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, index), "device");
    device_.name = properties.name;
    std::array<char, 32> bus{};
    check(cudaDeviceGetPCIBusId(bus.data(), static_cast<int>(bus.size()), index), "device");
    device_.bus_id = bus.data();
    device_.compute = 10 * properties.major + properties.minor;
    device_.sms = properties.multiProcessorCount;
    device_.l2_bytes = properties.l2CacheSize;
    device_.shared_bytes = attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin, index);
    device_.memory_bytes = static_cast<std::int64_t>(properties.totalGlobalMem);
    device_.seed = static_cast<std::uint32_t>(seed);
    check(cudaStreamCreateWithFlags(&device_.stream, cudaStreamNonBlocking), "stream");
    NvmlOrReason nvml = open_nvml(device_.bus_id);
    device_.nvml = std::move(nvml.nvml);
    device_.nvml_reason = nvml.reason;
  }

  [[nodiscard]] About about() const override {
    int runtime = 0, driver = 0, count = 0;
    (void)cudaRuntimeGetVersion(&runtime);
    (void)cudaDriverGetVersion(&driver);
    (void)cudaGetDeviceCount(&count);
    About out{{"probe", "cuda"},
              {"device", device_.name},
              {"compute_capability",
               std::to_string(device_.compute / 10) + "." + std::to_string(device_.compute % 10)},
              {"sms", std::to_string(device_.sms)},
              {"l2_bytes", std::to_string(device_.l2_bytes)},
              {"memory_bytes", std::to_string(device_.memory_bytes)},
              {"gpus", std::to_string(count)},
              {"cuda_runtime", std::to_string(runtime)},
              {"cuda_driver", std::to_string(driver)}};
    if (device_.nvml) {
      out["driver"] = device_.nvml->driver_version();
      if (const auto limit = device_.nvml->power_limit_w()) out["power_limit_w"] = std::to_string(*limit);
    } else {
      out["nvml"] = "absent: " + device_.nvml_reason;
    }
    return out;
  }

  [[nodiscard]] Answer run(const Case& what, const Effort& effort) override {
    return guarded([&] { return measure(what, effort); });
  }
  [[nodiscard]] Answer run_sequence(const Sequence& sequence, const Effort& effort) override {
    return guarded([&] {
      return orrery::run_sequence(
          sequence, device_, [this](const Case& what) { return make(what); }, effort);
    });
  }

 private:
  template <class F>
  [[nodiscard]] Answer guarded(F f) {
    try {
      check(cudaSetDevice(device_.index), "device");
      return f();
    } catch (const CaseFailed& failed) {
      Failure failure = failed.failure;
      // Libraries say no more than "execution failed" of a fault that leaves the context useless.
      if (failure.kind != FailureClass::kOther) return failure;
      if (const cudaError_t error = cudaDeviceSynchronize(); error != cudaSuccess) {
        failure.kind = FailureClass::kCrashed;
        failure.message += std::string("; the context: ") + cudaGetErrorName(error);
      }
      return failure;
    }
  }
  [[nodiscard]] Answer measure(const Case& what, const Effort& effort) {
    const std::string& name = what.op_class;
    if (name == "launch") return run_launch(what, device_, effort);
    if (name.starts_with("copy.")) return run_host_copy(what, device_, effort);
    if (name.starts_with("contention.")) return run_contention(what, device_, effort);
    if (!collective_of(name).empty()) return run_nccl(what, effort);
    const ProbeCasePtr workload = make(what);
    return time_workload(what, device_, *workload, effort);
  }
  [[nodiscard]] ProbeCasePtr make(const Case& what) {
    const std::string& name = what.op_class;
    if (name.starts_with("bandwidth.")) return make_bandwidth(what, device_);
    if (name.starts_with("memory.")) return make_element(what, device_);
    if (name == "dispatch" || name == "combine") return make_exchange(what, device_);
    if (name == "attention-mla.decode") return make_decode(what, device_);
    if (name.starts_with("attention")) return make_attention(what, device_);
    if (name.find("gemm.") != std::string::npos || name.find("wgrad.") != std::string::npos) {
      if (what.name.starts_with("cublaslt")) return make_cublaslt_gemm(what, device_, 0);
      if (what.name.starts_with("own")) return make_own_gemm(what, device_);
    }
    unsupported("no probe serves " + name + " as '" + what.name + "'");
  }

  Device device_;
};

}  // namespace

ProbeOrReason make_cuda_probe(int device, std::uint64_t seed) {
  int count = 0;
  if (const cudaError_t error = cudaGetDeviceCount(&count); error != cudaSuccess)
    return {.probe = nullptr, .reason = std::string("no GPU: ") + cudaGetErrorString(error)};
  if (device < 0 || device >= count)
    return {.probe = nullptr,
            .reason = "no GPU " + std::to_string(device) + ": " + std::to_string(count) + " are here"};
  try {
    return {.probe = std::make_unique<CudaProbe>(device, seed), .reason = {}};
  } catch (const CaseFailed& failed) {
    return {.probe = nullptr, .reason = failed.failure.message};
  }
}

}  // namespace orrery
