#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "calibrate/probe/cuda/block_gemm.cuh"

/// What the tests of kernel bodies share. The bodies run on the host in lockstep
/// (calibrate/probe/cuda/lanes.cuh), against plain references in double.
namespace orrery::test {

using Bf16 = std::vector<std::uint16_t>;

inline Bf16 random_bf16(std::size_t count, std::uint32_t seed) {
  Bf16 out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = to_bf16(random_normal(seed, i));
  return out;
}
inline double at(const Bf16& values, std::int64_t i) {
  return from_bf16(values[static_cast<std::size_t>(i)]);
}

/// ||found - expected|| / ||expected||.
class Distance {
 public:
  void add(double found, double expected) {
    difference_ += (found - expected) * (found - expected);
    norm_ += expected * expected;
  }
  [[nodiscard]] double value() const { return std::sqrt(difference_ / norm_); }

 private:
  double difference_ = 0, norm_ = 0;
};

}  // namespace orrery::test
