#pragma once

#include <cuda_runtime_api.h>

#include <memory>

#include "calibrate/probe/cuda/device.hpp"

namespace orrery {

/// The SMs of the device in two parts, each with a stream of its own (green contexts of the driver): what
/// runs on one part never runs on the other. The parts share memory, L2 cache and its bandwidth. Given back
/// with the value.
class GreenPartition {
 public:
  GreenPartition() = default;
  GreenPartition(const GreenPartition&) = delete;
  GreenPartition& operator=(const GreenPartition&) = delete;
  virtual ~GreenPartition() = default;
  [[nodiscard]] virtual cudaStream_t communication() const = 0;  ///< on exactly the SMs asked for
  [[nodiscard]] virtual cudaStream_t work() const = 0;           ///< on the others
};

/// Sets `sms` SMs of the device apart. Throws CaseFailed (unsupported) with the reason: a driver without the
/// functions, or a number that the device cannot split off (multiples of 8 on compute capability 9.0 and
/// newer). The driver's functions are looked up at run time: nothing links libcuda.
[[nodiscard]] std::unique_ptr<GreenPartition> make_green_partition(const Device& device, int sms);

}  // namespace orrery
