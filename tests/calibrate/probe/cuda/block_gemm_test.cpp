// The block-scaled FP8 product against its definition.
#include <gtest/gtest.h>

#include <vector>

#include "calibrate/probe/cuda/block_gemm.cuh"
#include "tests/calibrate/probe/cuda/kernel_world.hpp"

namespace orrery {
namespace {

using namespace test;

struct GemmWorld {
  std::vector<std::uint8_t> a, b;
  std::vector<float> scale_a, scale_b;
  std::vector<std::int32_t> group_of_tile;
  BlockGemmArguments g;

  GemmWorld(int m, int n, int k, int groups, bool row_scales) {
    const auto fill = [](std::vector<std::uint8_t>& to, std::size_t count, std::uint32_t seed) {
      to.resize(count);
      for (std::size_t i = 0; i < count; ++i) to[i] = to_e4m3(16 * random_normal(seed, i));
    };
    const auto scales = [](std::vector<float>& to, std::size_t count, std::uint32_t seed) {
      to.resize(count);
      for (std::size_t i = 0; i < count; ++i) to[i] = 1 + 0.25F * random_normal(seed, i);
    };
    const auto size = [](std::int64_t value) { return static_cast<std::size_t>(value); };
    fill(a, size(std::int64_t{m} * k), 1);
    fill(b, size(std::int64_t{groups} * n * k), 2);
    scales(scale_a, size(m * k / 128), 3);
    scales(scale_b, size(row_scales ? n * (k / 128) : groups * ((n + 127) / 128) * (k / 128)), 4);
    for (int tile = 0; tile * 128 < m; ++tile) group_of_tile.push_back(tile % groups);
    g = {.a = a.data(),
         .b = b.data(),
         .scale_a = scale_a.data(),
         .scale_b = scale_b.data(),
         .group_of_tile = group_of_tile.data(),
         .m = m,
         .n = n,
         .k = k};
  }
  [[nodiscard]] double expected(int i, int j, bool row_scales) const {
    const int group = group_of_tile[static_cast<std::size_t>(i / 128)], blocks = g.k / 128;
    double sum = 0;
    for (int l = 0; l < g.k; ++l) {
      const int block = l / 128;
      const double sb =
          row_scales
              ? scale_b[static_cast<std::size_t>(block * g.n + j)]
              : scale_b[static_cast<std::size_t>((group * ((g.n + 127) / 128) + j / 128) * blocks + block)];
      sum += double{scale_a[static_cast<std::size_t>(block * g.m + i)]} * sb *
             from_e4m3(a[static_cast<std::size_t>(i * g.k + l)]) *
             from_e4m3(b[static_cast<std::size_t>((group * g.n + j) * g.k + l)]);
    }
    return sum;
  }
};

template <int Stages, bool WeightGradient>
void run_gemm(const BlockGemmArguments& g) {
  using Body = BlockGemm<Stages, WeightGradient>;
  std::vector<std::uint8_t> shared(Body::kSharedBytes, 0xff);  // NaN codes where nothing was loaded
  for (int m = 0; m * 128 < g.m; ++m) {
    for (int n = 0; n * 128 < g.n; ++n) {
      HostLanes<typename Body::Registers> lanes(Body::kThreads);
      Body::run(lanes, shared.data(), g, m, n);
    }
  }
}

TEST(BlockGemm, EqualsTheDefinitionForEdgesAndGroups) {
  GemmWorld world(200, 136, 512, 2, false);
  Bf16 c(200 * 136, 0x7fc0);
  world.g.c = c.data();
  run_gemm<3, false>(world.g);
  Distance distance;
  for (int i = 0; i < 200; ++i)
    for (int j = 0; j < 136; ++j) distance.add(at(c, i * 136 + j), world.expected(i, j, false));
  EXPECT_LT(distance.value(), 4e-3);  // bf16 result: 2^-9 at worst
}

TEST(BlockGemm, WeightGradientAddsToWhatIsThere) {
  GemmWorld world(128, 130, 256, 1, true);
  std::vector<float> c(128 * 130, 1000.0F);
  world.g.c = c.data();
  run_gemm<2, true>(world.g);
  Distance distance;
  for (int i = 0; i < 128; ++i)
    for (int j = 0; j < 130; ++j)
      distance.add(c[static_cast<std::size_t>(i * 130 + j)] - 1000.0, world.expected(i, j, true));
  EXPECT_LT(distance.value(), 1e-5);
}

}  // namespace
}  // namespace orrery
