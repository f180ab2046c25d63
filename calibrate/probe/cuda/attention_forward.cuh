#pragma once

#include "calibrate/probe/cuda/tile.cuh"

namespace orrery {

/// Causal attention, forward: out = softmax(scale * Q K^T) V with the lower triangle, bf16 operands, FP32
/// sums, online softmax (FlashAttention-2, arXiv 2307.08691, algorithm 1). Head dimensions QK and V may
/// differ (192 and 128 in MLA). A block of 256 threads takes 128 queries of one head, each warp 16 of them,
/// and walks the keys 64 at a time. mma.sync m16n8k16, so sm_80 and newer.
///
/// Never run on a GPU so far; the body runs in tests/calibrate/probe/cuda on the host.
struct AttentionArguments {
  const std::uint16_t* q = nullptr;  ///< [sequences][sequence][heads][QK]
  const std::uint16_t* k = nullptr;  ///< [sequences][sequence][kv_heads][QK]
  const std::uint16_t* v = nullptr;  ///< [sequences][sequence][kv_heads][V]
  std::uint16_t* out = nullptr;      ///< [sequences][sequence][heads][V]
  float* lse = nullptr;  ///< [sequences][heads][sequence], natural logarithm of the sum of exponentials
  int sequence = 0;
  int heads = 0;
  int kv_heads = 0;  ///< divides heads
  float scale = 1;
  // Backward only:
  const std::uint16_t* d_out = nullptr;  ///< like out
  const float* delta = nullptr;          ///< like lse: sum over V of out * d_out
  float* d_q = nullptr;                  ///< like q in fp32, added to
  std::uint16_t* d_k = nullptr;          ///< [sequences][sequence][heads][QK]: of each query head
  std::uint16_t* d_v = nullptr;
};

inline constexpr float kLog2E = 1.4426950408889634F;
inline constexpr float kMinusInfinity = -3.0e38F;  // no infinities, so that differences are never NaN

ORRERY_HD float exp2_of(float x) {
#ifdef __CUDA_ARCH__
  // exp2f besides takes care of results below 2^-126, which a softmax may lose.
  float out;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(out) : "f"(x));
  return out;
#else
  return std::exp2(x);
#endif
}

template <int QK, int V, int Stages>
struct AttentionForward {
  static constexpr int kThreads = 256, kQueries = 128, kKeys = 64;
  static constexpr int kQkChunks = QK / 8, kVChunks = V / 8;
  static constexpr int kQueryBytes = kQueries * QK * 2, kKeyBytes = kKeys * QK * 2,
                       kValueBytes = kKeys * V * 2;
  static constexpr int kSharedBytes = kQueryBytes + Stages * (kKeyBytes + kValueBytes);

  struct Registers {
    float out[V / 8][4];
    float s[kKeys / 8][4];
    float largest[2], sum[2], block_largest[2];  ///< of rows g and g + 8
    std::uint32_t a[4], b[4];
  };

  /// Queries from `tile` * 128 on of head `head` in sequence number `batch`.
  template <class Lanes>
  static ORRERY_HD void run(Lanes& lanes, std::uint8_t* shared, const AttentionArguments& g, int tile,
                            int head, int batch) {
    const int first = tile * kQueries;
    const std::int64_t q_row = std::int64_t{g.heads} * QK;
    const std::uint16_t* q = g.q + (std::int64_t{batch} * g.sequence + first) * q_row + head * QK;
    load_tile<kQueries, kQkChunks, kThreads>(lanes, shared, q, 2 * q_row, g.sequence - first);
    const int last = first + kQueries < g.sequence ? first + kQueries : g.sequence;
    const int blocks = (last + kKeys - 1) / kKeys;
    load_keys(lanes, shared, g, head, batch, 0, blocks);
    lanes.each([](int, Registers& r) {
      ORRERY_UNROLL
      for (int i = 0; i < V / 8 * 4; ++i) r.out[i / 4][i % 4] = 0;
      r.largest[0] = r.largest[1] = kMinusInfinity;
      r.sum[0] = r.sum[1] = 0;
    });
    for (int block = 0; block < blocks; ++block) {
      if constexpr (Stages > 1) load_keys(lanes, shared, g, head, batch, block + 1, blocks);
      lanes.each([](int, Registers&) { Lanes::template wait_copies<Stages - 1>(); });
      lanes.barrier();
      const std::uint8_t* keys = stage(shared, block);
      scores(lanes, shared, keys);
      softmax(lanes, g, first, block);
      values(lanes, keys + kKeyBytes);
      lanes.barrier();  // everybody has left this stage before it is loaded again
      if constexpr (Stages == 1) load_keys(lanes, shared, g, head, batch, block + 1, blocks);
    }
    finish(lanes, g, first, head, batch);
  }

 private:
  static ORRERY_HD std::uint8_t* stage(std::uint8_t* shared, int block) {
    return shared + kQueryBytes + (block % Stages) * (kKeyBytes + kValueBytes);
  }

  template <class Lanes>
  static ORRERY_HD void load_keys(Lanes& lanes, std::uint8_t* shared, const AttentionArguments& g, int head,
                                  int batch, int block, int blocks) {
    if (block < blocks) {
      const int first = block * kKeys, kv = head / (g.heads / g.kv_heads);
      const std::int64_t row = std::int64_t{batch} * g.sequence + first;
      const std::int64_t k_row = std::int64_t{g.kv_heads} * QK, v_row = std::int64_t{g.kv_heads} * V;
      std::uint8_t* to = stage(shared, block);
      load_tile<kKeys, kQkChunks, kThreads>(lanes, to, g.k + row * k_row + kv * QK, 2 * k_row,
                                            g.sequence - first);
      load_tile<kKeys, kVChunks, kThreads>(lanes, to + kKeyBytes, g.v + row * v_row + kv * V, 2 * v_row,
                                           g.sequence - first);
    }
    lanes.each([](int, Registers&) { Lanes::commit_copies(); });
  }

  template <class Lanes>
  static ORRERY_HD void scores(Lanes& lanes, const std::uint8_t* queries, const std::uint8_t* keys) {
    lanes.each([](int, Registers& r) {
      ORRERY_UNROLL
      for (int i = 0; i < kKeys / 8 * 4; ++i) r.s[i / 4][i % 4] = 0;
    });
    ORRERY_UNROLL
    for (int step = 0; step < QK / 16; ++step) {
      lanes.template ldmatrix<false>([&](int thread, Registers& r) {
        return LdmatrixOperands{queries + rows_first<kQkChunks>(thread % 32, thread / 32 * 16, 2 * step),
                                r.a};
      });
      ORRERY_UNROLL
      for (int j = 0; j < kKeys / 16; ++j) {
        lanes.template ldmatrix<false>([&](int thread, Registers& r) {
          return LdmatrixOperands{keys + chunks_first<kQkChunks>(thread % 32, j * 16, 2 * step), r.b};
        });
        lanes.mma_bf16([&](Registers& r) { return MmaOperands{r.s[2 * j], r.a, r.b}; });
        lanes.mma_bf16([&](Registers& r) { return MmaOperands{r.s[2 * j + 1], r.a, r.b + 2}; });
      }
    }
  }

  /// Masks, takes the exponentials and rescales what is summed so far.
  template <class Lanes>
  static ORRERY_HD void softmax(Lanes& lanes, const AttentionArguments& g, int first, int block) {
    const bool masked = (block + 1) * kKeys > first;  // may reach over the diagonal or the end
    lanes.each([&](int thread, Registers& r) {
      r.block_largest[0] = r.block_largest[1] = kMinusInfinity;
      ORRERY_UNROLL
      for (int i = 0; i < kKeys / 8 * 4; ++i) {
        float& s = r.s[i / 4][i % 4];
        if (masked) {
          const int key = block * kKeys + i / 4 * 8 + FragmentMap::c_col(thread % 32, i % 4);
          const int query = first + thread / 32 * 16 + FragmentMap::c_row(thread % 32, i % 4);
          if (key > query || key >= g.sequence) s = kMinusInfinity;
        }
        float& largest = r.block_largest[i % 4 / 2];
        largest = s > largest ? s : largest;
      }
    });
    lanes.quad_max([](Registers& r) -> float& { return r.block_largest[0]; });
    lanes.quad_max([](Registers& r) -> float& { return r.block_largest[1]; });
    lanes.each([&](int, Registers& r) {
      const float factor = g.scale * kLog2E;
      ORRERY_UNROLL
      for (int half = 0; half < 2; ++half) {
        const float largest =
            r.block_largest[half] > r.largest[half] ? r.block_largest[half] : r.largest[half];
        const float shrink = exp2_of((r.largest[half] - largest) * factor);
        r.largest[half] = largest;
        r.sum[half] *= shrink;
        ORRERY_UNROLL
        for (int i = 0; i < V / 8; ++i) {
          r.out[i][2 * half] *= shrink;
          r.out[i][2 * half + 1] *= shrink;
        }
        ORRERY_UNROLL
        for (int i = 0; i < kKeys / 8; ++i) {
          ORRERY_UNROLL
          for (int e = 2 * half; e < 2 * half + 2; ++e) {
            r.s[i][e] = exp2_of((r.s[i][e] - largest) * factor);
            r.sum[half] += r.s[i][e];
          }
        }
      }
    });
  }

  template <class Lanes>
  static ORRERY_HD void values(Lanes& lanes, const std::uint8_t* values) {
    ORRERY_UNROLL
    for (int step = 0; step < kKeys / 16; ++step) {
      // The fragment of C of two neighbouring products is the fragment of A of the next one.
      lanes.each([&](int, Registers& r) {
        r.a[0] = pack_bf16(r.s[2 * step][0], r.s[2 * step][1]);
        r.a[1] = pack_bf16(r.s[2 * step][2], r.s[2 * step][3]);
        r.a[2] = pack_bf16(r.s[2 * step + 1][0], r.s[2 * step + 1][1]);
        r.a[3] = pack_bf16(r.s[2 * step + 1][2], r.s[2 * step + 1][3]);
      });
      ORRERY_UNROLL
      for (int j = 0; j < V / 16; ++j) {
        lanes.template ldmatrix<true>([&](int thread, Registers& r) {
          return LdmatrixOperands{values + rows_first<kVChunks>(thread % 32, step * 16, 2 * j), r.b};
        });
        lanes.mma_bf16([&](Registers& r) { return MmaOperands{r.out[2 * j], r.a, r.b}; });
        lanes.mma_bf16([&](Registers& r) { return MmaOperands{r.out[2 * j + 1], r.a, r.b + 2}; });
      }
    }
  }

  template <class Lanes>
  static ORRERY_HD void finish(Lanes& lanes, const AttentionArguments& g, int first, int head, int batch) {
    lanes.quad_sum([](Registers& r) -> float& { return r.sum[0]; });
    lanes.quad_sum([](Registers& r) -> float& { return r.sum[1]; });
    lanes.each([&](int thread, Registers& r) {
      const int lane = thread % 32;
      ORRERY_UNROLL
      for (int half = 0; half < 2; ++half) {
        const int query = first + thread / 32 * 16 + FragmentMap::c_row(lane, 2 * half);
        if (query >= g.sequence) continue;
        const float inverse = 1 / r.sum[half];
        std::uint16_t* out = g.out + ((std::int64_t{batch} * g.sequence + query) * g.heads + head) * V;
        ORRERY_UNROLL
        for (int i = 0; i < V / 8; ++i) {
          *reinterpret_cast<std::uint32_t*>(out + i * 8 + FragmentMap::c_col(lane, 0)) =
              pack_bf16(r.out[i][2 * half] * inverse, r.out[i][2 * half + 1] * inverse);
        }
        if (lane % 4 == 0)
          g.lse[(std::int64_t{batch} * g.heads + head) * g.sequence + query] =
              r.largest[half] * g.scale + logf(r.sum[half]);
      }
    });
  }
};

}  // namespace orrery
