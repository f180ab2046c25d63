// Decode attention over a paged cache against its definition.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "calibrate/probe/cuda/decode.cuh"
#include "tests/calibrate/probe/cuda/kernel_world.hpp"

namespace orrery {
namespace {

using namespace test;

template <bool Fp8, bool Hopper, template <class> class Lanes>
void check_decode() {
  using Body = Decode<Fp8, Hopper>;
  const int heads = 64, max_pages = 3, pages = 7;
  const std::vector<std::int32_t> lengths{130, 64, 1};
  const std::vector<std::int32_t> table{5, 0, 3, 6, -1, -1, 2, -1, -1};
  const Bf16 q = random_bf16(3 * 64 * 576, 1);
  Bf16 cache = random_bf16(static_cast<std::size_t>(pages) * 64 * 576, 2);
  std::vector<std::uint8_t> codes(cache.size());
  std::vector<float> scales(static_cast<std::size_t>(pages) * 64);
  for (std::size_t i = 0; i < cache.size(); ++i) {
    float& scale = scales[i / 576];
    scale = 0.5F + 0.01F * static_cast<float>(i / 576 % 64);
    codes[i] = to_e4m3(from_bf16(cache[i]) / scale);
    if (Fp8) cache[i] = to_bf16(from_e4m3(codes[i]) * scale);
  }
  for (const int splits : {1, 2, 5}) {
    std::vector<float> partial(static_cast<std::size_t>(splits) * 3 * 64 * 512, NAN),
        partial_lse(static_cast<std::size_t>(splits) * 3 * 64, NAN);
    Bf16 out(3 * 64 * 512, 0x7fc0);
    const DecodeArguments g{.q = q.data(),
                            .cache = Fp8 ? static_cast<const void*>(codes.data()) : cache.data(),
                            .cache_scale = scales.data(),
                            .pages = table.data(),
                            .lengths = lengths.data(),
                            .partial = partial.data(),
                            .partial_lse = partial_lse.data(),
                            .out = out.data(),
                            .sequences = 3,
                            .heads = heads,
                            .max_pages = max_pages,
                            .splits = splits,
                            .scale = 1 / std::sqrt(192.0F)};
    std::vector<std::uint8_t> memory(Body::kSharedBytes + 1024, 0xff);
    std::uint8_t* shared =
        memory.data() + (1024 - reinterpret_cast<std::uintptr_t>(memory.data()) % 1024) % 1024;
    for (int sequence = 0; sequence < 3; ++sequence)
      for (int split = 0; split < splits; ++split) {
        Lanes<typename Body::Registers> lanes(Body::kThreads);
        Body::run(lanes, shared, g, 0, sequence, split);
      }
    for (std::int64_t i = 0; i < 3 * 64 * 512; ++i) Body::join(g, i);
    Distance distance;
    for (int sequence = 0; sequence < 3; ++sequence) {
      const auto cached = [&](int token, int d) {
        return at(cache,
                  (std::int64_t{table[static_cast<std::size_t>(sequence * max_pages + token / 64)]} * 64 +
                   token % 64) *
                          576 +
                      d);
      };
      for (int head = 0; head < heads; head += 9) {
        std::vector<double> p;
        double sum = 0;
        for (int token = 0; token < lengths[static_cast<std::size_t>(sequence)]; ++token) {
          double s = 0;
          for (int d = 0; d < 576; ++d) s += at(q, (sequence * heads + head) * 576 + d) * cached(token, d);
          p.push_back(std::exp(s * double{g.scale}));
          sum += p.back();
        }
        for (int d = 0; d < 512; ++d) {
          double expected = 0;
          for (std::size_t token = 0; token < p.size(); ++token)
            expected += p[token] / sum * cached(static_cast<int>(token), d);
          distance.add(at(out, (sequence * heads + head) * 512 + d), expected);
        }
      }
    }
    EXPECT_LT(distance.value(), 8e-3) << splits << " splits";
  }
}
TEST(Decode, PagedSplitCacheEqualsTheDefinition) {
  check_decode<false, false, HostLanes>();
}
TEST(Decode, Fp8CacheEqualsTheDefinitionOfItsRoundedValues) {
  check_decode<true, false, HostLanes>();
}

TEST(DecodeHopper, PagedSplitCacheEqualsTheDefinition) {
  check_decode<false, true, HostWarpgroupLanes>();
}
TEST(DecodeHopper, Fp8CacheEqualsTheDefinitionOfItsRoundedValues) {
  check_decode<true, true, HostWarpgroupLanes>();
}

}  // namespace
}  // namespace orrery
