#include "calibrate/probe/cuda/gemm_operands.hpp"

namespace orrery {
namespace {

/// Our own block-scaled FP8 product (block_gemm.cuh).
class OwnGemm : public ProbeCase {
 public:
  OwnGemm(const Case& what, Device& device) : device_(device), o_(make_gemm_operands(what, device, false)) {
    if (o_.scaling != GemmScaling::kBlock) unsupported("the own product is for block scales");
    if (device.compute < 89 || device.compute >= 100)
      unsupported("the own product is for compute capability 8.9 and 9.0");
    if (shared_bytes_of_block_gemm() > device.shared_bytes) unsupported("too little shared memory");
    if (o_.weight_gradient && o_.groups() > 1) unsupported("the own product has no grouped weight gradient");
    for (const std::int64_t rows : o_.rows) {
      if (o_.groups() > 1 && rows % 128 != 0) unsupported("groups need rows that 128 divides");
    }
    std::vector<std::int32_t> groups;
    for (std::size_t group = 0; group < o_.rows.size(); ++group)
      groups.insert(groups.end(), static_cast<std::size_t>((o_.rows[group] + 127) / 128),
                    static_cast<std::int32_t>(group));
    groups_ = upload(groups, device.stream);
    g_ = {.a = o_.a.as<std::uint8_t>(),
          .b = o_.b.as<std::uint8_t>(),
          .scale_a = o_.scale_a.as<float>(),
          .scale_b = o_.scale_b.as<float>(),
          .c = o_.c.data(),
          .group_of_tile = groups_.as<std::int32_t>(),
          .m = static_cast<int>(o_.m),
          .n = static_cast<int>(o_.n),
          .k = static_cast<int>(o_.k)};
  }
  std::optional<Verified> verify() override {
    if (o_.weight_gradient) {
      o_.c.zero(device_.stream);
    } else {
      o_.c.poison(device_.stream);
    }
    launch(device_.stream);
    return o_.compare(device_.stream);
  }
  void launch(cudaStream_t stream) override {
    check(launch_block_gemm(g_, o_.weight_gradient, stream), "block product");
  }
  /// Hopper's mma.sync has no FP8: the compiler widens the operands to half precision.
  std::string note() const override {
    return device_.compute == 90 ? "mma.sync e4m3, by way of half precision" : "mma.sync e4m3";
  }

 private:
  Device& device_;
  GemmOperands o_;
  Buffer groups_;
  BlockGemmArguments g_;
};

}  // namespace

ProbeCasePtr make_own_gemm(const Case& what, Device& device) {
  return std::make_unique<OwnGemm>(what, device);
}

}  // namespace orrery
