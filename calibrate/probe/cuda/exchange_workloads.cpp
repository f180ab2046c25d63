#include <algorithm>

#include "calibrate/probe/cuda/kernels.hpp"
#include "calibrate/probe/cuda/workload.hpp"

namespace orrery {
namespace {

/// Local parts of the expert all-to-all on one GPU. What one GPU cannot tell - the transfer to peers, waiting
/// for them, the notification - is not in it; the note of the samples says so.
class Exchange : public ProbeCase {
 public:
  Exchange(bool combine, const Case& what, Device& device)
      : combine_(combine),
        device_(device),
        seed_(device.fresh_seed()),
        sms_(static_cast<int>(size_of(what.shape, "sms"))) {
    g_.tokens = static_cast<int>(size_of(what.shape, "tokens"));
    g_.hidden = static_cast<int>(size_of(what.shape, "hidden"));
    g_.top_k = static_cast<int>(size_of(what.shape, "top_k"));
    const std::int64_t copies = std::int64_t{g_.tokens} * g_.top_k, rows = combine ? copies : g_.tokens;
    x_ = Buffer(rows * g_.hidden * 2);
    check(launch_fill(Fill::kBf16, x_.data(), rows * g_.hidden, seed_, device.stream), "fill");
    host_place_.resize(static_cast<std::size_t>(copies));
    for (std::size_t i = 0; i < host_place_.size(); ++i) host_place_[i] = static_cast<std::int32_t>(i);
    for (std::size_t i = host_place_.size(); i > 1; --i)
      std::swap(host_place_[i - 1], host_place_[mix(seed_ + static_cast<std::uint32_t>(i)) % i]);
    place_ = upload(host_place_, device.stream);
    for (std::size_t i = 0; i < host_place_.size(); ++i)
      host_weight_.push_back(0.05F +
                             static_cast<float>(mix(seed_ ^ static_cast<std::uint32_t>(i)) % 1000U) * 1e-3F);
    weight_ = upload(host_weight_, device.stream);
    out_ = Buffer(combine ? std::int64_t{g_.tokens} * g_.hidden * 2 : copies * g_.hidden);
    scales_ = Buffer(copies * (g_.hidden / 128) * 4);
    out_.poison(device.stream);
    scales_.poison(device.stream);
    g_.x = x_.as<std::uint16_t>();
    g_.place = place_.as<std::int32_t>();
    g_.weight = weight_.as<float>();
    g_.codes = out_.as<std::uint8_t>();
    g_.scales = scales_.as<float>();
    g_.out = out_.as<std::uint16_t>();
  }

  std::optional<Verified> verify() override {
    launch(device_.stream);
    Distance distance;
    for (const int token : {0, 1, g_.tokens / 2, g_.tokens - 1}) {
      if (combine_) {
        check_combined(token, distance);
      } else {
        check_dispatched(token, distance);
      }
    }
    return Verified{.error = distance.value(), .limit = combine_ ? 4e-3 : 0.035};
  }
  void launch(cudaStream_t stream) override {
    check(launch_exchange(combine_, g_, sms_, device_.sms, stream), "exchange");
  }
  std::string note() const override {
    return "local part on one GPU: no transfer to peers, no waiting, no notification";
  }

 private:
  [[nodiscard]] double x(std::int64_t i) const {
    return static_cast<double>(round_to_bf16(random_normal(seed_, static_cast<std::uint64_t>(i))));
  }
  [[nodiscard]] std::int64_t row_of(int token, int copy) const {
    return host_place_[static_cast<std::size_t>(token * g_.top_k + copy)];
  }
  void check_dispatched(int token, Distance& distance) {
    for (int copy = 0; copy < g_.top_k; ++copy) {
      const std::int64_t row = row_of(token, copy);
      const auto codes = download(g_.codes, row * g_.hidden, g_.hidden, device_.stream);
      const auto scales = download(g_.scales, row * (g_.hidden / 128), g_.hidden / 128, device_.stream);
      for (int c = 0; c < g_.hidden; ++c) {
        const double found = static_cast<double>(from_e4m3(codes[static_cast<std::size_t>(c)])) *
                             static_cast<double>(scales[static_cast<std::size_t>(c / 128)]);
        distance.add(found, x(std::int64_t{token} * g_.hidden + c));
      }
    }
  }
  void check_combined(int token, Distance& distance) {
    const auto found = download(g_.out, std::int64_t{token} * g_.hidden, g_.hidden, device_.stream);
    for (int c = 0; c < g_.hidden; ++c) {
      double sum = 0;
      for (int copy = 0; copy < g_.top_k; ++copy)
        sum += static_cast<double>(host_weight_[static_cast<std::size_t>(token * g_.top_k + copy)]) *
               x(row_of(token, copy) * g_.hidden + c);
      distance.add(static_cast<double>(from_bf16(found[static_cast<std::size_t>(c)])), sum);
    }
  }

  bool combine_;
  Device& device_;
  std::uint32_t seed_;
  int sms_;
  std::vector<std::int32_t> host_place_;
  std::vector<float> host_weight_;
  Buffer x_, place_, weight_, out_, scales_;
  ExchangeArguments g_;
};

}  // namespace

ProbeCasePtr make_exchange(const Case& what, Device& device) {
  if (size_of(what.shape, "tokens") < 2 || size_of(what.shape, "hidden") % 128 != 0 ||
      size_of(what.shape, "hidden") < 128 || size_of(what.shape, "top_k") < 1)
    unsupported("needs tokens, a hidden width that 128 divides, and top_k");
  if (size_of(what.shape, "sms") > device.sms)
    unsupported("the device has " + std::to_string(device.sms) + " SMs");
  return std::make_unique<Exchange>(what.op_class == "combine", what, device);
}

}  // namespace orrery
