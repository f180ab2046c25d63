#pragma once

#include "calibrate/probe/cuda/tile.cuh"

namespace orrery {

/// FP8 product with DeepSeek's fine-grained scales (arXiv 2412.19437, 3.3.2):
///
///   C[i][j] = sum over blocks b of 128:  sa[b][i] * sb[..] * sum over l in b of A[i][l] * B[j][l]
///
/// with sb[j / 128][b] (weights, 128x128) or sb[b][j] (both operands 1x128, as in a weight gradient). The
/// inner sums are taken by the tensor cores, the outer one in FP32 registers. mma.sync m16n8k32 e4m3, so
/// sm_89 and sm_90. A block of 256 threads makes 128 x 128 of C: warps 2 along m, 4 along n, each 64 x 32.
///
/// Never run on a GPU so far; the body runs in tests/calibrate/probe/cuda on the host.
struct BlockGemmArguments {
  const std::uint8_t* a = nullptr;              ///< [m][k]
  const std::uint8_t* b = nullptr;              ///< [groups][n][k]
  const float* scale_a = nullptr;               ///< [k / 128][m]
  const float* scale_b = nullptr;               ///< [groups][n / 128][k / 128], or [k / 128][n]
  void* c = nullptr;                            ///< [m][n], bf16; weight gradient: fp32, added to
  const std::int32_t* group_of_tile = nullptr;  ///< for each 128 rows of A; null: one group
  int m = 0;
  int n = 0;
  int k = 0;  ///< a multiple of 128
};

template <int Stages, bool WeightGradient>
struct BlockGemm {
  static constexpr int kThreads = 256;
  static constexpr int kChunks = 8;  // of a row of 128 bytes
  static constexpr int kTileBytes = 128 * 128;
  static constexpr int kSharedBytes = Stages * 2 * kTileBytes;

  struct Registers {
    float total[4][4][4];  ///< [16 rows][8 columns][fragment]
    float part[4][4][4];
    std::uint32_t a[4];
    std::uint32_t b[2][4];
    float scale_a[8];  ///< of the rows of this thread
  };

  template <class Lanes>
  static ORRERY_HD void load(Lanes& lanes, std::uint8_t* shared, const BlockGemmArguments& g,
                             const std::uint8_t* b, int row, int column, int block) {
    if (block * 128 < g.k) {
      std::uint8_t* stage = shared + (block % Stages) * 2 * kTileBytes;
      const std::int64_t k = g.k;
      load_tile<128, kChunks, kThreads>(lanes, stage, g.a + row * k + block * 128, k, g.m - row);
      load_tile<128, kChunks, kThreads>(lanes, stage + kTileBytes, b + column * k + block * 128, k,
                                        g.n - column);
    }
    lanes.each([](int, Registers&) { Lanes::commit_copies(); });
  }

  template <class Lanes>
  static ORRERY_HD void run(Lanes& lanes, std::uint8_t* shared, const BlockGemmArguments& g, int tile_m,
                            int tile_n) {
    const int row = tile_m * 128, column = tile_n * 128, blocks = g.k / 128;
    const std::int64_t group = g.group_of_tile == nullptr ? 0 : g.group_of_tile[tile_m];
    const std::uint8_t* b = g.b + group * g.n * g.k;
    const float* scale_b = g.scale_b + (WeightGradient ? 0 : group * ((g.n + 127) / 128) * blocks);

    lanes.each([](int, Registers& r) {
      ORRERY_UNROLL
      for (int i = 0; i < 64; ++i) r.total[i / 16][i / 4 % 4][i % 4] = 0;
    });
    for (int block = 0; block < Stages - 1; ++block) load(lanes, shared, g, b, row, column, block);
    for (int block = 0; block < blocks; ++block) {
      lanes.each([](int, Registers&) { Lanes::template wait_copies<Stages - 2>(); });
      lanes.barrier();  // this block has arrived, and everybody has left the stage that is loaded next
      load(lanes, shared, g, b, row, column, block + Stages - 1);
      lanes.each([&](int thread, Registers& r) { fetch_scales(thread, r, g, scale_b, row, tile_n, block); });
      multiply(lanes, shared + (block % Stages) * 2 * kTileBytes);
      lanes.each([&](int thread, Registers& r) { scale(thread, r, g, scale_b, tile_n, block); });
    }
    lanes.each([&](int thread, Registers& r) { store(thread, r, g, row, column); });
  }

 private:
  template <class Lanes>
  static ORRERY_HD void multiply(Lanes& lanes, const std::uint8_t* stage) {
    lanes.each([](int, Registers& r) {
      ORRERY_UNROLL
      for (int i = 0; i < 64; ++i) r.part[i / 16][i / 4 % 4][i % 4] = 0;
    });
    ORRERY_ROLL  // unrolled, the addresses of all steps would be kept in registers
        for (int step = 0; step < 4; ++step) {  // 32 elements of k
      ORRERY_UNROLL
      for (int j = 0; j < 2; ++j) {
        lanes.template ldmatrix<false>([&](int thread, Registers& r) {
          const int row = (thread / 64) * 32 + j * 16;
          return LdmatrixOperands{stage + kTileBytes + chunks_first<kChunks>(thread % 32, row, 2 * step),
                                  r.b[j]};
        });
      }
      ORRERY_UNROLL
      for (int i = 0; i < 4; ++i) {
        lanes.template ldmatrix<false>([&](int thread, Registers& r) {
          const int row = (thread / 32 % 2) * 64 + i * 16;
          return LdmatrixOperands{stage + rows_first<kChunks>(thread % 32, row, 2 * step), r.a};
        });
        ORRERY_UNROLL
        for (int j = 0; j < 4; ++j)
          lanes.mma_e4m3([&](Registers& r) {
            return MmaOperands{r.part[i][j], r.a, r.b[j / 2] + 2 * (j % 2)};
          });
      }
    }
  }

  static ORRERY_HD int row_of(int thread, int i, int element) {
    return (thread / 32 % 2) * 64 + i * 16 + FragmentMap::c_row(thread % 32, element);
  }
  static ORRERY_HD int column_of(int thread, int j, int element) {
    return (thread / 64) * 32 + j * 8 + FragmentMap::c_col(thread % 32, element);
  }

  /// Scales of the rows for block `block`, on their way while the tensor cores multiply.
  static ORRERY_HD void fetch_scales(int thread, Registers& r, const BlockGemmArguments& g,
                                     const float* scale_b, int row, int tile_n, int block) {
    const float whole = WeightGradient ? 1.0F : scale_b[tile_n * (g.k / 128) + block];
    ORRERY_UNROLL
    for (int i = 0; i < 8; ++i) {
      const int at = row + row_of(thread, i / 2, i % 2 * 2);
      r.scale_a[i] = at < g.m ? g.scale_a[static_cast<std::int64_t>(block) * g.m + at] * whole : 0.0F;
    }
  }

  /// Scales of the columns of a weight gradient are read here: for them in advance there are no registers.
  static ORRERY_HD void scale(int thread, Registers& r, const BlockGemmArguments& g, const float* scale_b,
                              int tile_n, int block) {
    ORRERY_UNROLL
    for (int j = 0; j < 4; ++j) {
      ORRERY_UNROLL
      for (int side = 0; side < 2; ++side) {
        float of_column = 1;
        if constexpr (WeightGradient) {
          const int column = tile_n * 128 + column_of(thread, j, side);
          of_column = column < g.n ? scale_b[static_cast<std::int64_t>(block) * g.n + column] : 0.0F;
        }
        ORRERY_UNROLL
        for (int i = 0; i < 8; ++i) {
          const float s = WeightGradient ? r.scale_a[i] * of_column : r.scale_a[i];
          r.total[i / 2][j][i % 2 * 2 + side] += s * r.part[i / 2][j][i % 2 * 2 + side];
        }
      }
    }
  }

  static ORRERY_HD void store(int thread, Registers& r, const BlockGemmArguments& g, int row, int column) {
    ORRERY_UNROLL
    for (int i = 0; i < 4; ++i) {
      ORRERY_UNROLL
      for (int j = 0; j < 4; ++j) {
        ORRERY_UNROLL
        for (int half = 0; half < 2; ++half) {
          const int at = row + row_of(thread, i, 2 * half);
          const int to = column + column_of(thread, j, 0);  // even; n is even, so both or none are inside
          if (at >= g.m || to >= g.n) continue;
          const std::int64_t place = static_cast<std::int64_t>(at) * g.n + to;
          const float low = r.total[i][j][2 * half], high = r.total[i][j][2 * half + 1];
          if constexpr (WeightGradient) {
            auto* c = static_cast<float*>(g.c);
            c[place] += low;
            c[place + 1] += high;
          } else {
            *reinterpret_cast<std::uint32_t*>(static_cast<std::uint16_t*>(g.c) + place) =
                pack_bf16(low, high);
          }
        }
      }
    }
  }
};

}  // namespace orrery
