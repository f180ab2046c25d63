#pragma once

#include "calibrate/probe/cuda/attention_forward.cuh"
#include "calibrate/probe/cuda/wgmma.cuh"

namespace orrery {

/// Causal attention, forward, as AttentionForward but with wgmma (sm_90a): two warpgroups of 64 queries each,
/// keys 128 at a time, two stages of keys and values. While one warpgroup takes exponentials the tensor cores
/// may work for the other (FlashAttention-3, arXiv 2407.08608, section 3.1, without its producer warp and
/// without its order of turns). QK a multiple of 64, V = 128.
///
/// Never run on a GPU so far; the body runs in tests/calibrate/probe/cuda on the host.
template <int QK>
struct AttentionHopper {
  static constexpr int kThreads = 256, kQueries = 128, kKeys = 128, kV = 128;
  static constexpr int kTile = 128 * kSwizzledRowBytes;  // 128 rows of 64 elements
  static constexpr int kQkTiles = QK / 64, kVTiles = kV / 64;
  static constexpr int kStageBytes = (kQkTiles + kVTiles) * kTile;
  static constexpr int kSharedBytes = kQkTiles * kTile + 2 * kStageBytes;

  struct Registers {
    float out[64];
    float s[64];
    float largest[2], sum[2], block_largest[2];
    std::uint32_t a[4];
  };

  template <class Lanes>
  static ORRERY_HD void run(Lanes& lanes, std::uint8_t* shared, const AttentionArguments& g, int tile,
                            int head, int batch) {
    const int first = tile * kQueries;
    const std::int64_t q_row = std::int64_t{g.heads} * QK;
    const std::uint16_t* q = g.q + (std::int64_t{batch} * g.sequence + first) * q_row + head * QK;
    load<kQkTiles>(lanes, shared, q, q_row, g.sequence - first);
    const int last = first + kQueries < g.sequence ? first + kQueries : g.sequence;
    const int blocks = (last + kKeys - 1) / kKeys;
    load_keys(lanes, shared, g, head, batch, 0, blocks);
    lanes.each([](int, Registers& r) {
      ORRERY_UNROLL
      for (int i = 0; i < 64; ++i) r.out[i] = 0;
      r.largest[0] = r.largest[1] = kMinusInfinity;
      r.sum[0] = r.sum[1] = 0;
    });
    for (int block = 0; block < blocks; ++block) {
      load_keys(lanes, shared, g, head, batch, block + 1, blocks);
      lanes.each([](int, Registers&) {
        Lanes::template wait_copies<1>();
        Lanes::fence_for_tensor_cores();
      });
      lanes.barrier();
      const std::uint8_t* keys = stage(shared, block);
      scores(lanes, shared, keys);
      softmax(lanes, g, first, block);
      values(lanes, keys + kQkTiles * kTile);
      lanes.barrier();  // everybody has left this stage before it is loaded again
    }
    finish(lanes, g, first, head, batch);
  }

 private:
  static ORRERY_HD std::uint8_t* stage(std::uint8_t* shared, int block) {
    return shared + kQkTiles * kTile + (block % 2) * kStageBytes;
  }

  /// 128 rows of `Tiles` * 64 elements; `row` elements from one to the next.
  template <int Tiles, class Lanes>
  static ORRERY_HD void load(Lanes& lanes, std::uint8_t* to, const std::uint16_t* from, std::int64_t row,
                             int valid) {
    lanes.each([&](int thread, Registers&) {
      ORRERY_ROLL
      for (int i = thread; i < 128 * Tiles * 8; i += kThreads) {
        const int r = i / (Tiles * 8), chunk = i % (Tiles * 8);
        const bool inside = r < valid;
        Lanes::copy16(to + chunk / 8 * kTile + swizzled_offset(r, chunk % 8),
                      from + (inside ? r * row + chunk * 8 : 0), inside);
      }
    });
  }
  template <class Lanes>
  static ORRERY_HD void load_keys(Lanes& lanes, std::uint8_t* shared, const AttentionArguments& g, int head,
                                  int batch, int block, int blocks) {
    if (block < blocks) {
      const int first = block * kKeys, kv = head / (g.heads / g.kv_heads);
      const std::int64_t row = std::int64_t{batch} * g.sequence + first;
      const std::int64_t k_row = std::int64_t{g.kv_heads} * QK, v_row = std::int64_t{g.kv_heads} * kV;
      load<kQkTiles>(lanes, stage(shared, block), g.k + row * k_row + kv * QK, k_row, g.sequence - first);
      load<kVTiles>(lanes, stage(shared, block) + kQkTiles * kTile, g.v + row * v_row + kv * kV, v_row,
                    g.sequence - first);
    }
    lanes.each([](int, Registers&) { Lanes::commit_copies(); });
  }

  template <class Lanes>
  static ORRERY_HD void scores(Lanes& lanes, const std::uint8_t* queries, const std::uint8_t* keys) {
    lanes.wgmma_begin();
    score_step<false>(lanes, queries, keys, 0);
    ORRERY_UNROLL
    for (int step = 1; step < QK / 16; ++step) score_step<true>(lanes, queries, keys, step);
    lanes.wgmma_end([](Registers & r) -> auto& { return r.s; });
  }
  template <bool Add, class Lanes>
  static ORRERY_HD void score_step(Lanes& lanes, const std::uint8_t* queries, const std::uint8_t* keys,
                                   int step) {
    const int offset = step / 4 * kTile + step % 4 * 32;  // 16 elements are 32 bytes of a row
    lanes.template wgmma<Add>([&](int thread, Registers& r) {
      const std::uint8_t* mine = queries + thread / 128 * 64 * kSwizzledRowBytes;
      return WgmmaOperands{r.s, nullptr, {mine + offset, 0, true}, {keys + offset, 0, true}};
    });
  }

  template <class Lanes>
  static ORRERY_HD void softmax(Lanes& lanes, const AttentionArguments& g, int first, int block) {
    const bool masked = (block + 1) * kKeys > first;
    lanes.each([&](int thread, Registers& r) {
      r.block_largest[0] = r.block_largest[1] = kMinusInfinity;
      ORRERY_UNROLL
      for (int i = 0; i < 64; ++i) {
        if (masked) {
          const int key = block * kKeys + i / 4 * 8 + FragmentMap::c_col(thread % 32, i % 4);
          const int query = first + thread / 32 * 16 + FragmentMap::c_row(thread % 32, i % 4);
          if (key > query || key >= g.sequence) r.s[i] = kMinusInfinity;
        }
        float& largest = r.block_largest[i % 4 / 2];
        largest = r.s[i] > largest ? r.s[i] : largest;
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
        for (int i = 0; i < 64; ++i) {
          if (i % 4 / 2 != half) continue;
          r.out[i] *= shrink;
          r.s[i] = exp2_of((r.s[i] - largest) * factor);
          r.sum[half] += r.s[i];
        }
      }
    });
  }

  template <class Lanes>
  static ORRERY_HD void values(Lanes& lanes, const std::uint8_t* values) {
    // All fragments of A first: registers of a running product may not be written.
    lanes.each([](int, Registers& r) {
      ORRERY_UNROLL
      for (int i = 0; i < 32; ++i) r.s[i] = float_of(pack_bf16(r.s[2 * i], r.s[2 * i + 1]));
    });
    lanes.wgmma_begin();
    ORRERY_UNROLL
    for (int step = 0; step < kKeys / 16; ++step) {
      lanes.template wgmma<true>([&](int, Registers& r) {
        ORRERY_UNROLL
        for (int i = 0; i < 4; ++i) r.a[i] = bits_of(r.s[4 * step + i]);
        return WgmmaOperands{r.out, r.a, {}, {values + step * 16 * kSwizzledRowBytes, kTile, false}};
      });
    }
    lanes.wgmma_end([](Registers & r) -> auto& { return r.out; });
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
        std::uint16_t* out = g.out + ((std::int64_t{batch} * g.sequence + query) * g.heads + head) * kV;
        ORRERY_UNROLL
        for (int i = 0; i < 16; ++i) {
          *reinterpret_cast<std::uint32_t*>(out + i * 8 + FragmentMap::c_col(lane, 0)) =
              pack_bf16(r.out[4 * i + 2 * half] * inverse, r.out[4 * i + 2 * half + 1] * inverse);
        }
        if (lane % 4 == 0)
          g.lse[(std::int64_t{batch} * g.heads + head) * g.sequence + query] =
              r.largest[half] * g.scale + logf(r.sum[half]);
      }
    });
  }
};

}  // namespace orrery
