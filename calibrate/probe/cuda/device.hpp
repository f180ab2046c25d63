#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "calibrate/probe/nvml.hpp"
#include "calibrate/probe/sample.hpp"

namespace orrery {

/// Ends a case with its failure; thrown and caught inside probe/cuda.
struct CaseFailed {
  Failure failure;
};

/// Throws CaseFailed of the class that the error belongs to: out of memory, fault of a kernel (crashed),
/// device lost, unsupported, other.
void check(cudaError_t error, const char* what);
[[noreturn]] void unsupported(const std::string& reason);

/// Memory of the GPU; given back with the value.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::int64_t bytes);
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { cudaFree(data_); }

  template <class T>
  [[nodiscard]] T* as() const {
    return static_cast<T*>(data_);
  }
  [[nodiscard]] void* data() const { return data_; }
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }
  /// All bytes 0xff: NaN in every float format here, so that an unwritten result shows.
  void poison(cudaStream_t stream) const;
  void zero(cudaStream_t stream) const;

 private:
  void* data_ = nullptr;
  std::int64_t bytes_ = 0;
};

/// Elements `first` .. `first + count` of device memory; waits for `stream`.
template <class T>
[[nodiscard]] std::vector<T> download(const T* from, std::int64_t first, std::int64_t count,
                                      cudaStream_t stream) {
  std::vector<T> out(static_cast<std::size_t>(count));
  check(cudaMemcpyAsync(out.data(), from + first, out.size() * sizeof(T), cudaMemcpyDeviceToHost, stream),
        "download");
  check(cudaStreamSynchronize(stream), "download");
  return out;
}
template <class T>
[[nodiscard]] Buffer upload(const std::vector<T>& values, cudaStream_t stream) {
  Buffer out(static_cast<std::int64_t>(values.size() * sizeof(T)));
  check(cudaMemcpyAsync(out.data(), values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice, stream),
        "upload");
  check(cudaStreamSynchronize(stream), "upload");
  return out;
}

/// The GPU that is measured. Its settings are never changed.
struct Device {
  int index = 0;
  std::string name;
  std::string bus_id;
  int compute = 0;  ///< 10 * major + minor: 90 for Hopper
  int sms = 0;
  int l2_bytes = 0;
  int shared_bytes = 0;  ///< most that one block may have
  std::int64_t memory_bytes = 0;
  cudaStream_t stream = nullptr;
  std::unique_ptr<Nvml> nvml;  ///< null where there is none
  std::string nvml_reason;
  std::uint32_t seed = 1;  ///< of the next operands; each case takes fresh ones
  Buffer flush;            ///< twice the L2 cache, made when first needed

  [[nodiscard]] std::uint32_t fresh_seed() { return seed += 0x9e3779b9U; }
};

}  // namespace orrery
