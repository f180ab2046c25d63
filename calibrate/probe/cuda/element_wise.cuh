#pragma once

#include <cstdint>

#include "calibrate/probe/cuda/lanes.cuh"

/// Memory-bound kernels of a training step, eight bf16 elements (16 bytes) to a thread at a time. Where a row
/// has to be reduced the body is a template over Lanes; the others are functions of an index.
///
/// Never run on a GPU so far; all bodies run in tests/calibrate/probe/cuda on the host.
namespace orrery {

struct alignas(16) Bf16x8 {  // moved as one word of 16 bytes
  std::uint16_t at[8];
};
struct alignas(8) Fp8x8 {
  std::uint8_t at[8];
};
ORRERY_HD Bf16x8 load8(const std::uint16_t* from) {
  Bf16x8 out;
#ifdef __CUDA_ARCH__
  *reinterpret_cast<uint4*>(&out) = *reinterpret_cast<const uint4*>(from);
#else
  std::memcpy(&out, from, sizeof out);
#endif
  return out;
}
ORRERY_HD void store8(std::uint16_t* to, const Bf16x8& value) {
#ifdef __CUDA_ARCH__
  *reinterpret_cast<uint4*>(to) = *reinterpret_cast<const uint4*>(&value);
#else
  std::memcpy(to, &value, sizeof value);
#endif
}
ORRERY_HD float sigmoid(float x) {
#ifdef __CUDA_ARCH__
  return 1 / (1 + __expf(-x));
#else
  return 1 / (1 + std::exp(-x));
#endif
}

struct ElementArguments {
  const std::uint16_t* x = nullptr;      ///< [rows][width]; swiglu: [rows][2 width], gate then up
  const std::uint16_t* y = nullptr;      ///< residual add: the other addend; rmsnorm: weights [width]
  const float* angles = nullptr;         ///< rotary: [rows][head / 2] cosine, then the same of sine
  const std::int32_t* source = nullptr;  ///< permute: row of x for each row written
  std::uint16_t* out = nullptr;          ///< bf16 results, [rows][width]
  std::uint8_t* codes = nullptr;         ///< FP8 results
  float* scales = nullptr;  ///< quantise: [width / 128][rows]; cast and transpose: [rows / 128][width]
  std::int64_t rows = 0;
  std::int64_t width = 0;  ///< a multiple of 128
  int head = 64;           ///< rotary: elements that turn together
};

/// Residual addition; `i` counts groups of eight elements.
struct ResidualAdd {
  static ORRERY_HD void run(const ElementArguments& g, std::int64_t i) {
    const Bf16x8 x = load8(g.x + 8 * i), y = load8(g.y + 8 * i);
    Bf16x8 out;
    ORRERY_UNROLL
    for (int j = 0; j < 8; ++j) out.at[j] = to_bf16(from_bf16(x.at[j]) + from_bf16(y.at[j]));
    store8(g.out + 8 * i, out);
  }
};

/// silu(gate) * up.
struct SwiGlu {
  static ORRERY_HD void run(const ElementArguments& g, std::int64_t i) {
    const std::int64_t per_row = g.width / 8, row = i / per_row, column = i % per_row * 8;
    const Bf16x8 gate = load8(g.x + row * 2 * g.width + column),
                 up = load8(g.x + row * 2 * g.width + g.width + column);
    Bf16x8 out;
    ORRERY_UNROLL
    for (int j = 0; j < 8; ++j) {
      const float x = from_bf16(gate.at[j]);
      out.at[j] = to_bf16(x * sigmoid(x) * from_bf16(up.at[j]));
    }
    store8(g.out + 8 * i, out);
  }
};

/// Neighbouring elements (2j, 2j+1) of each head are turned by the angle of the row and of j.
struct Rotary {
  static ORRERY_HD void run(const ElementArguments& g, std::int64_t i) {
    const std::int64_t per_row = g.width / 8, row = i / per_row, column = i % per_row * 8;
    const std::int64_t pairs = g.head / 2, first = column % g.head / 2;
    const float* cosines = g.angles + row * pairs + first;
    const float* sines = cosines + g.rows * pairs;
    const Bf16x8 x = load8(g.x + 8 * i);
    Bf16x8 out;
    ORRERY_UNROLL
    for (int j = 0; j < 4; ++j) {
      const float a = from_bf16(x.at[2 * j]), b = from_bf16(x.at[2 * j + 1]);
      out.at[2 * j] = to_bf16(a * cosines[j] - b * sines[j]);
      out.at[2 * j + 1] = to_bf16(a * sines[j] + b * cosines[j]);
    }
    store8(g.out + 8 * i, out);
  }
};

/// Rows from token order to expert order.
struct PermuteRows {
  static ORRERY_HD void run(const ElementArguments& g, std::int64_t i) {
    const std::int64_t per_row = g.width / 8, row = i / per_row, column = i % per_row * 8;
    store8(g.out + 8 * i, load8(g.x + g.source[row] * g.width + column));
  }
};

/// Quantise 1x128 to E4M3: 16 neighbouring threads take one group of 128. Thread `i` counts groups of eight
/// elements; all threads of a block stay in step, those past the end (i >= total) do nothing but the
/// reduction.
struct Quantise {
  struct Registers {
    float values[8];
    float largest;
  };
  template <class Lanes>
  static ORRERY_HD void run(Lanes& lanes, const ElementArguments& g, std::int64_t first) {
    const std::int64_t total = g.rows * g.width / 8;
    lanes.each([&](int thread, Registers& r) {
      r.largest = 0;
      if (first + thread >= total) return;
      const Bf16x8 x = load8(g.x + 8 * (first + thread));
      ORRERY_UNROLL
      for (int j = 0; j < 8; ++j) {
        r.values[j] = from_bf16(x.at[j]);
        r.largest = fmaxf(r.largest, fabsf(r.values[j]));
      }
    });
    lanes.template group_max<16>([](Registers& r) -> float& { return r.largest; });
    lanes.each([&](int thread, Registers& r) {
      const std::int64_t i = first + thread;
      if (i >= total) return;
      const float scale = block_scale(r.largest), inverse = 1 / scale;
      Fp8x8 codes;
      ORRERY_UNROLL
      for (int j = 0; j < 8; ++j) codes.at[j] = to_e4m3(r.values[j] * inverse);
      *reinterpret_cast<Fp8x8*>(g.codes + 8 * i) = codes;
      const std::int64_t row = 8 * i / g.width, block = 8 * i % g.width / 128;
      if (thread % 16 == 0) g.scales[block * g.rows + row] = scale;
    });
  }
};

/// x / sqrt(mean(x^2) + 1e-6) * weight; a block of 256 threads takes one row of up to 16384 elements.
struct RmsNorm {
  static constexpr int kThreads = 256, kMost = 8;
  struct Registers {
    Bf16x8 x[kMost];
    float sum;
  };
  /// `shared`: one float for each warp.
  template <class Lanes>
  static ORRERY_HD void run(Lanes& lanes, float* shared, const ElementArguments& g, std::int64_t row) {
    const std::int64_t groups = g.width / 8;
    lanes.each([&](int thread, Registers& r) {
      r.sum = 0;
      ORRERY_UNROLL
      for (int i = 0; i < kMost; ++i) {
        if (i * kThreads + thread >= groups) continue;
        r.x[i] = load8(g.x + row * g.width + 8 * (i * kThreads + thread));
        ORRERY_UNROLL
        for (int j = 0; j < 8; ++j) r.sum += from_bf16(r.x[i].at[j]) * from_bf16(r.x[i].at[j]);
      }
    });
    lanes.template group_sum<32>([](Registers& r) -> float& { return r.sum; });
    lanes.each([&](int thread, Registers& r) {
      if (thread % 32 == 0) shared[thread / 32] = r.sum;
    });
    lanes.barrier();
    lanes.each([&](int thread, Registers& r) {
      float sum = 0;
      for (int i = 0; i < kThreads / 32; ++i) sum += shared[i];
      const float factor = 1 / sqrtf(sum / static_cast<float>(g.width) + 1e-6F);
      ORRERY_UNROLL
      for (int i = 0; i < kMost; ++i) {
        if (i * kThreads + thread >= groups) continue;
        const Bf16x8 weight = load8(g.y + 8 * (i * kThreads + thread));
        Bf16x8 out;
        ORRERY_UNROLL
        for (int j = 0; j < 8; ++j)
          out.at[j] = to_bf16(from_bf16(r.x[i].at[j]) * factor * from_bf16(weight.at[j]));
        store8(g.out + row * g.width + 8 * (i * kThreads + thread), out);
      }
    });
  }
};

/// bf16 [rows][width] to E4M3 [width][rows] with a scale per 128 along the new rows: what an FP8 weight
/// gradient reads. A block of 256 threads takes 128 x 64 through shared memory.
struct CastTranspose {
  static constexpr int kThreads = 256, kRows = 128, kColumns = 64;
  static constexpr int kPitch = kColumns / 2 + 1;  // words of two elements
  static constexpr int kSharedWords = kRows * kPitch + 4 * (kRows / 32);
  struct Registers {
    float largest;
  };
  /// Word of columns `column` and `column` + 1 (even) of row `row`. Rows are 33 words apart, and each 32 rows
  /// four words more: a warp reads 8 columns of rows r, r + 32, r + 64, r + 96, whose words then lie in 16
  /// banks, and writes 4 rows of 64 columns to all 32.
  static ORRERY_HD int word(int row, int column) { return row * kPitch + row / 32 * 4 + column / 2; }

  template <class Lanes>
  static ORRERY_HD void run(Lanes& lanes, std::uint32_t* shared, const ElementArguments& g, std::int64_t row,
                            std::int64_t column) {
    lanes.each([&](int thread, Registers&) {
      for (int i = thread; i < kRows * kColumns / 8; i += kThreads) {
        const int r = i / (kColumns / 8), c = i % (kColumns / 8) * 8;
        const Bf16x8 x = load8(g.x + (row + r) * g.width + column + c);
        ORRERY_UNROLL
        for (int j = 0; j < 8; j += 2)
          shared[word(r, c + j)] =
              static_cast<std::uint32_t>(x.at[j]) | static_cast<std::uint32_t>(x.at[j + 1]) << 16;
      }
    });
    lanes.barrier();
    // Four neighbouring threads take one column: 32 rows each.
    lanes.each([&](int thread, Registers& r) {
      const int c = thread / 4, from = thread % 4 * 32;
      r.largest = 0;
      for (int i = 0; i < 32; ++i) r.largest = fmaxf(r.largest, fabsf(element(shared, from + i, c)));
    });
    lanes.template group_max<4>([](Registers& r) -> float& { return r.largest; });
    lanes.each([&](int thread, Registers& r) {
      const int c = thread / 4, from = thread % 4 * 32;
      const float scale = block_scale(r.largest), inverse = 1 / scale;
      std::uint8_t* to = g.codes + (column + c) * g.rows + row + from;
      for (int i = 0; i < 32; i += 8) {
        Fp8x8 codes;
        for (int j = 0; j < 8; ++j) codes.at[j] = to_e4m3(element(shared, from + i + j, c) * inverse);
        *reinterpret_cast<Fp8x8*>(to + i) = codes;
      }
      if (thread % 4 == 0) g.scales[row / 128 * g.width + column + c] = scale;
    });
  }

 private:
  static ORRERY_HD float element(const std::uint32_t* shared, int row, int column) {
    return from_bf16(static_cast<std::uint16_t>(shared[word(row, column)] >> (16 * (column % 2))));
  }
};

/// Local part of expert dispatch: each token's row is quantised 1x128 once and written for each of its
/// experts, into the place that `source` gives (position of copy `j` of token `t` is place[t * top_k + j]).
struct ExchangeArguments {
  const std::uint16_t* x = nullptr;     ///< dispatch: [tokens][hidden]; combine: [tokens * top_k][hidden]
  const std::int32_t* place = nullptr;  ///< [tokens][top_k], a permutation of 0 .. tokens * top_k - 1
  const float* weight = nullptr;        ///< combine: [tokens][top_k]
  std::uint8_t* codes = nullptr;        ///< dispatch: [tokens * top_k][hidden]
  float* scales = nullptr;              ///< dispatch: [tokens * top_k][hidden / 128]
  std::uint16_t* out = nullptr;         ///< combine: [tokens][hidden]
  int tokens = 0;
  int hidden = 0;  ///< a multiple of 128
  int top_k = 0;
};

struct DispatchLocal {
  using Registers = Quantise::Registers;
  /// `first`: the group of eight elements of thread 0; blocks of a multiple of 16 threads.
  template <class Lanes>
  static ORRERY_HD void run(Lanes& lanes, const ExchangeArguments& g, std::int64_t first) {
    const std::int64_t per_row = g.hidden / 8, total = g.tokens * per_row;
    lanes.each([&](int thread, Registers& r) {
      r.largest = 0;
      if (first + thread >= total) return;
      const Bf16x8 x = load8(g.x + 8 * (first + thread));
      ORRERY_UNROLL
      for (int j = 0; j < 8; ++j) {
        r.values[j] = from_bf16(x.at[j]);
        r.largest = fmaxf(r.largest, fabsf(r.values[j]));
      }
    });
    lanes.template group_max<16>([](Registers& r) -> float& { return r.largest; });
    lanes.each([&](int thread, Registers& r) {
      const std::int64_t i = first + thread;
      if (i >= total) return;
      const float scale = block_scale(r.largest), inverse = 1 / scale;
      Fp8x8 codes;
      ORRERY_UNROLL
      for (int j = 0; j < 8; ++j) codes.at[j] = to_e4m3(r.values[j] * inverse);
      const std::int64_t token = i / per_row, column = i % per_row * 8;
      for (int copy = 0; copy < g.top_k; ++copy) {
        const std::int64_t row = g.place[token * g.top_k + copy];
        *reinterpret_cast<Fp8x8*>(g.codes + row * g.hidden + column) = codes;
        if (thread % 16 == 0) g.scales[row * (g.hidden / 128) + column / 128] = scale;
      }
    });
  }
};

/// Local part of combine: weighted sum of the rows that came back for a token. `i` counts groups of eight
/// elements.
struct CombineLocal {
  static ORRERY_HD void run(const ExchangeArguments& g, std::int64_t i) {
    const std::int64_t per_row = g.hidden / 8, token = i / per_row, column = i % per_row * 8;
    float sum[8] = {};
    for (int copy = 0; copy < g.top_k; ++copy) {
      const float weight = g.weight[token * g.top_k + copy];
      const Bf16x8 x = load8(g.x + std::int64_t{g.place[token * g.top_k + copy]} * g.hidden + column);
      ORRERY_UNROLL
      for (int j = 0; j < 8; ++j) sum[j] += weight * from_bf16(x.at[j]);
    }
    Bf16x8 out;
    ORRERY_UNROLL
    for (int j = 0; j < 8; ++j) out.at[j] = to_bf16(sum[j]);
    store8(g.out + 8 * i, out);
  }
};

}  // namespace orrery
