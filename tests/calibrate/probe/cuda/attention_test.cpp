// Attention, forward and backward, against its definition.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "calibrate/probe/cuda/attention_backward.cuh"
#include "calibrate/probe/cuda/attention_forward.cuh"
#include "calibrate/probe/cuda/attention_hopper.cuh"
#include "tests/calibrate/probe/cuda/kernel_world.hpp"

namespace orrery {
namespace {

using namespace test;

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

}  // namespace
}  // namespace orrery
