#pragma once

#include <cstdint>
#include <cstring>

#include "calibrate/probe/cuda/lanes.cuh"

/// Products of a warpgroup (128 threads) on sm_90a: wgmma.m64n128k16, bf16 operands, FP32 sums. B lies in
/// shared memory in the layout with swizzle over 128 bytes; A lies there, too, or in registers.
///
/// Tiles: rows of 64 elements (128 bytes), 16-byte chunk c of row r at c XOR (r mod 8) - the swizzle of the
/// hardware, which works on the bits of the address; so a tile begins at a multiple of 1024 bytes. Wider
/// operands are several such tiles one after the other.
///
/// Matrix descriptor (PTX ISA, "Matrix Descriptor Format" of wgmma; canonical layouts as in CUTLASS,
/// mma_sm90_desc.hpp): bits 0-13 address / 16, 16-29 leading byte offset / 16, 32-45 stride byte offset / 16,
/// 62-63 the swizzle (1: 128 bytes).
///   K-major (rows are M or N, elements along the row are K): stride offset 1024 (eight rows); the leading
///   offset is not used. MN-major (rows are K, elements along the row are M or N): stride offset 1024 (eight
///   k); leading offset: from one tile of 64 columns to the next.
///
/// Never run on a GPU so far. The host imitation below follows the same reading of the manual, so it shows
/// that the addresses of a kernel are consistent, not that the reading is right; the probe's own verification
/// decides that on the device.
namespace orrery {

inline constexpr int kSwizzledRowBytes = 128;

/// Offset of chunk `chunk` (16 bytes, 0..7) of row `row` in a tile.
ORRERY_HD int swizzled_offset(int row, int chunk) {
  return row * kSwizzledRowBytes + ((chunk ^ (row & 7)) * 16);
}

/// An operand in shared memory.
struct SharedOperand {
  const std::uint8_t* tile;  ///< first element
  int leading;               ///< bytes; MN-major only
  bool k_major;
};

struct WgmmaOperands {
  float* c;  ///< 64: c[4 j + i] is element i of the m16n8 fragment of columns 8 j; warp w has rows 16 w ..
  const std::uint32_t* a;  ///< 4 registers as for mma.m16n8k16; null: A in shared memory
  SharedOperand shared_a;
  SharedOperand b;
};

#ifdef __CUDACC__

__device__ __forceinline__ std::uint64_t wgmma_descriptor(const SharedOperand& operand) {
  const auto address = static_cast<std::uint64_t>(__cvta_generic_to_shared(operand.tile));
  const auto leading = static_cast<std::uint64_t>(operand.k_major ? 16 : operand.leading);
  return ((address & 0x3ffffU) >> 4) | (leading >> 4 << 16) | (std::uint64_t{1024} >> 4 << 32) |
         (std::uint64_t{1} << 62);
}

#define ORRERY_WGMMA_16(c, i)                                                                             \
  "+f"((c)[(i)]), "+f"((c)[(i) + 1]), "+f"((c)[(i) + 2]), "+f"((c)[(i) + 3]), "+f"((c)[(i) + 4]),         \
      "+f"((c)[(i) + 5]), "+f"((c)[(i) + 6]), "+f"((c)[(i) + 7]), "+f"((c)[(i) + 8]), "+f"((c)[(i) + 9]), \
      "+f"((c)[(i) + 10]), "+f"((c)[(i) + 11]), "+f"((c)[(i) + 12]), "+f"((c)[(i) + 13]),                 \
      "+f"((c)[(i) + 14]), "+f"((c)[(i) + 15])
#define ORRERY_WGMMA_64_NAMES                                                                                \
  "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%" \
  "28,%29,%30,"                                                                                              \
  "%31,%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56," \
  "%57,%58,%59,"                                                                                             \
  "%60,%61,%62,%63}"

/// Accumulators may be read only after the wait: an empty statement that reads and writes them stands behind
/// it, which no reading can pass.
template <int N>
__device__ __forceinline__ void tie(float (&c)[N]) {
  ORRERY_UNROLL
  for (int i = 0; i < N; ++i) asm volatile("" : "+f"(c[i])::"memory");
}
template <int N, int M>
__device__ __forceinline__ void tie(float (&c)[N][M]) {
  ORRERY_UNROLL
  for (int i = 0; i < N; ++i) tie(c[i]);
}

template <class Registers>
struct WarpgroupLanes : DeviceLanes<Registers> {
  /// Before the first product, and after registers of its operands were written.
  __device__ __forceinline__ void wgmma_begin() {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
    asm volatile("wgmma.fence.sync.aligned;\n" ::: "memory");
#endif
  }
  /// Waits for all products; `f` gives the accumulators.
  template <class F>
  __device__ __forceinline__ void wgmma_end(F f) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
    asm volatile("wgmma.commit_group.sync.aligned;\n" ::: "memory");
    asm volatile("wgmma.wait_group.sync.aligned 0;\n" ::: "memory");
    tie(f(this->registers));
#endif
  }
  /// Shared memory that was written by ordinary or asynchronous copies becomes visible to the tensor cores;
  /// in every writing thread, before the barrier.
  static __device__ __forceinline__ void fence_for_tensor_cores() {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
    asm volatile("fence.proxy.async.shared::cta;\n" ::: "memory");
#endif
  }
  /// c (64 x 32 of the warpgroup, 16 registers) = A (64 x 16) B (16 x 32) + (Add ? c : 0), both operands in
  /// shared memory.
  template <bool Add, class F>
  __device__ __forceinline__ void wgmma32(F f) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
    const WgmmaOperands o = f(static_cast<int>(threadIdx.x), this->registers);
    const std::uint64_t a = wgmma_descriptor(o.shared_a), b = wgmma_descriptor(o.b);
    asm volatile(
        "wgmma.mma_async.sync.aligned.m64n32k16.f32.bf16.bf16 "
        "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15}, %16, %17, %18, 1, 1, 0, 0;\n"
        : ORRERY_WGMMA_16(o.c, 0)
        : "l"(a), "l"(b), "n"(Add ? 1 : 0));
#endif
  }
  /// c = A (64 x 16) B (16 x 128) + (Add ? c : 0), A and B in shared memory, B MN-major.
  template <bool Add, class F>
  __device__ __forceinline__ void wgmma_by_rows(F f) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
    const WgmmaOperands o = f(static_cast<int>(threadIdx.x), this->registers);
    const std::uint64_t a = wgmma_descriptor(o.shared_a), b = wgmma_descriptor(o.b);
    asm volatile("wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 " ORRERY_WGMMA_64_NAMES
                 ", %64, %65, %66, 1, 1, 0, 1;\n"
                 : ORRERY_WGMMA_16(o.c, 0), ORRERY_WGMMA_16(o.c, 16), ORRERY_WGMMA_16(o.c, 32),
                   ORRERY_WGMMA_16(o.c, 48)
                 : "l"(a), "l"(b), "n"(Add ? 1 : 0));
#endif
  }
  /// c (64 x 128 of the warpgroup) = A (64 x 16) B (16 x 128) + (Add ? c : 0). A in registers: B MN-major; A
  /// in shared memory: both K-major.
  template <bool Add, class F>
  __device__ __forceinline__ void wgmma(F f) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
    const WgmmaOperands o = f(static_cast<int>(threadIdx.x), this->registers);
    const std::uint64_t b = wgmma_descriptor(o.b);
    if (o.a != nullptr) {
      asm volatile("wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 " ORRERY_WGMMA_64_NAMES
                   ", {%64,%65,%66,%67}, %68, %69, 1, 1, %70;\n"
                   : ORRERY_WGMMA_16(o.c, 0), ORRERY_WGMMA_16(o.c, 16), ORRERY_WGMMA_16(o.c, 32),
                     ORRERY_WGMMA_16(o.c, 48)
                   : "r"(o.a[0]), "r"(o.a[1]), "r"(o.a[2]), "r"(o.a[3]), "l"(b), "n"(Add ? 1 : 0), "n"(1));
    } else {
      const std::uint64_t a = wgmma_descriptor(o.shared_a);
      asm volatile("wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 " ORRERY_WGMMA_64_NAMES
                   ", %64, %65, %66, 1, 1, 0, 0;\n"
                   : ORRERY_WGMMA_16(o.c, 0), ORRERY_WGMMA_16(o.c, 16), ORRERY_WGMMA_16(o.c, 32),
                     ORRERY_WGMMA_16(o.c, 48)
                   : "l"(a), "l"(b), "n"(Add ? 1 : 0));
    }
#endif
  }
};

#else

template <class Registers>
struct HostWarpgroupLanes : HostLanes<Registers> {
  using HostLanes<Registers>::HostLanes;
  void wgmma_begin() {}
  template <class F>
  void wgmma_end(F) {}
  static void fence_for_tensor_cores() {}

  template <bool Add, class F>
  void wgmma(F f) {
    multiply<128, Add>(f);
  }
  template <bool Add, class F>
  void wgmma_by_rows(F f) {
    multiply<128, Add>(f);
  }
  template <bool Add, class F>
  void wgmma32(F f) {
    multiply<32, Add>(f);
  }

 private:
  template <int N, bool Add, class F>
  void multiply(F f) {
    auto& all = this->registers;
    for (std::size_t group = 0; group < all.size(); group += 128) {
      std::vector<float> a(64 * 16), b(16 * N);
      for (std::size_t thread = 0; thread < 128; ++thread) {
        const WgmmaOperands o = f(static_cast<int>(group + thread), all[group + thread]);
        const int lane = static_cast<int>(thread % 32), warp = static_cast<int>(thread / 32);
        for (int r = 0; o.a != nullptr && r < 4; ++r)
          for (int half = 0; half < 2; ++half)
            a[static_cast<std::size_t>((16 * warp + FragmentMap::a_row(lane, r)) * 16 +
                                       FragmentMap::a_col16(lane, r, half))] =
                from_bf16(static_cast<std::uint16_t>(o.a[r] >> (16 * half)));
        if (thread != 0) continue;
        for (int k = 0; k < 16; ++k) {
          for (int n = 0; n < N; ++n) b[static_cast<std::size_t>(k * N + n)] = element(o.b, n, k);
          for (int m = 0; o.a == nullptr && m < 64; ++m)
            a[static_cast<std::size_t>(m * 16 + k)] = element(o.shared_a, m, k);
        }
      }
      for (std::size_t thread = 0; thread < 128; ++thread) {
        const WgmmaOperands o = f(static_cast<int>(group + thread), all[group + thread]);
        const int lane = static_cast<int>(thread % 32), warp = static_cast<int>(thread / 32);
        for (int i = 0; i < N / 2; ++i) {
          const int row = 16 * warp + FragmentMap::c_row(lane, i % 4),
                    column = i / 4 * 8 + FragmentMap::c_col(lane, i % 4);
          float sum = Add ? o.c[i] : 0;
          for (int k = 0; k < 16; ++k)
            sum += a[static_cast<std::size_t>(row * 16 + k)] * b[static_cast<std::size_t>(k * N + column)];
          o.c[i] = sum;
        }
      }
    }
  }
  /// Element (mn, k) of an operand as the hardware finds it: offset by the canonical layout, then bits 4-6 of
  /// the address XOR bits 7-9.
  static float element(const SharedOperand& operand, int mn, int k) {
    const int offset = operand.k_major ? mn / 8 * 1024 + mn % 8 * 128 + k * 2
                                       : mn / 64 * operand.leading + k / 8 * 1024 + k % 8 * 128 + mn % 64 * 2;
    auto address = reinterpret_cast<std::uintptr_t>(operand.tile) + static_cast<std::uintptr_t>(offset);
    address ^= ((address >> 7) & 7U) << 4;
    std::uint16_t value = 0;
    std::memcpy(&value, reinterpret_cast<const void*>(address), sizeof value);
    return from_bf16(value);
  }
};

#endif

}  // namespace orrery
