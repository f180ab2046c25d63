#pragma once

#include "calibrate/probe/cuda/attention_forward.cuh"
#include "calibrate/probe/cuda/wgmma.cuh"

namespace orrery {

/// Absorbed MLA decode (arXiv 2405.04434, 2.1.2): each sequence has one new token; its 128 heads attend to
/// one shared cached row per token of 512 latent + 64 rotary elements; the output is in the latent space, 512
/// wide. The cache is paged (pages of 64 tokens) and the tokens are split over `splits` blocks, whose partial
/// results a second kernel joins. A block of 256 threads takes 64 heads and walks its pages; mma.sync
/// m16n8k16, sm_80 and sm_90 (it needs 153 KiB of shared memory, which sm_89 lacks). An FP8 cache (E4M3, one
/// FP32 scale per token) is widened to bf16 on load.
///
/// Never run on a GPU so far; both bodies run in tests/calibrate/probe/cuda on the host.
struct DecodeArguments {
  const std::uint16_t* q = nullptr;       ///< [sequences][heads][576]
  const void* cache = nullptr;            ///< [pages][64][576], bf16 or E4M3
  const float* cache_scale = nullptr;     ///< FP8: [pages][64]
  const std::int32_t* pages = nullptr;    ///< [sequences][max_pages]
  const std::int32_t* lengths = nullptr;  ///< [sequences], cached tokens
  float* partial = nullptr;               ///< [splits][sequences][heads][512]
  float* partial_lse = nullptr;  ///< [splits][sequences][heads], base-2 logarithm; kMinusInfinity if empty
  std::uint16_t* out = nullptr;  ///< [sequences][heads][512]
  int sequences = 0;
  int heads = 0;  ///< a multiple of 64
  int max_pages = 0;
  int splits = 1;
  float scale = 1;
};

/// With `Hopper` the products are wgmma (compute capability 9.0), one warpgroup for each half of the tokens
/// (scores) and of the latent columns (values), and the next page is loaded meanwhile.
template <bool Fp8, bool Hopper = false>
struct Decode {
  static constexpr int kThreads = 256, kHeads = 64, kPage = 64, kWidth = 576, kLatent = 512;
  static constexpr int kChunks = kWidth / 8, kPChunks = kPage / 8;
  static constexpr int kQueryBytes = kHeads * kWidth * 2, kPageBytes = kPage * kWidth * 2,
                       kPBytes = kHeads * kPage * 2;
  static constexpr int kStatBytes = 4 * kHeads * static_cast<int>(sizeof(float));
  static constexpr int kStages = Hopper ? 2 : 1;
  static constexpr int kSharedBytes = kQueryBytes + kStages * kPageBytes + kPBytes + kStatBytes;
  static constexpr int kColumnTile = 64 * kSwizzledRowBytes;  // Hopper: 64 rows of 64 elements

  struct Registers {
    float out[kLatent / 16][4];  ///< 16 heads x 256
    float s[4][4];               ///< 16 heads x 32 tokens
    float largest[2], sum[2], block_largest[2], block_sum[2];
    std::uint32_t a[4], b[4];
  };

  /// Heads from `group` * 64 on of sequence `sequence`, part `split` of its pages.
  template <class Lanes>
  static ORRERY_HD void run(Lanes& lanes, std::uint8_t* shared, const DecodeArguments& g, int group,
                            int sequence, int split) {
    std::uint8_t* pages_here = shared + kQueryBytes;
    std::uint8_t* p = pages_here + kStages * kPageBytes;
    auto* stats = reinterpret_cast<float*>(p + kPBytes);  // [2 halves of the tokens][64] largest, then sums
    const int length = g.lengths[sequence], pages = (length + kPage - 1) / kPage;
    const int per_split = (pages + g.splits - 1) / g.splits;
    const int begin = split * per_split < pages ? split * per_split : pages;
    const int end = begin + per_split < pages ? begin + per_split : pages;

    const std::uint16_t* q = g.q + (std::int64_t{sequence} * g.heads + group * kHeads) * kWidth;
    load_rows(lanes, shared, q);
    lanes.each([](int, Registers& r) {
      Lanes::commit_copies();
      ORRERY_UNROLL
      for (int i = 0; i < kLatent / 16 * 4; ++i) r.out[i / 4][i % 4] = 0;
      r.largest[0] = r.largest[1] = kMinusInfinity;
      r.sum[0] = r.sum[1] = 0;
    });
    const std::int32_t* table = g.pages + std::int64_t{sequence} * g.max_pages;
    if (Hopper && begin < end) load_page(lanes, pages_here + begin % kStages * kPageBytes, g, table[begin]);
    for (int index = begin; index < end; ++index) {
      std::uint8_t* page = pages_here + index % kStages * kPageBytes;
      const int next = index + kStages - 1;
      if (next < end) {
        load_page(lanes, pages_here + next % kStages * kPageBytes, g, table[next]);
      } else {
        lanes.each([](int, Registers&) { Lanes::commit_copies(); });
      }
      lanes.each([](int, Registers&) {
        Lanes::template wait_copies<kStages - 1>();
        if constexpr (Hopper) Lanes::fence_for_tensor_cores();
      });
      lanes.barrier();
      scores(lanes, shared, page, stats, length - index * kPage);
      lanes.barrier();  // both halves have told their largest
      softmax(lanes, g, p, stats);
      lanes.barrier();
      values(lanes, p, page, stats);
      lanes.barrier();
    }
    lanes.each([&](int thread, Registers& r) {
      Lanes::template wait_copies<0>();  // a part without pages has not waited for its query yet
      store(thread, r, g, group, sequence, split);
    });
  }

  /// Joins the parts: element `i` of [sequences][heads][512].
  static ORRERY_HD void join(const DecodeArguments& g, std::int64_t i) {
    const std::int64_t row = i / kLatent, rows = std::int64_t{g.sequences} * g.heads;
    float largest = kMinusInfinity;
    for (int split = 0; split < g.splits; ++split) {
      const float lse = g.partial_lse[split * rows + row];
      largest = lse > largest ? lse : largest;
    }
    float sum = 0, weights = 0;
    for (int split = 0; split < g.splits; ++split) {
      const float weight = exp2_of(g.partial_lse[split * rows + row] - largest);
      weights += weight;
      if (weight > 0) sum += weight * g.partial[(split * rows) * kLatent + i];
    }
    g.out[i] = to_bf16(sum / weights);
  }

 private:
  static ORRERY_HD int warp_row(int thread) { return thread / 32 % 4 * 16; }
  static ORRERY_HD int warp_half(int thread) { return thread / 128; }

  /// Offset of 16 bytes of the 64 queries or of a page.
  static ORRERY_HD int place(int row, int chunk) {
    return Hopper ? chunk / 8 * kColumnTile + swizzled_offset(row, chunk % 8)
                  : tile_offset<kChunks>(row, chunk);
  }
  /// 64 rows of 576 bf16 elements that lie one after the other.
  template <class Lanes>
  static ORRERY_HD void load_rows(Lanes& lanes, std::uint8_t* to, const std::uint16_t* from) {
    if constexpr (Hopper) {
      for (int tile = 0; tile < kWidth / 64; ++tile)  // tile_offset<8> is swizzled_offset
        load_tile<64, 8, kThreads>(lanes, to + tile * kColumnTile, from + tile * 64, 2 * kWidth, 64);
    } else {
      load_tile<64, kChunks, kThreads>(lanes, to, from, 2 * kWidth, 64);
    }
  }

  template <class Lanes>
  static ORRERY_HD void load_page(Lanes& lanes, std::uint8_t* to, const DecodeArguments& g, int page) {
    if constexpr (Fp8) {
      const auto* from = static_cast<const std::uint8_t*>(g.cache) + std::int64_t{page} * kPage * kWidth;
      lanes.each([&](int thread, Registers&) {
        for (int i = thread; i < kPage * kChunks; i += kThreads) {
          const int row = i / kChunks, chunk = i % kChunks;
          const float scale = g.cache_scale[std::int64_t{page} * kPage + row];
          std::uint8_t codes[8];
          // One load of eight bytes: without the promise it becomes eight of one.
          memcpy(codes, __builtin_assume_aligned(from + row * kWidth + chunk * 8, 8), 8);
          std::uint32_t wide[4];
          ORRERY_UNROLL
          for (int j = 0; j < 4; ++j)
            wide[j] = pack_bf16(widen(codes[2 * j]) * scale, widen(codes[2 * j + 1]) * scale);
          memcpy(to + place(row, chunk), wide, 16);
        }
        Lanes::commit_copies();
      });
    } else {
      const auto* from = static_cast<const std::uint16_t*>(g.cache) + std::int64_t{page} * kPage * kWidth;
      load_rows(lanes, to, from);
      lanes.each([](int, Registers&) { Lanes::commit_copies(); });
    }
  }

  /// E4M3 without NaN, by moving the bits into a float: exact for all finite codes, subnormals included.
  static ORRERY_HD float widen(std::uint8_t code) {
    const std::uint32_t magnitude = static_cast<std::uint32_t>(code & 0x7fU) << 20;
    const float value = float_of(magnitude) * 1.329227995784916e36F;  // 2^120 corrects the bias: 127 - 7
    return (code & 0x80U) != 0 ? -value : value;
  }

  /// s = Q K^T of the warp's 16 heads and half of the tokens.
  template <class Lanes>
  static ORRERY_HD void score_products(Lanes& lanes, const std::uint8_t* queries, const std::uint8_t* page) {
    if constexpr (Hopper) {
      lanes.wgmma_begin();
      score_step<false>(lanes, queries, page, 0);
      ORRERY_UNROLL
      for (int step = 1; step < kWidth / 16; ++step) score_step<true>(lanes, queries, page, step);
      lanes.wgmma_end([](Registers & r) -> auto& { return r.s; });
    } else {
      lanes.each([](int, Registers& r) {
        ORRERY_UNROLL
        for (int i = 0; i < 16; ++i) r.s[i / 4][i % 4] = 0;
      });
#ifdef __CUDACC__
#pragma unroll 4
#endif
      for (int step = 0; step < kWidth / 16; ++step) {
        lanes.template ldmatrix<false>([&](int thread, Registers& r) {
          return LdmatrixOperands{queries + rows_first<kChunks>(thread % 32, warp_row(thread), 2 * step),
                                  r.a};
        });
        ORRERY_UNROLL
        for (int j = 0; j < 2; ++j) {
          lanes.template ldmatrix<false>([&](int thread, Registers& r) {
            return LdmatrixOperands{
                page + chunks_first<kChunks>(thread % 32, warp_half(thread) * 32 + j * 16, 2 * step), r.b};
          });
          lanes.mma_bf16([&](Registers& r) { return MmaOperands{r.s[2 * j], r.a, r.b}; });
          lanes.mma_bf16([&](Registers& r) { return MmaOperands{r.s[2 * j + 1], r.a, r.b + 2}; });
        }
      }
    }
  }
  template <bool Add, class Lanes>
  static ORRERY_HD void score_step(Lanes& lanes, const std::uint8_t* queries, const std::uint8_t* page,
                                   int step) {
    const int offset = step / 4 * kColumnTile + step % 4 * 32;
    lanes.template wgmma32<Add>([&](int thread, Registers& r) {
      const std::uint8_t* tokens = page + warp_half(thread) * 32 * kSwizzledRowBytes;
      return WgmmaOperands{r.s[0], nullptr, {queries + offset, 0, true}, {tokens + offset, 0, true}};
    });
  }

  template <class Lanes>
  static ORRERY_HD void scores(Lanes& lanes, const std::uint8_t* queries, const std::uint8_t* page,
                               float* stats, int valid) {
    score_products(lanes, queries, page);
    lanes.each([&](int thread, Registers& r) {
      r.block_largest[0] = r.block_largest[1] = kMinusInfinity;
      ORRERY_UNROLL
      for (int i = 0; i < 16; ++i) {
        const int token = warp_half(thread) * 32 + i / 4 * 8 + FragmentMap::c_col(thread % 32, i % 4);
        if (token >= valid) r.s[i / 4][i % 4] = kMinusInfinity;
        float& largest = r.block_largest[i % 4 / 2];
        largest = r.s[i / 4][i % 4] > largest ? r.s[i / 4][i % 4] : largest;
      }
    });
    lanes.quad_max([](Registers& r) -> float& { return r.block_largest[0]; });
    lanes.quad_max([](Registers& r) -> float& { return r.block_largest[1]; });
    lanes.each([&](int thread, Registers& r) {
      if (thread % 4 != 0) return;
      for (int half = 0; half < 2; ++half)
        stats[warp_half(thread) * kHeads + warp_row(thread) + FragmentMap::c_row(thread % 32, 2 * half)] =
            r.block_largest[half];
    });
  }

  template <class Lanes>
  static ORRERY_HD void softmax(Lanes& lanes, const DecodeArguments& g, std::uint8_t* p, float* stats) {
    lanes.each([&](int thread, Registers& r) {
      const float factor = g.scale * kLog2E;
      ORRERY_UNROLL
      for (int half = 0; half < 2; ++half) {
        const int head = warp_row(thread) + FragmentMap::c_row(thread % 32, 2 * half);
        float largest = r.largest[half];
        largest = stats[head] > largest ? stats[head] : largest;
        largest = stats[kHeads + head] > largest ? stats[kHeads + head] : largest;
        const float shrink = exp2_of((r.largest[half] - largest) * factor);
        r.largest[half] = largest;
        r.sum[half] *= shrink;
        ORRERY_UNROLL
        for (int i = 0; i < kLatent / 16; ++i) {
          r.out[i][2 * half] *= shrink;
          r.out[i][2 * half + 1] *= shrink;
        }
        r.block_sum[half] = 0;
        ORRERY_UNROLL
        for (int i = 0; i < 4; ++i) {
          const float low = exp2_of((r.s[i][2 * half] - largest) * factor);
          const float high = exp2_of((r.s[i][2 * half + 1] - largest) * factor);
          r.block_sum[half] += low + high;
          const int column = warp_half(thread) * 32 + i * 8 + FragmentMap::c_col(thread % 32, 0);
          *reinterpret_cast<std::uint32_t*>(p + tile_offset<kPChunks>(head, column / 8) + column % 8 * 2) =
              pack_bf16(low, high);
        }
      }
    });
    lanes.quad_sum([](Registers& r) -> float& { return r.block_sum[0]; });
    lanes.quad_sum([](Registers& r) -> float& { return r.block_sum[1]; });
    lanes.each([&](int thread, Registers& r) {
      if constexpr (Hopper) Lanes::fence_for_tensor_cores();
      if (thread % 4 != 0) return;
      for (int half = 0; half < 2; ++half)
        stats[(2 + warp_half(thread)) * kHeads + warp_row(thread) +
              FragmentMap::c_row(thread % 32, 2 * half)] = r.block_sum[half];
    });
  }

  template <class Lanes>
  static ORRERY_HD void values(Lanes& lanes, const std::uint8_t* p, const std::uint8_t* page,
                               const float* stats) {
    lanes.each([&](int thread, Registers& r) {
      for (int half = 0; half < 2; ++half) {
        const int head = warp_row(thread) + FragmentMap::c_row(thread % 32, 2 * half);
        r.sum[half] += stats[2 * kHeads + head] + stats[3 * kHeads + head];
      }
    });
    if constexpr (Hopper) {
      lanes.wgmma_begin();
      ORRERY_UNROLL
      for (int step = 0; step < kPage / 16; ++step) {
        ORRERY_UNROLL
        for (int half = 0; half < 2; ++half) {  // of the warpgroup's 256 columns
          lanes.template wgmma_by_rows<true>([&](int thread, Registers& r) {
            const std::uint8_t* columns =
                page + (warp_half(thread) * 4 + half * 2) * kColumnTile + step * 16 * kSwizzledRowBytes;
            return WgmmaOperands{
                r.out[half * 16], nullptr, {p + step * 32, 0, true}, {columns, kColumnTile, false}};
          });
        }
      }
      lanes.wgmma_end([](Registers & r) -> auto& { return r.out; });
    } else {
      ORRERY_UNROLL
      for (int step = 0; step < kPage / 16; ++step) {
        lanes.template ldmatrix<false>([&](int thread, Registers& r) {
          return LdmatrixOperands{p + rows_first<kPChunks>(thread % 32, warp_row(thread), 2 * step), r.a};
        });
        ORRERY_UNROLL
        for (int j = 0; j < kLatent / 32; ++j) {
          lanes.template ldmatrix<true>([&](int thread, Registers& r) {
            const int chunk = warp_half(thread) * (kLatent / 16) + 2 * j;
            return LdmatrixOperands{page + rows_first<kChunks>(thread % 32, step * 16, chunk), r.b};
          });
          lanes.mma_bf16([&](Registers& r) { return MmaOperands{r.out[2 * j], r.a, r.b}; });
          lanes.mma_bf16([&](Registers& r) { return MmaOperands{r.out[2 * j + 1], r.a, r.b + 2}; });
        }
      }
    }
  }

  static ORRERY_HD void store(int thread, Registers& r, const DecodeArguments& g, int group, int sequence,
                              int split) {
    ORRERY_UNROLL
    for (int half = 0; half < 2; ++half) {
      const int head = group * kHeads + warp_row(thread) + FragmentMap::c_row(thread % 32, 2 * half);
      const std::int64_t row = (std::int64_t{split} * g.sequences + sequence) * g.heads + head;
      const bool empty = !(r.sum[half] > 0);
      const float inverse = empty ? 0.0F : 1 / r.sum[half];
      ORRERY_UNROLL
      for (int i = 0; i < kLatent / 16; ++i) {
        float* to = g.partial + row * kLatent + warp_half(thread) * (kLatent / 2) + i * 8 +
                    FragmentMap::c_col(thread % 32, 0);
        to[0] = r.out[i][2 * half] * inverse;
        to[1] = r.out[i][2 * half + 1] * inverse;
      }
      if (warp_half(thread) == 0 && thread % 4 == 0)
        g.partial_lse[row] =
            empty ? kMinusInfinity : r.largest[half] * g.scale * kLog2E + log2_of(r.sum[half]);
    }
  }

  static ORRERY_HD float log2_of(float x) {
#ifdef __CUDA_ARCH__
    return log2f(x);
#else
    return std::log2(x);
#endif
  }
};

}  // namespace orrery
