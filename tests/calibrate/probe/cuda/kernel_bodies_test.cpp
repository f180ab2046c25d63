// Whole kernel bodies, run on the host in lockstep (calibrate/probe/cuda/lanes.cuh), against plain references
// in double.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "calibrate/probe/cuda/attention_backward.cuh"
#include "calibrate/probe/cuda/attention_forward.cuh"
#include "calibrate/probe/cuda/attention_hopper.cuh"
#include "calibrate/probe/cuda/block_gemm.cuh"
#include "calibrate/probe/cuda/decode.cuh"
#include "calibrate/probe/cuda/element_wise.cuh"

namespace orrery {
namespace {

using Bf16 = std::vector<std::uint16_t>;

Bf16 random_bf16(std::size_t count, std::uint32_t seed) {
  Bf16 out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = to_bf16(random_normal(seed, i));
  return out;
}
double at(const Bf16& values, std::int64_t i) {
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

// --- Fragments ---

TEST(FragmentMap, EveryElementHasExactlyOneOwner) {
  std::vector<int> a(256), b(128), c(128), a8(512), b8(256);
  for (int lane = 0; lane < 32; ++lane) {
    for (int r = 0; r < 4; ++r) {
      for (int half = 0; half < 2; ++half)
        ++a[static_cast<std::size_t>(FragmentMap::a_row(lane, r) * 16 + FragmentMap::a_col16(lane, r, half))];
      for (int byte = 0; byte < 4; ++byte)
        ++a8[static_cast<std::size_t>(FragmentMap::a_row(lane, r) * 32 +
                                      FragmentMap::a_col32(lane, r, byte))];
      ++c[static_cast<std::size_t>(FragmentMap::c_row(lane, r) * 8 + FragmentMap::c_col(lane, r))];
    }
    for (int r = 0; r < 2; ++r) {
      for (int half = 0; half < 2; ++half)
        ++b[static_cast<std::size_t>(FragmentMap::b_row16(lane, r, half) * 8 + FragmentMap::b_col(lane))];
      for (int byte = 0; byte < 4; ++byte)
        ++b8[static_cast<std::size_t>(FragmentMap::b_row32(lane, r, byte) * 8 + FragmentMap::b_col(lane))];
    }
  }
  for (const std::vector<int>& owners : {a, b, c, a8, b8}) {
    EXPECT_TRUE(std::all_of(owners.begin(), owners.end(), [](int n) { return n == 1; }));
  }
}

TEST(FragmentMap, LanesThatThePtxManualNames) {
  // PTX ISA, m16n8k16 for .bf16: groupID = lane >> 2, threadID_in_group = lane % 4; lane 6: group 1,
  // thread 2.
  EXPECT_EQ(FragmentMap::a_row(6, 0), 1);
  EXPECT_EQ(FragmentMap::a_row(6, 1), 9);
  EXPECT_EQ(FragmentMap::a_col16(6, 0, 1), 5);
  EXPECT_EQ(FragmentMap::a_col16(6, 2, 0), 12);
  EXPECT_EQ(FragmentMap::b_row16(6, 1, 0), 12);
  EXPECT_EQ(FragmentMap::b_col(6), 1);
  EXPECT_EQ(FragmentMap::c_row(6, 2), 9);
  EXPECT_EQ(FragmentMap::c_col(6, 3), 5);
  EXPECT_EQ(FragmentMap::a_col32(6, 3, 3), 27);  // 2 * 4 + 3 + 16
}

TEST(Tile, SwizzledRowsOfAMatrixLieInDifferentBanks) {
  for (int chunk = 0; chunk < 24; ++chunk) {
    std::vector<int> banks;
    for (int row = 8; row < 16; ++row) banks.push_back(tile_offset<24>(row, chunk) / 16 % 8);
    std::sort(banks.begin(), banks.end());
    EXPECT_EQ(std::unique(banks.begin(), banks.end()) - banks.begin(), 8);
  }
}

// --- Block-scaled FP8 product ---

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

// --- Attention ---

template <int QK, int V>
struct AttentionWorld {
  int sequences, sequence, heads, kv_heads;
  Bf16 q, k, v, out, d_out, d_k, d_v;
  std::vector<float> lse, delta, d_q;
  AttentionArguments g;

  AttentionWorld(int b, int s, int h, int kv) : sequences(b), sequence(s), heads(h), kv_heads(kv) {
    const auto rows = static_cast<std::size_t>(b * s);
    const auto hs = static_cast<std::size_t>(h), kvs = static_cast<std::size_t>(kv);
    q = random_bf16(rows * hs * QK, 1);
    k = random_bf16(rows * kvs * QK, 2);
    v = random_bf16(rows * kvs * V, 3);
    d_out = random_bf16(rows * hs * V, 4);
    out.assign(rows * hs * V, 0x7fc0);
    d_k.assign(rows * hs * QK, 0x7fc0);
    d_v.assign(rows * hs * V, 0x7fc0);
    lse.assign(rows * hs, NAN);
    delta.assign(rows * hs, NAN);
    d_q.assign(rows * hs * QK, 0);
    g = {.q = q.data(),
         .k = k.data(),
         .v = v.data(),
         .out = out.data(),
         .lse = lse.data(),
         .sequence = s,
         .heads = h,
         .kv_heads = kv,
         .scale = 1 / std::sqrt(static_cast<float>(QK)),
         .d_out = d_out.data(),
         .delta = delta.data(),
         .d_q = d_q.data(),
         .d_k = d_k.data(),
         .d_v = d_v.data()};
  }
  [[nodiscard]] std::int64_t row(int b, int i, int head, int of_heads) const {
    return (std::int64_t{b} * sequence + i) * of_heads + head;
  }
  [[nodiscard]] int kv_head(int head) const { return head / (heads / kv_heads); }
  /// Probabilities of query `i`, keys 0..i, and the logarithm of their sum.
  [[nodiscard]] std::vector<double> probabilities(int b, int head, int i, double& log_sum) const {
    std::vector<double> p;
    double largest = -1e300, sum = 0;
    for (int j = 0; j <= i; ++j) {
      double s = 0;
      for (int d = 0; d < QK; ++d)
        s += at(q, row(b, i, head, heads) * QK + d) * at(k, row(b, j, kv_head(head), kv_heads) * QK + d);
      p.push_back(s * double{g.scale});
      largest = std::max(largest, p.back());
    }
    for (double& x : p) sum += x = std::exp(x - largest);
    for (double& x : p) x /= sum;
    log_sum = largest + std::log(sum);
    return p;
  }
};

/// Body: AttentionForward with HostLanes, AttentionHopper with HostWarpgroupLanes.
template <class Body, class Lanes, int QK, int V>
void check_forward(AttentionWorld<QK, V> world) {
  // Tiles begin at multiples of 1024 bytes, as the swizzle wants them.
  std::vector<std::uint8_t> memory(Body::kSharedBytes + 1024, 0xff);
  std::uint8_t* shared =
      memory.data() + (1024 - reinterpret_cast<std::uintptr_t>(memory.data()) % 1024) % 1024;
  for (int b = 0; b < world.sequences; ++b)
    for (int head = 0; head < world.heads; ++head)
      for (int tile = 0; tile * 128 < world.sequence; ++tile) {
        Lanes lanes(Body::kThreads);
        Body::run(lanes, shared, world.g, tile, head, b);
      }
  Distance distance;
  for (int b = 0; b < world.sequences; ++b)
    for (int head = 0; head < world.heads; ++head)
      for (int i = 0; i < world.sequence; ++i) {
        double log_sum = 0;
        const std::vector<double> p = world.probabilities(b, head, i, log_sum);
        EXPECT_NEAR(world.lse[static_cast<std::size_t>((b * world.heads + head) * world.sequence + i)],
                    log_sum, 1e-4);
        for (int d = 0; d < V; ++d) {
          double expected = 0;
          for (int j = 0; j <= i; ++j)
            expected += p[static_cast<std::size_t>(j)] *
                        at(world.v, world.row(b, j, world.kv_head(head), world.kv_heads) * V + d);
          distance.add(at(world.out, world.row(b, i, head, world.heads) * V + d), expected);
        }
      }
  EXPECT_LT(distance.value(), 6e-3);  // bf16 probabilities and results
}

template <class Body>
using Plain = HostLanes<typename Body::Registers>;
template <class Body>
using Warpgroups = HostWarpgroupLanes<typename Body::Registers>;

TEST(AttentionForward, MlaDimensionsEqualTheDefinitionAtAnUnevenLength) {
  using Body = AttentionForward<192, 128, 2>;
  check_forward<Body, Plain<Body>>(AttentionWorld<192, 128>(2, 150, 2, 2));
}
TEST(AttentionForward, GroupedQueriesAndOneStage) {
  using Body = AttentionForward<128, 128, 1>;
  check_forward<Body, Plain<Body>>(AttentionWorld<128, 128>(1, 130, 4, 2));
}
TEST(AttentionHopper, MlaDimensionsEqualTheDefinitionAtAnUnevenLength) {
  using Body = AttentionHopper<192>;
  check_forward<Body, Warpgroups<Body>>(AttentionWorld<192, 128>(2, 300, 1, 1));
}
TEST(AttentionHopper, GroupedQueries) {
  using Body = AttentionHopper<128>;
  check_forward<Body, Warpgroups<Body>>(AttentionWorld<128, 128>(1, 130, 4, 2));
}

TEST(AttentionBackward, GradientsEqualTheDefinition) {
  AttentionWorld<192, 128> world(1, 100, 2, 1);
  using Body = AttentionBackward<192, 128>;
  const int s = world.sequence;
  std::vector<std::vector<std::vector<double>>> p(2);
  std::vector<std::vector<double>> delta(2, std::vector<double>(static_cast<std::size_t>(s)));
  const auto d_out = [&](int head, int i, int d) {
    return at(world.d_out, world.row(0, i, head, 2) * 128 + d);
  };
  const auto value = [&](int j, int d) { return at(world.v, world.row(0, j, 0, 1) * 128 + d); };
  for (int head = 0; head < 2; ++head) {
    for (int i = 0; i < s; ++i) {
      double log_sum = 0;
      p[static_cast<std::size_t>(head)].push_back(world.probabilities(0, head, i, log_sum));
      double sum = 0;
      for (int j = 0; j <= i; ++j)
        for (int d = 0; d < 128; ++d)
          sum += p[static_cast<std::size_t>(head)].back()[static_cast<std::size_t>(j)] * value(j, d) *
                 d_out(head, i, d);
      delta[static_cast<std::size_t>(head)][static_cast<std::size_t>(i)] = sum;
      world.lse[static_cast<std::size_t>(head * s + i)] = static_cast<float>(log_sum);
      world.delta[static_cast<std::size_t>(head * s + i)] = static_cast<float>(sum);
    }
  }
  std::vector<std::uint8_t> shared(Body::kSharedBytes, 0xff);
  for (int head = 0; head < 2; ++head)
    for (int tile = 0; tile * 64 < s; ++tile) {
      HostLanes<Body::Registers> lanes(Body::kThreads);
      Body::run(lanes, shared.data(), world.g, tile, head, 0);
    }
  Distance q, k, v;
  for (int head = 0; head < 2; ++head) {
    std::vector<double> d_q(static_cast<std::size_t>(s) * 192), d_k(d_q),
        d_v(static_cast<std::size_t>(s) * 128);
    for (int i = 0; i < s; ++i)
      for (int j = 0; j <= i; ++j) {
        const double pij =
            p[static_cast<std::size_t>(head)][static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
        double d_p = 0;
        for (int d = 0; d < 128; ++d) {
          d_p += d_out(head, i, d) * value(j, d);
          d_v[static_cast<std::size_t>(j * 128 + d)] += pij * d_out(head, i, d);
        }
        const double d_s = double{world.g.scale} * pij *
                           (d_p - delta[static_cast<std::size_t>(head)][static_cast<std::size_t>(i)]);
        for (int d = 0; d < 192; ++d) {
          d_q[static_cast<std::size_t>(i * 192 + d)] += d_s * at(world.k, world.row(0, j, 0, 1) * 192 + d);
          d_k[static_cast<std::size_t>(j * 192 + d)] += d_s * at(world.q, world.row(0, i, head, 2) * 192 + d);
        }
      }
    for (int i = 0; i < s; ++i) {
      for (int d = 0; d < 192; ++d) {
        const std::int64_t place = world.row(0, i, head, 2) * 192 + d;
        q.add(world.d_q[static_cast<std::size_t>(place)], d_q[static_cast<std::size_t>(i * 192 + d)]);
        k.add(at(world.d_k, place), d_k[static_cast<std::size_t>(i * 192 + d)]);
      }
      for (int d = 0; d < 128; ++d)
        v.add(at(world.d_v, world.row(0, i, head, 2) * 128 + d), d_v[static_cast<std::size_t>(i * 128 + d)]);
    }
  }
  EXPECT_LT(q.value(), 8e-3);
  EXPECT_LT(k.value(), 8e-3);
  EXPECT_LT(v.value(), 8e-3);
}

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

// --- Element-wise kernels ---

TEST(ElementWise, SwiGluResidualRotaryAndPermuteEqualTheirFormulas) {
  const std::int64_t rows = 3, width = 128;
  const Bf16 x = random_bf16(rows * 2 * width, 1), y = random_bf16(rows * width, 2);
  std::vector<float> angles;
  for (int sine = 0; sine < 2; ++sine)
    for (int row = 0; row < rows; ++row)
      for (int j = 0; j < 32; ++j)
        angles.push_back(static_cast<float>(sine == 0 ? std::cos(row * 0.1 * j) : std::sin(row * 0.1 * j)));
  const std::vector<std::int32_t> source{2, 0, 1};
  Bf16 out(rows * width);
  const ElementArguments g{.x = x.data(),
                           .y = y.data(),
                           .angles = angles.data(),
                           .source = source.data(),
                           .out = out.data(),
                           .rows = rows,
                           .width = width,
                           .head = 64};
  const auto check = [&](auto body, auto expected) {
    std::fill(out.begin(), out.end(), std::uint16_t{0x7fc0});
    for (std::int64_t i = 0; i < rows * width / 8; ++i) body.run(g, i);
    for (std::int64_t i = 0; i < rows * width; ++i) {
      const double want = expected(i / width, i % width);
      EXPECT_NEAR(at(out, i), want, std::abs(want) / 200 + 1e-6);
    }
  };
  check(ResidualAdd{},
        [&](std::int64_t r, std::int64_t c) { return at(x, r * width + c) + at(y, r * width + c); });
  check(SwiGlu{}, [&](std::int64_t r, std::int64_t c) {
    const double gate = at(x, r * 2 * width + c);
    return gate / (1 + std::exp(-gate)) * at(x, r * 2 * width + width + c);
  });
  check(Rotary{}, [&](std::int64_t r, std::int64_t c) {
    const double angle = static_cast<double>(r) * 0.1 * static_cast<double>(c % 64 / 2);
    const double a = at(x, r * width + c / 2 * 2), b = at(x, r * width + c / 2 * 2 + 1);
    return c % 2 == 0 ? a * std::cos(angle) - b * std::sin(angle) : a * std::sin(angle) + b * std::cos(angle);
  });
  check(PermuteRows{}, [&](std::int64_t r, std::int64_t c) {
    return at(x, source[static_cast<std::size_t>(r)] * width + c);
  });
}

TEST(ElementWise, RmsNormEqualsItsFormula) {
  const std::int64_t width = 7168;
  const Bf16 x = random_bf16(2 * width, 1), weight = random_bf16(width, 2);
  Bf16 out(2 * width, 0x7fc0);
  const ElementArguments g{.x = x.data(), .y = weight.data(), .out = out.data(), .rows = 2, .width = width};
  for (std::int64_t row = 0; row < 2; ++row) {
    float shared[8];
    HostLanes<RmsNorm::Registers> lanes(RmsNorm::kThreads);
    RmsNorm::run(lanes, shared, g, row);
    double squares = 0;
    for (std::int64_t i = 0; i < width; ++i) squares += at(x, row * width + i) * at(x, row * width + i);
    const double root = std::sqrt(squares / static_cast<double>(width) + 1e-6);
    for (std::int64_t i = 0; i < width; ++i) {
      const double want = at(x, row * width + i) / root * at(weight, i);
      EXPECT_NEAR(at(out, row * width + i), want, std::abs(want) / 200 + 1e-6);
    }
  }
}

TEST(ElementWise, QuantiseKeepsEveryValueWithinHalfAStep) {
  const std::int64_t rows = 5, width = 384;
  Bf16 x = random_bf16(rows * width, 1);
  for (std::int64_t i = 0; i < 128; ++i) x[static_cast<std::size_t>(i)] = 0;  // a block of zeros
  std::vector<std::uint8_t> codes(x.size(), 0x7f);
  std::vector<float> scales(rows * width / 128, NAN);
  const ElementArguments g{
      .x = x.data(), .codes = codes.data(), .scales = scales.data(), .rows = rows, .width = width};
  for (std::int64_t first = 0; first < rows * width / 8;
       first += 64) {  // 240 groups of eight: the last block is cut
    HostLanes<Quantise::Registers> lanes(64);
    Quantise::run(lanes, g, first);
  }
  for (std::int64_t i = 0; i < rows * width; ++i) {
    const double scale = scales[static_cast<std::size_t>(i % width / 128 * rows + i / width)];
    const double back = from_e4m3(codes[static_cast<std::size_t>(i)]) * scale;
    // A step is 2^-3 of the binade (half of it: 1/16 of the value), or 2^-9 of the scale below the smallest
    // normal.
    EXPECT_LE(std::abs(back - at(x, i)), std::max(std::abs(at(x, i)) / 16, scale * std::exp2(-10)) * 1.001);
  }
}

TEST(ElementWise, CastTransposeHoldsTheSameValuesTurnedRound) {
  const std::int64_t rows = 256, width = 128;
  const Bf16 x = random_bf16(rows * width, 1);
  std::vector<std::uint8_t> codes(x.size(), 0x7f);
  std::vector<float> scales(rows / 128 * width, NAN);
  const ElementArguments g{
      .x = x.data(), .codes = codes.data(), .scales = scales.data(), .rows = rows, .width = width};
  std::vector<std::uint16_t> shared(CastTranspose::kSharedBytes / 2);
  for (std::int64_t row = 0; row < rows; row += 128)
    for (std::int64_t column = 0; column < width; column += 64) {
      HostLanes<CastTranspose::Registers> lanes(CastTranspose::kThreads);
      CastTranspose::run(lanes, shared.data(), g, row, column);
    }
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < width; ++c) {
      const double scale = scales[static_cast<std::size_t>(r / 128 * width + c)];
      const double back = from_e4m3(codes[static_cast<std::size_t>(c * rows + r)]) * scale;
      EXPECT_LE(std::abs(back - at(x, r * width + c)),
                std::max(std::abs(at(x, r * width + c)) / 16, scale * std::exp2(-10)) * 1.001);
    }
}

TEST(Exchange, DispatchThenCombineWithWeightsThatSumToOneGivesTheTokenBack) {
  const int tokens = 6, hidden = 256, top_k = 3;
  const Bf16 x = random_bf16(tokens * hidden, 1);
  std::vector<std::int32_t> place(tokens * top_k);
  std::iota(place.begin(), place.end(), 0);
  std::shuffle(place.begin(), place.end(), std::mt19937(5));
  std::vector<float> weight;
  for (int i = 0; i < tokens; ++i) weight.insert(weight.end(), {0.5F, 0.25F, 0.25F});
  std::vector<std::uint8_t> codes(tokens * top_k * hidden, 0x7f);
  std::vector<float> scales(tokens * top_k * 2, NAN);
  ExchangeArguments g{.x = x.data(),
                      .place = place.data(),
                      .weight = weight.data(),
                      .codes = codes.data(),
                      .scales = scales.data(),
                      .tokens = tokens,
                      .hidden = hidden,
                      .top_k = top_k};
  for (std::int64_t first = 0; first < tokens * hidden / 8; first += 128) {
    HostLanes<DispatchLocal::Registers> lanes(128);
    DispatchLocal::run(lanes, g, first);
  }
  Bf16 rows(codes.size()), out(x.size());
  for (std::size_t i = 0; i < codes.size(); ++i) rows[i] = to_bf16(from_e4m3(codes[i]) * scales[i / 128]);
  g.x = rows.data();
  g.out = out.data();
  for (std::int64_t i = 0; i < tokens * hidden / 8; ++i) CombineLocal::run(g, i);
  Distance distance;
  for (std::int64_t i = 0; i < tokens * hidden; ++i) distance.add(at(out, i), at(x, i));
  EXPECT_LT(distance.value(), 0.035);  // E4M3 keeps 3 bits of mantissa: uniform rounding error 2^-4 / sqrt(3)
}

}  // namespace
}  // namespace orrery
