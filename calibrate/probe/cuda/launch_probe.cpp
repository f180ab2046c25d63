#include <chrono>
#include <cstring>

#include "calibrate/probe/cuda/kernels.hpp"
#include "calibrate/probe/cuda/workload.hpp"
#include "calibrate/probe/stopping.hpp"
#include "calibrate/probe/work.hpp"

namespace orrery {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// An empty kernel.
class Nothing : public ProbeCase {
 public:
  explicit Nothing(bool graph) : graph_(graph) {}
  std::optional<Verified> verify() override { return std::nullopt; }
  void launch(cudaStream_t stream) override { check(launch_nothing(stream), "launch"); }
  bool graph() const override { return graph_; }

 private:
  bool graph_;
};

struct PinnedMemory {
  void* data = nullptr;
  explicit PinnedMemory(std::int64_t bytes) {
    check(cudaMallocHost(&data, static_cast<std::size_t>(bytes)), "pinned memory");
  }
  PinnedMemory(const PinnedMemory&) = delete;
  PinnedMemory& operator=(const PinnedMemory&) = delete;
  ~PinnedMemory() { cudaFreeHost(data); }
};

class HostCopy : public ProbeCase {
 public:
  HostCopy(bool to_device, std::int64_t bytes, Device& device)
      : to_device_(to_device), bytes_(bytes), device_(device), there_(bytes), here_(bytes) {
    seed_ = device.fresh_seed();
    check(launch_fill(Fill::kWords, there_.data(), bytes / 4, seed_, device.stream), "fill");
    check(cudaMemcpyAsync(here_.data, there_.data(), static_cast<std::size_t>(bytes), cudaMemcpyDeviceToHost,
                          device.stream),
          "copy");
    check(cudaStreamSynchronize(device.stream), "copy");
  }
  std::optional<Verified> verify() override {
    if (to_device_) {
      there_.poison(device_.stream);
    } else {
      std::memset(here_.data, 0xff, static_cast<std::size_t>(bytes_));
    }
    launch(device_.stream);
    std::vector<std::uint32_t> found =
        to_device_ ? download(there_.as<std::uint32_t>(), 0, bytes_ / 4, device_.stream)
                   : std::vector<std::uint32_t>(static_cast<std::size_t>(bytes_ / 4));
    check(cudaStreamSynchronize(device_.stream), "copy");
    if (!to_device_) std::memcpy(found.data(), here_.data, static_cast<std::size_t>(bytes_));
    double wrong = 0;
    for (std::size_t i = 0; i < found.size(); ++i)
      wrong += found[i] == mix(seed_ + static_cast<std::uint32_t>(i)) ? 0 : 1;
    return Verified{.error = wrong, .limit = 0};
  }
  void launch(cudaStream_t stream) override {
    void* to = to_device_ ? there_.data() : here_.data;
    const void* from = to_device_ ? here_.data : there_.data();
    check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes_),
                          to_device_ ? cudaMemcpyHostToDevice : cudaMemcpyDeviceToHost, stream),
          "copy");
  }
  bool graph() const override { return false; }

 private:
  bool to_device_;
  std::int64_t bytes_;
  Device& device_;
  std::uint32_t seed_ = 0;
  Buffer there_;
  PinnedMemory here_;
};

}  // namespace

Answer run_launch(const Case& what, Device& device, const Effort& effort) {
  if (what.name == "stream" || what.name == "graph") {
    Nothing nothing(what.name == "graph");
    return time_workload(what, device, nothing, effort);
  }
  if (what.name != "host call") unsupported("expected stream, graph or host call");
  // What the call costs the host while the device keeps up: few enough that the queue never fills.
  const auto kernels = std::min<std::int64_t>(std::max<std::int64_t>(size_of(what.shape, "kernels"), 1), 500);
  Samples about_case;
  about_case.executions = kernels;
  return collect(effort, std::move(about_case), [&]() -> std::variant<Sample, Failure> {
    check(cudaStreamSynchronize(device.stream), "launch");
    const Clock::time_point start = Clock::now();
    for (std::int64_t i = 0; i < kernels; ++i) check(launch_nothing(device.stream), "launch");
    const double seconds = seconds_since(start);
    check(cudaStreamSynchronize(device.stream), "launch");
    return sample_of(device, seconds / static_cast<double>(kernels));
  });
}

Answer run_host_copy(const Case& what, Device& device, const Effort& effort) {
  const std::int64_t bytes = size_of(what.shape, "bytes");
  if (bytes < 4 || bytes % 4 != 0) unsupported("bytes must be a multiple of 4");
  HostCopy copy(what.op_class == "copy.host-to-device", bytes, device);
  return time_workload(what, device, copy, effort);
}

}  // namespace orrery
