// For developers without a GPU: does cuDNN accept the composed attention graph for a device that is only
// described?
//   cudnn_dry_run COMPUTE_CAPABILITY HEADS KV_HEADS QK_DIM [SEQUENCE]        e.g. 900 128 128 192
// Needs a folder with libcuda.so.1 -> CUDA's stubs/libcuda.so on LD_LIBRARY_PATH. Lists the engines of the
// heuristics and makes a plan of each; with the stub a plan that compiles still ends where its module is
// loaded (an error of the driver; CUDNN_LOGLEVEL_DBG=2 CUDNN_LOGDEST_DBG=stderr shows cuLibraryLoadData). The
// keys of the description are not documented; they were read from the library's strings (9.19).
#include <cstdio>
#include <cstdlib>
#include <string>

#include "calibrate/probe/cuda/cudnn_graph.hpp"
#include "calibrate/probe/cuda/device.hpp"

namespace {

std::string described(const std::string& compute) {
  return "{\"deviceVer\": " + compute + R"(, "driverVer": 13000, "cudaDeviceId": 0, "deviceName": "described",
"maxGridSize": [2147483647, 65535, 65535], "maxBlockSize": [1024, 1024, 64], "multiProcessorCount": 132, "warpSize": 32,
"l2CacheSize": 52428800, "maxCtasPerSM": 32, "maxRegistersPerSM": 65536, "maxSharedMemoryPerBlock": 49152,
"maxSharedMemoryPerBlockOptin": 232448, "reservedSharedMemoryPerBlock": 1024, "maxThreadsPerBlock": 1024,
"maxThreadsPerSM": 2048, "memClockRateKHz": 2619000, "regsPerBlock": 65536, "smClockRateKHz": 1980000,
"totalGlobalMem": 85899345920, "pciDeviceId": 0, "isTccDriver": 0, "supportCoopLaunch": 1})";
}

int run(int argc, char** argv) {
  using namespace orrery;
  const CudnnAttentionShape shape{.sequences = 1,
                                  .sequence = argc > 5 ? std::atoi(argv[5]) : 4096,
                                  .heads = std::atoi(argv[2]),
                                  .kv_heads = std::atoi(argv[3]),
                                  .qk = std::atoi(argv[4]),
                                  .v = 128};
  const std::string json = described(argv[1]);
  CudnnDescriptor device(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  device.set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
             static_cast<std::int64_t>(json.size()) + 1, json.c_str(), "description");
  device.finalize("description");
  const CudnnAttentionGraph graph(shape, nullptr);
  const auto engines = graph.engines(&device);
  std::printf("cuDNN %zu, graph accepted, %zu engines\n", cudnn().version(), engines.size());
  for (const auto& engine : engines) {
    try {
      CudnnDescriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, *engine, "plan");
      plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, device, "plan");
      plan.finalize("plan");
      std::printf("  plan made\n");
    } catch (const CaseFailed& failed) {
      std::printf("  %s\n", failed.failure.message.c_str());
    }
  }
  return engines.empty() ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "cudnn_dry_run COMPUTE_CAPABILITY HEADS KV_HEADS QK_DIM [SEQUENCE]\n");
    return 2;
  }
  try {
    return run(argc, argv);
  } catch (const orrery::CaseFailed& failed) {
    std::printf("refused: %s\n", failed.failure.message.c_str());
    return 1;
  }
}
