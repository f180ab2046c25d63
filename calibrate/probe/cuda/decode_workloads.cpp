#include <algorithm>
#include <cmath>

#include "calibrate/probe/cuda/kernels.hpp"
#include "calibrate/probe/cuda/workload.hpp"

namespace orrery {
namespace {

/// Absorbed MLA decode over a paged cache; pages of the sequences lie shuffled in memory.
class MlaDecode : public ProbeCase {
 public:
  static constexpr int kWidth = 576, kLatent = 512, kPage = 64;
  MlaDecode(const Case& what, Device& device)
      : device_(device),
        seed_(device.fresh_seed()),
        fp8_(what.dtype == "fp8-e4m3"),
        wgmma_(what.name == "own wgmma") {
    g_.sequences = static_cast<int>(size_of(what.shape, "sequences"));
    g_.heads = static_cast<int>(size_of(what.shape, "heads"));
    cached_ = static_cast<int>(size_of(what.shape, "cached"));
    g_.max_pages = (cached_ + kPage - 1) / kPage;
    g_.scale = 1 / std::sqrt(192.0F);
    // Parts so many that every SM has a block, but no shorter than four pages.
    const int blocks = g_.sequences * g_.heads / 64;
    g_.splits = std::clamp((device.sms + blocks - 1) / blocks, 1, std::max(1, g_.max_pages / 4));
    const std::int64_t pages = std::int64_t{g_.sequences} * g_.max_pages, elements = pages * kPage * kWidth;
    const std::int64_t rows = std::int64_t{g_.sequences} * g_.heads;
    q_ = Buffer(rows * kWidth * 2);
    check(launch_fill(Fill::kBf16, q_.data(), rows * kWidth, seed_, device.stream), "fill");
    cache_ = Buffer(elements * (fp8_ ? 1 : 2));
    check(launch_fill(fp8_ ? Fill::kE4m3 : Fill::kBf16, cache_.data(), elements, seed_ + 1, device.stream),
          "fill");
    if (fp8_) {
      std::vector<float> scales(static_cast<std::size_t>(pages * kPage));
      for (std::size_t i = 0; i < scales.size(); ++i) scales[i] = scale_of(static_cast<std::int64_t>(i));
      scales_ = upload(scales, device.stream);
      g_.cache_scale = scales_.as<float>();
    }
    table_.resize(static_cast<std::size_t>(pages));
    for (std::size_t i = 0; i < table_.size(); ++i) table_[i] = static_cast<std::int32_t>(i);
    for (std::size_t i = table_.size(); i > 1; --i)
      std::swap(table_[i - 1], table_[mix(seed_ + static_cast<std::uint32_t>(i)) % i]);
    pages_ = upload(table_, device.stream);
    lengths_ =
        upload(std::vector<std::int32_t>(static_cast<std::size_t>(g_.sequences), cached_), device.stream);
    partial_ = Buffer(g_.splits * rows * kLatent * 4);
    partial_lse_ = Buffer(g_.splits * rows * 4);
    out_ = Buffer(rows * kLatent * 2);
    out_.poison(device.stream);
    g_.q = q_.as<std::uint16_t>();
    g_.cache = cache_.data();
    g_.pages = pages_.as<std::int32_t>();
    g_.lengths = lengths_.as<std::int32_t>();
    g_.partial = partial_.as<float>();
    g_.partial_lse = partial_lse_.as<float>();
    g_.out = out_.as<std::uint16_t>();
  }

  std::optional<Verified> verify() override {
    launch(device_.stream);
    Distance distance;
    for (const int sequence : {0, g_.sequences - 1}) {
      for (const int head : {0, g_.heads - 1}) check_head(sequence, head, distance);
    }
    return Verified{.error = distance.value(), .limit = 1e-2};
  }
  void launch(cudaStream_t stream) override {
    check(wgmma_ ? launch_decode_hopper(g_, fp8_, stream) : launch_decode(g_, fp8_, stream), "decode");
  }
  std::string note() const override {
    return std::string(wgmma_ ? "wgmma, " : "mma.sync, ") + std::to_string(g_.splits) + " parts";
  }

 private:
  [[nodiscard]] float scale_of(std::int64_t token) const {
    return (0.75F + static_cast<float>(token % 64) / 128) / 16;
  }
  [[nodiscard]] double cached(int sequence, int token, int d) const {
    const std::int64_t page = table_[static_cast<std::size_t>(sequence * g_.max_pages + token / kPage)];
    const std::int64_t row = page * kPage + token % kPage;
    const float x = random_normal(seed_ + 1, static_cast<std::uint64_t>(row * kWidth + d));
    if (!fp8_) return static_cast<double>(round_to_bf16(x));
    return static_cast<double>(round_to_bf16(from_e4m3(to_e4m3(16 * x)) * scale_of(row)));
  }
  void check_head(int sequence, int head, Distance& distance) {
    std::vector<double> p, expected(kLatent);
    double sum = 0, largest = -1e300;
    const std::int64_t row = std::int64_t{sequence} * g_.heads + head;
    for (int token = 0; token < cached_; ++token) {
      double s = 0;
      for (int d = 0; d < kWidth; ++d) {
        const double q = static_cast<double>(
            round_to_bf16(random_normal(seed_, static_cast<std::uint64_t>(row * kWidth + d))));
        s += q * cached(sequence, token, d);
      }
      p.push_back(s * static_cast<double>(g_.scale));
      largest = std::max(largest, p.back());
    }
    for (double& x : p) sum += x = std::exp(x - largest);
    for (int token = 0; token < cached_; ++token) {
      for (int d = 0; d < kLatent; ++d)
        expected[static_cast<std::size_t>(d)] +=
            p[static_cast<std::size_t>(token)] / sum * cached(sequence, token, d);
    }
    const auto found = download(g_.out, row * kLatent, kLatent, device_.stream);
    for (std::size_t d = 0; d < found.size(); ++d)
      distance.add(static_cast<double>(from_bf16(found[d])), expected[d]);
  }

  Device& device_;
  std::uint32_t seed_;
  bool fp8_;
  bool wgmma_;
  int cached_ = 0;
  std::vector<std::int32_t> table_;
  Buffer q_, cache_, scales_, pages_, lengths_, partial_, partial_lse_, out_;
  DecodeArguments g_;
};

}  // namespace

ProbeCasePtr make_decode(const Case& what, Device& device) {
  const std::int64_t heads = size_of(what.shape, "heads");
  if (heads < 64 || heads % 64 != 0 || size_of(what.shape, "sequences") < 1 ||
      size_of(what.shape, "cached") < 1)
    unsupported("needs sequences, cached tokens and a multiple of 64 heads");
  if (what.shape.contains("page") && size_of(what.shape, "page") != MlaDecode::kPage)
    unsupported("pages have 64 tokens");
  const bool wgmma = what.name == "own wgmma";
  if (wgmma && device.compute != 90) unsupported("wgmma is for compute capability 9.0");
  const int needed = wgmma ? shared_bytes_of_decode_hopper() : shared_bytes_of_decode();
  if (needed > device.shared_bytes)
    unsupported("needs " + std::to_string(needed) + " bytes of shared memory, the device has " +
                std::to_string(device.shared_bytes));
  return std::make_unique<MlaDecode>(what, device);
}

}  // namespace orrery
