#pragma once

#include <cuda_runtime_api.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "calibrate/probe/cuda/device.hpp"
#include "calibrate/probe/probe.hpp"

namespace orrery {

/// What the comparison with the reference found.
struct Verified {
  double error = 0;  ///< ||out - reference|| / ||reference|| over the elements compared
  double limit = 0;
};

/// ||found - expected|| / ||expected||, summed up element by element; NaN where a result is NaN.
class Distance {
 public:
  void add(double found, double expected) {
    difference_ += (found - expected) * (found - expected);
    norm_ += expected * expected;
  }
  [[nodiscard]] double value() const;

 private:
  double difference_ = 0;
  double norm_ = 0;
};

/// A case prepared on the GPU with fresh random operands: can be executed again and again.
class ProbeCase {
 public:
  ProbeCase() = default;
  ProbeCase(const ProbeCase&) = delete;
  ProbeCase& operator=(const ProbeCase&) = delete;
  virtual ~ProbeCase() = default;
  /// Executes once and compares with a reference in double on the host. Absent where nothing is computed.
  [[nodiscard]] virtual std::optional<Verified> verify() = 0;
  /// Enqueues one execution.
  virtual void launch(cudaStream_t stream) = 0;
  /// Whether executions may be captured into a CUDA graph.
  [[nodiscard]] virtual bool graph() const { return true; }
  /// How often one launch does what the case says.
  [[nodiscard]] virtual int rounds() const { return 1; }
  [[nodiscard]] virtual std::string note() const { return ""; }
};
using ProbeCasePtr = std::unique_ptr<ProbeCase>;

// Each throws CaseFailed for what the device or library cannot do.
[[nodiscard]] ProbeCasePtr make_bandwidth(const Case& what, Device& device);  // bandwidth_workloads.cpp
[[nodiscard]] ProbeCasePtr make_element(const Case& what, Device& device);    // element_workloads.cpp
[[nodiscard]] ProbeCasePtr make_exchange(const Case& what, Device& device);   // exchange_workloads.cpp
[[nodiscard]] ProbeCasePtr make_attention(const Case& what, Device& device);  // attention_workloads.cpp
[[nodiscard]] ProbeCasePtr make_decode(const Case& what, Device& device);     // decode_workloads.cpp
[[nodiscard]] ProbeCasePtr make_cublaslt_gemm(const Case& what, Device& device,
                                              int sms_taken);                // cublaslt_workloads.cpp
[[nodiscard]] ProbeCasePtr make_own_gemm(const Case& what, Device& device);  // own_gemm_workloads.cpp

// Measured in their own way rather than by time_workload.
[[nodiscard]] Answer run_launch(const Case& what, Device& device, const Effort& effort);  // launch_probe.cpp
[[nodiscard]] Answer run_host_copy(const Case& what, Device& device,
                                   const Effort& effort);  // launch_probe.cpp
[[nodiscard]] Answer run_contention(const Case& what, Device& device,
                                    const Effort& effort);              // contention_probe.cpp
[[nodiscard]] Answer run_nccl(const Case& what, const Effort& effort);  // nccl_probe.cpp

using CaseMaker = std::function<ProbeCasePtr(const Case&)>;
/// The steps one after the other, each made and verified first; sequence_workload.cpp.
[[nodiscard]] Answer run_sequence(const Sequence& sequence, Device& device, const CaseMaker& make,
                                  const Effort& effort);

/// Verifies, warms up, and times with events: short kernels several at a time in a CUDA graph; with `cold_l2`
/// one at a time after other memory has gone through the L2 cache; with `sustained` back to back for the
/// seconds of the effort, samples from the last 40 % of them, power from the difference of the energy counter
/// where there is one. A kernel that holds the stream goes before each sample, so that the host's calls are
/// not in it.
[[nodiscard]] Answer time_workload(const Case& what, Device& device, ProbeCase& workload,
                                   const Effort& effort);

/// A sample with the readings of NVML.
[[nodiscard]] Sample sample_of(Device& device, double seconds);

}  // namespace orrery
