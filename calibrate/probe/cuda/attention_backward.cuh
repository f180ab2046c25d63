#pragma once

#include "calibrate/probe/cuda/attention_forward.cuh"

namespace orrery {

/// Causal attention, backward (FlashAttention-2, arXiv 2307.08691, algorithm 2). With P = exp(scale Q K^T -
/// lse) and delta = sum over V of out * d_out for each query:
///
///   dV = P^T dO        dP = dO V^T        dS = scale * P (dP - delta)        dK = dS^T Q        dQ = dS K
///
/// A block of 256 threads owns 64 keys of one query head, keeps dK and dV in registers, walks the queries 64
/// at a time and adds its part of dQ to an FP32 buffer in device memory (atomically: the order of the sums
/// differs between runs). mma.sync m16n8k16, sm_80 and newer. Warps: 4 along the rows of each product, 2
/// along its columns.
///
/// Never run on a GPU so far; the body runs in tests/calibrate/probe/cuda on the host.
/// Loops over steps of 16 stay loops: unrolled, their addresses would not leave room for the sums in
/// registers.
template <int QK, int V>
struct AttentionBackward {
  static constexpr int kThreads = 256, kQueries = 64, kKeys = 64;
  static constexpr int kQkChunks = QK / 8, kVChunks = V / 8, kPChunks = kKeys / 8;
  static constexpr int kKeyBytes = kKeys * QK * 2, kValueBytes = kKeys * V * 2;
  static constexpr int kQueryBytes = kQueries * QK * 2, kGradBytes = kQueries * V * 2,
                       kPBytes = kQueries * kKeys * 2;
  static constexpr int kSharedBytes = kKeyBytes + kValueBytes + kQueryBytes + kGradBytes + 2 * kPBytes;

  struct Registers {
    float d_k[QK / 16][4];     ///< 16 keys x QK / 2
    float d_v[V / 16][4];      ///< 16 keys x V / 2
    float s[4][4], d_p[4][4];  ///< 16 queries x 32 keys
    float d_q[QK / 16][4];     ///< 16 queries x QK / 2
    std::uint32_t a[4], b[4];
  };

  template <class Lanes>
  static ORRERY_HD void run(Lanes& lanes, std::uint8_t* shared, const AttentionArguments& g, int tile,
                            int head, int batch) {
    std::uint8_t* keys = shared;
    std::uint8_t* values = keys + kKeyBytes;
    std::uint8_t* queries = values + kValueBytes;
    std::uint8_t* grads = queries + kQueryBytes;
    std::uint8_t* p = grads + kGradBytes;
    std::uint8_t* d_s = p + kPBytes;
    const int first_key = tile * kKeys, kv = head / (g.heads / g.kv_heads);
    const std::int64_t row = std::int64_t{batch} * g.sequence;
    const std::int64_t k_row = std::int64_t{g.kv_heads} * QK, v_row = std::int64_t{g.kv_heads} * V;
    const std::int64_t q_row = std::int64_t{g.heads} * QK, o_row = std::int64_t{g.heads} * V;

    load_tile<kKeys, kQkChunks, kThreads>(lanes, keys, g.k + (row + first_key) * k_row + kv * QK, 2 * k_row,
                                          g.sequence - first_key);
    load_tile<kKeys, kVChunks, kThreads>(lanes, values, g.v + (row + first_key) * v_row + kv * V, 2 * v_row,
                                         g.sequence - first_key);
    lanes.each([](int, Registers& r) {
      ORRERY_UNROLL
      for (int i = 0; i < QK / 16 * 4; ++i) r.d_k[i / 4][i % 4] = 0;
      ORRERY_UNROLL
      for (int i = 0; i < V / 16 * 4; ++i) r.d_v[i / 4][i % 4] = 0;
    });
    // Queries before the first key see none of these keys; kQueries == kKeys, so the first tile is the
    // diagonal one.
    for (int first = first_key; first < g.sequence; first += kQueries) {
      load_tile<kQueries, kQkChunks, kThreads>(lanes, queries, g.q + (row + first) * q_row + head * QK,
                                               2 * q_row, g.sequence - first);
      load_tile<kQueries, kVChunks, kThreads>(lanes, grads, g.d_out + (row + first) * o_row + head * V,
                                              2 * o_row, g.sequence - first);
      lanes.each([](int, Registers&) {
        Lanes::commit_copies();
        Lanes::template wait_copies<0>();
      });
      lanes.barrier();
      const std::int64_t stats = (std::int64_t{batch} * g.heads + head) * g.sequence;
      probabilities(lanes, queries, keys, grads, values, p, d_s, g, stats, first, first_key);
      lanes.barrier();
      product_transposed<V / 16, kVChunks>(lanes, p, grads, [](Registers& r, int i) { return r.d_v[i]; });
      product_transposed<QK / 16, kQkChunks>(lanes, d_s, queries,
                                             [](Registers& r, int i) { return r.d_k[i]; });
      query_gradient(lanes, d_s, keys, g, head, batch, first);
      lanes.barrier();  // everybody has left queries, grads, p and d_s
    }
    lanes.each([&](int thread, Registers& r) {
      store<QK>(thread, r.d_k, g.d_k, g, first_key, head, batch);
      store<V>(thread, r.d_v, g.d_v, g, first_key, head, batch);
    });
  }

 private:
  static ORRERY_HD int warp_row(int thread) { return thread / 32 % 4 * 16; }
  static ORRERY_HD int warp_half(int thread) { return thread / 128; }

  /// c[4] of 16 x 32 += rows of `a` times rows of `b`, both [row][Chunks * 8].
  template <int Chunks, class Lanes, class C>
  static ORRERY_HD void product(Lanes& lanes, const std::uint8_t* a, const std::uint8_t* b, C c) {
    ORRERY_ROLL
    for (int step = 0; step < Chunks / 2; ++step) {
      lanes.template ldmatrix<false>([&](int thread, Registers& r) {
        return LdmatrixOperands{a + rows_first<Chunks>(thread % 32, warp_row(thread), 2 * step), r.a};
      });
      ORRERY_UNROLL
      for (int j = 0; j < 2; ++j) {
        lanes.template ldmatrix<false>([&](int thread, Registers& r) {
          return LdmatrixOperands{
              b + chunks_first<Chunks>(thread % 32, warp_half(thread) * 32 + j * 16, 2 * step), r.b};
        });
        lanes.mma_bf16([&](Registers& r) { return MmaOperands{c(r, 2 * j), r.a, r.b}; });
        lanes.mma_bf16([&](Registers& r) { return MmaOperands{c(r, 2 * j + 1), r.a, r.b + 2}; });
      }
    }
  }

  template <class Lanes>
  static ORRERY_HD void probabilities(Lanes& lanes, const std::uint8_t* queries, const std::uint8_t* keys,
                                      const std::uint8_t* grads, const std::uint8_t* values, std::uint8_t* p,
                                      std::uint8_t* d_s, const AttentionArguments& g, std::int64_t stats,
                                      int first, int first_key) {
    lanes.each([](int, Registers& r) {
      ORRERY_UNROLL
      for (int i = 0; i < 16; ++i) r.s[i / 4][i % 4] = r.d_p[i / 4][i % 4] = 0;
    });
    product<kQkChunks>(lanes, queries, keys, [](Registers& r, int i) { return r.s[i]; });
    product<kVChunks>(lanes, grads, values, [](Registers& r, int i) { return r.d_p[i]; });
    lanes.each([&](int thread, Registers& r) {
      const int lane = thread % 32;
      ORRERY_UNROLL
      for (int half = 0; half < 2; ++half) {
        const int in_tile = warp_row(thread) + FragmentMap::c_row(lane, 2 * half);
        const int query = first + in_tile;
        const bool real = query < g.sequence;
        const float lse = real ? g.lse[stats + query] : 0.0F;
        const float delta = real ? g.delta[stats + query] : 0.0F;
        ORRERY_UNROLL
        for (int i = 0; i < 4; ++i) {
          const int column = warp_half(thread) * 32 + i * 8 + FragmentMap::c_col(lane, 0);
          float probability[2], gradient[2];
          ORRERY_UNROLL
          for (int e = 0; e < 2; ++e) {
            const bool seen = real && first_key + column + e <= query;
            probability[e] = seen ? exp2_of((r.s[i][2 * half + e] * g.scale - lse) * kLog2E) : 0.0F;
            gradient[e] = g.scale * probability[e] * (r.d_p[i][2 * half + e] - delta);
          }
          const int place = tile_offset<kPChunks>(in_tile, column / 8) + column % 8 * 2;
          *reinterpret_cast<std::uint32_t*>(p + place) = pack_bf16(probability[0], probability[1]);
          *reinterpret_cast<std::uint32_t*>(d_s + place) = pack_bf16(gradient[0], gradient[1]);
        }
      }
    });
  }

  /// c (16 keys x half the width) += P^T X with P [query][key] and X [query][width].
  template <int Tiles, int Chunks, class Lanes, class C>
  static ORRERY_HD void product_transposed(Lanes& lanes, const std::uint8_t* p, const std::uint8_t* x, C c) {
    ORRERY_ROLL
    for (int step = 0; step < kQueries / 16; ++step) {
      lanes.template ldmatrix<true>([&](int thread, Registers& r) {
        return LdmatrixOperands{p + chunks_first<kPChunks>(thread % 32, step * 16, warp_row(thread) / 8),
                                r.a};
      });
      columns<Tiles, Chunks>(lanes, x, step, c);
    }
  }

  /// c += A (in r.a, 16 rows of the step) times rows step * 16.. of `x`, the warp's half of the columns.
  template <int Tiles, int Chunks, class Lanes, class C>
  static ORRERY_HD void columns(Lanes& lanes, const std::uint8_t* x, int step, C c) {
    ORRERY_UNROLL
    for (int j = 0; j < Tiles / 2; ++j) {
      lanes.template ldmatrix<true>([&](int thread, Registers& r) {
        const int chunk = warp_half(thread) * Tiles + 2 * j;
        return LdmatrixOperands{x + rows_first<Chunks>(thread % 32, step * 16, chunk), r.b};
      });
      lanes.mma_bf16([&](Registers& r) { return MmaOperands{c(r, 2 * j), r.a, r.b}; });
      lanes.mma_bf16([&](Registers& r) { return MmaOperands{c(r, 2 * j + 1), r.a, r.b + 2}; });
    }
  }

  template <class Lanes>
  static ORRERY_HD void query_gradient(Lanes& lanes, const std::uint8_t* d_s, const std::uint8_t* keys,
                                       const AttentionArguments& g, int head, int batch, int first) {
    lanes.each([](int, Registers& r) {
      ORRERY_UNROLL
      for (int i = 0; i < QK / 16 * 4; ++i) r.d_q[i / 4][i % 4] = 0;
    });
    ORRERY_ROLL
    for (int step = 0; step < kKeys / 16; ++step) {
      lanes.template ldmatrix<false>([&](int thread, Registers& r) {
        return LdmatrixOperands{d_s + rows_first<kPChunks>(thread % 32, warp_row(thread), 2 * step), r.a};
      });
      columns<QK / 16, kQkChunks>(lanes, keys, step, [](Registers& r, int i) { return r.d_q[i]; });
    }
    lanes.each([&](int thread, Registers& r) {
      ORRERY_UNROLL
      for (int i = 0; i < QK / 16 * 4; ++i) {
        const int query = first + warp_row(thread) + FragmentMap::c_row(thread % 32, i % 4);
        const int column = warp_half(thread) * QK / 2 + i / 4 * 8 + FragmentMap::c_col(thread % 32, i % 4);
        if (query < g.sequence)
          add(g.d_q + ((std::int64_t{batch} * g.sequence + query) * g.heads + head) * QK + column,
              r.d_q[i / 4][i % 4]);
      }
    });
  }

  static ORRERY_HD void add(float* to, float value) {
#ifdef __CUDA_ARCH__
    atomicAdd(to, value);
#else
    *to += value;
#endif
  }

  template <int Width, class Fragments>
  static ORRERY_HD void store(int thread, Fragments& fragments, std::uint16_t* to,
                              const AttentionArguments& g, int first_key, int head, int batch) {
    ORRERY_UNROLL
    for (int i = 0; i < Width / 16; ++i) {
      ORRERY_UNROLL
      for (int half = 0; half < 2; ++half) {
        const int key = first_key + warp_row(thread) + FragmentMap::c_row(thread % 32, 2 * half);
        const int column = warp_half(thread) * Width / 2 + i * 8 + FragmentMap::c_col(thread % 32, 0);
        if (key >= g.sequence) continue;
        std::uint16_t* place =
            to + ((std::int64_t{batch} * g.sequence + key) * g.heads + head) * Width + column;
        *reinterpret_cast<std::uint32_t*>(place) =
            pack_bf16(fragments[i][2 * half], fragments[i][2 * half + 1]);
      }
    }
  }
};

}  // namespace orrery
