#include <algorithm>

#include "calibrate/probe/cuda/kernels.hpp"
#include "calibrate/probe/cuda/workload.hpp"

namespace orrery {
namespace {

/// Reading, writing and copying device memory or, with a buffer that fits it, the L2 cache.
class Bandwidth : public ProbeCase {
 public:
  enum class Kind { kRead, kWrite, kCopy };
  /// `rounds` of reading in one kernel: what fits the L2 cache takes less time than a launch.
  Bandwidth(Kind kind, std::int64_t bytes, int rounds, Device& device)
      : kind_(kind),
        bytes_(bytes),
        rounds_(rounds),
        device_(device),
        seed_(device.fresh_seed()),
        from_(bytes),
        sink_(4) {
    if (kind == Kind::kCopy) to_ = Buffer(bytes);
    check(launch_fill(Fill::kWords, from_.data(), bytes / 4, seed_, device.stream), "fill");
    if (kind == Kind::kCopy) to_.poison(device.stream);
  }

  std::optional<Verified> verify() override {
    sink_.zero(device_.stream);
    launch(device_.stream);
    const std::int64_t words = bytes_ / 4, checked = std::min<std::int64_t>(words, 1 << 22);
    std::int64_t wrong = 0;
    if (kind_ == Kind::kRead) {
      std::uint32_t expected = 0;
      for (std::int64_t i = 0; i < words; ++i) expected ^= mix(seed_ + static_cast<std::uint32_t>(i));
      wrong = download(sink_.as<std::uint32_t>(), 0, 1, device_.stream)[0] == expected ? 0 : 1;
    } else {
      const std::uint32_t* result =
          kind_ == Kind::kCopy ? to_.as<std::uint32_t>() : from_.as<std::uint32_t>();
      for (const std::int64_t first : {std::int64_t{0}, words - checked}) {
        const std::vector<std::uint32_t> found = download(result, first, checked, device_.stream);
        for (std::int64_t i = 0; i < checked; ++i) {
          const std::uint32_t expected =
              kind_ == Kind::kCopy ? mix(seed_ + static_cast<std::uint32_t>(first + i)) : seed_;
          wrong += found[static_cast<std::size_t>(i)] == expected ? 0 : 1;
        }
      }
    }
    return Verified{.error = static_cast<double>(wrong), .limit = 0};
  }

  void launch(cudaStream_t stream) override {
    switch (kind_) {
      case Kind::kRead:
        check(launch_read(from_.data(), bytes_, sink_.as<std::uint32_t>(), device_.sms, rounds_, stream),
              "read");
        break;
      case Kind::kWrite: check(launch_write(from_.data(), bytes_, seed_, stream), "write"); break;
      case Kind::kCopy: check(launch_copy(to_.data(), from_.data(), bytes_, stream), "copy"); break;
    }
  }

  int rounds() const override { return rounds_; }

 private:
  Kind kind_;
  std::int64_t bytes_;
  int rounds_;
  Device& device_;
  std::uint32_t seed_;
  Buffer from_, to_, sink_;
};

}  // namespace

ProbeCasePtr make_bandwidth(const Case& what, Device& device) {
  const std::int64_t bytes = size_of(what.shape, "bytes");
  const bool copy = what.name == "copy";
  if (bytes < 4096 || bytes % 4096 != 0) unsupported("bytes must be a multiple of 4096");
  if (what.op_class == "bandwidth.l2" && bytes > device.l2_bytes)
    unsupported("the L2 cache has " + std::to_string(device.l2_bytes) + " bytes");
  if (!copy && what.name != "read" && what.name != "write") unsupported("expected read, write or copy");
  // The shape counts bytes read plus written.
  const auto kind = copy                  ? Bandwidth::Kind::kCopy
                    : what.name == "read" ? Bandwidth::Kind::kRead
                                          : Bandwidth::Kind::kWrite;
  // An odd number of rounds leaves the XOR of all words as it is.
  constexpr int kRounds = 65;
  const bool repeat = what.op_class == "bandwidth.l2" && kind == Bandwidth::Kind::kRead;
  return std::make_unique<Bandwidth>(kind, copy ? bytes / 2 : bytes, repeat ? kRounds : 1, device);
}

}  // namespace orrery
