#pragma once

#include <cstdint>
#include <cstring>

#include "calibrate/probe/cuda/codecs.cuh"
#include "calibrate/probe/cuda/hd.cuh"

#ifndef __CUDACC__
#include <vector>
#endif

/// A block of threads as a sequence of phases. A kernel body is a template over `Lanes`; between barriers it
/// calls
///
///   each(f)       f(thread, registers) for every thread
///   mma(f)        warp-wide matrix product; f(registers) gives the fragments
///   ldmatrix(f)   warp-wide load of 8x8 matrices; f(thread, registers) gives addresses and targets
///   quad_max/sum  reduction over four neighbouring lanes, which share a row of a fragment
///   barrier()
///
/// On the GPU (DeviceLanes) a thread runs its own part and the warp-wide ones are instructions. On the host
/// (HostLanes) a loop runs all threads phase by phase, with the fragment maps of the PTX ISA written out, so
/// that tests run whole kernel bodies against plain references. What the host cannot show: missing barriers
/// inside a phase and the completion of asynchronous copies.
namespace orrery {

/// Where element (row, column) of a fragment lives: PTX ISA 8.x, "Matrix fragments for mma.m16n8k16" and
/// "m16n8k32". `lane` 0..31; g = lane / 4 and t = lane % 4.
struct FragmentMap {
  // bf16, m16n8k16: register r of A holds two elements (low half first).
  static ORRERY_HD int a_row(int lane, int r) { return lane / 4 + (r & 1) * 8; }
  static ORRERY_HD int a_col16(int lane, int r, int half) { return (lane % 4) * 2 + half + (r >> 1) * 8; }
  static ORRERY_HD int b_row16(int lane, int r, int half) { return (lane % 4) * 2 + half + r * 8; }
  static ORRERY_HD int b_col(int lane) { return lane / 4; }
  // e4m3, m16n8k32: a register holds four elements (low byte first).
  static ORRERY_HD int a_col32(int lane, int r, int byte) { return (lane % 4) * 4 + byte + (r >> 1) * 16; }
  static ORRERY_HD int b_row32(int lane, int r, int byte) { return (lane % 4) * 4 + byte + r * 16; }
  // C and D, fp32: c[0], c[1] in row g, c[2], c[3] in row g + 8.
  static ORRERY_HD int c_row(int lane, int i) { return lane / 4 + (i >> 1) * 8; }
  static ORRERY_HD int c_col(int lane, int i) { return (lane % 4) * 2 + (i & 1); }
};

/// Fragments of one product D = A B + C with D and C in the same registers.
struct MmaOperands {
  float* c;                ///< 4
  const std::uint32_t* a;  ///< 4
  const std::uint32_t* b;  ///< 2
};
/// One lane's part of ldmatrix.x4: the address of its row of 16 bytes, and the four registers it fills.
struct LdmatrixOperands {
  const void* row;
  std::uint32_t* to;  ///< 4
};

#ifdef __CUDACC__

template <class Registers>
struct DeviceLanes {
  Registers& registers;

  template <class F>
  __device__ __forceinline__ void each(F f) {
    f(static_cast<int>(threadIdx.x), registers);
  }
  __device__ __forceinline__ void barrier() { __syncthreads(); }
  template <class F>
  __device__ __forceinline__ void mma_bf16(F f) {
    const MmaOperands o = f(registers);
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
        "{%0,%1,%2,%3};\n"
        : "+f"(o.c[0]), "+f"(o.c[1]), "+f"(o.c[2]), "+f"(o.c[3])
        : "r"(o.a[0]), "r"(o.a[1]), "r"(o.a[2]), "r"(o.a[3]), "r"(o.b[0]), "r"(o.b[1]));
  }
  template <class F>
  __device__ __forceinline__ void mma_e4m3(F f) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890
    const MmaOperands o = f(registers);
    asm volatile(
        "mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
        "{%0,%1,%2,%3};\n"
        : "+f"(o.c[0]), "+f"(o.c[1]), "+f"(o.c[2]), "+f"(o.c[3])
        : "r"(o.a[0]), "r"(o.a[1]), "r"(o.a[2]), "r"(o.a[3]), "r"(o.b[0]), "r"(o.b[1]));
#endif
  }
  template <bool Transposed, class F>
  __device__ __forceinline__ void ldmatrix(F f) {
    const LdmatrixOperands o = f(static_cast<int>(threadIdx.x), registers);
    const auto address = static_cast<std::uint32_t>(__cvta_generic_to_shared(o.row));
    if constexpr (Transposed) {
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];\n"
                   : "=r"(o.to[0]), "=r"(o.to[1]), "=r"(o.to[2]), "=r"(o.to[3])
                   : "r"(address));
    } else {
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];\n"
                   : "=r"(o.to[0]), "=r"(o.to[1]), "=r"(o.to[2]), "=r"(o.to[3])
                   : "r"(address));
    }
  }
  /// f(registers) names the float that every lane gives and gets.
  template <class F>
  __device__ __forceinline__ void quad_max(F f) {
    float& x = f(registers);
    x = fmaxf(x, __shfl_xor_sync(0xffffffffU, x, 1));
    x = fmaxf(x, __shfl_xor_sync(0xffffffffU, x, 2));
  }
  template <class F>
  __device__ __forceinline__ void quad_sum(F f) {
    float& x = f(registers);
    x += __shfl_xor_sync(0xffffffffU, x, 1);
    x += __shfl_xor_sync(0xffffffffU, x, 2);
  }
  /// Over groups of `Width` neighbouring lanes.
  template <int Width, class F>
  __device__ __forceinline__ void group_max(F f) {
    float& x = f(registers);
    for (int step = 1; step < Width; step *= 2) x = fmaxf(x, __shfl_xor_sync(0xffffffffU, x, step));
  }
  template <int Width, class F>
  __device__ __forceinline__ void group_sum(F f) {
    float& x = f(registers);
    for (int step = 1; step < Width; step *= 2) x += __shfl_xor_sync(0xffffffffU, x, step);
  }
  /// Sixteen bytes from device to shared memory, asynchronously; zeros where not `valid`.
  static __device__ __forceinline__ void copy16(void* to, const void* from, bool valid) {
    const auto address = static_cast<std::uint32_t>(__cvta_generic_to_shared(to));
    const int bytes = valid ? 16 : 0;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(address), "l"(from), "r"(bytes));
  }
  static __device__ __forceinline__ void commit_copies() {
    asm volatile("cp.async.commit_group;\n");
  }
  /// Waits until at most `Pending` groups of this thread's copies are under way.
  template <int Pending>
  static __device__ __forceinline__ void wait_copies() {
    asm volatile("cp.async.wait_group %0;\n" ::"n"(Pending));
  }
};

#else

template <class Registers>
struct HostLanes {
  std::vector<Registers> registers;
  explicit HostLanes(int threads) : registers(static_cast<std::size_t>(threads)) {}

  template <class F>
  void each(F f) {
    for (std::size_t i = 0; i < registers.size(); ++i) f(static_cast<int>(i), registers[i]);
  }
  void barrier() {}

  template <class F>
  void mma_bf16(F f) {
    for (std::size_t warp = 0; warp < registers.size(); warp += 32) {
      float a[16][16], b[16][8];
      for (int lane = 0; lane < 32; ++lane) {
        const MmaOperands o = f(registers[warp + static_cast<std::size_t>(lane)]);
        for (int r = 0; r < 4; ++r)
          for (int half = 0; half < 2; ++half)
            a[FragmentMap::a_row(lane, r)][FragmentMap::a_col16(lane, r, half)] =
                from_bf16(static_cast<std::uint16_t>(o.a[r] >> (16 * half)));
        for (int r = 0; r < 2; ++r)
          for (int half = 0; half < 2; ++half)
            b[FragmentMap::b_row16(lane, r, half)][FragmentMap::b_col(lane)] =
                from_bf16(static_cast<std::uint16_t>(o.b[r] >> (16 * half)));
      }
      accumulate<16>(f, warp, a, b);
    }
  }
  template <class F>
  void mma_e4m3(F f) {
    for (std::size_t warp = 0; warp < registers.size(); warp += 32) {
      float a[16][32], b[32][8];
      for (int lane = 0; lane < 32; ++lane) {
        const MmaOperands o = f(registers[warp + static_cast<std::size_t>(lane)]);
        for (int r = 0; r < 4; ++r)
          for (int byte = 0; byte < 4; ++byte)
            a[FragmentMap::a_row(lane, r)][FragmentMap::a_col32(lane, r, byte)] =
                from_e4m3(static_cast<std::uint8_t>(o.a[r] >> (8 * byte)));
        for (int r = 0; r < 2; ++r)
          for (int byte = 0; byte < 4; ++byte)
            b[FragmentMap::b_row32(lane, r, byte)][FragmentMap::b_col(lane)] =
                from_e4m3(static_cast<std::uint8_t>(o.b[r] >> (8 * byte)));
      }
      accumulate<32>(f, warp, a, b);
    }
  }
  /// PTX ISA, ldmatrix: lanes 8i..8i+7 give the rows of matrix i; lane l gets the pair (l % 4) of row l / 4,
  /// or, when transposed, elements l / 4 of rows 2 (l % 4) and 2 (l % 4) + 1.
  template <bool Transposed, class F>
  void ldmatrix(F f) {
    for (std::size_t warp = 0; warp < registers.size(); warp += 32) {
      const void* rows[32];
      std::uint32_t* to[32];
      for (std::size_t lane = 0; lane < 32; ++lane) {
        const LdmatrixOperands o = f(static_cast<int>(warp + lane), registers[warp + lane]);
        rows[lane] = o.row;
        to[lane] = o.to;
      }
      for (int lane = 0; lane < 32; ++lane) {
        for (int matrix = 0; matrix < 4; ++matrix) {
          const auto element = [&](int row, int column) {
            std::uint16_t value;
            std::memcpy(&value, static_cast<const char*>(rows[8 * matrix + row]) + 2 * column, sizeof value);
            return static_cast<std::uint32_t>(value);
          };
          const int g = lane / 4, t = 2 * (lane % 4);
          to[lane][matrix] =
              Transposed ? element(t, g) | element(t + 1, g) << 16 : element(g, t) | element(g, t + 1) << 16;
        }
      }
    }
  }
  template <class F>
  void quad_max(F f) {
    group_max<4>(f);
  }
  template <class F>
  void quad_sum(F f) {
    group_sum<4>(f);
  }
  template <int Width, class F>
  void group_max(F f) {
    reduce(f, Width, [](float a, float b) { return a > b ? a : b; });
  }
  template <int Width, class F>
  void group_sum(F f) {
    reduce(f, Width, [](float a, float b) { return a + b; });
  }
  static void copy16(void* to, const void* from, bool valid) {
    if (valid) {
      std::memcpy(to, from, 16);
    } else {
      std::memset(to, 0, 16);
    }
  }
  static void commit_copies() {}
  template <int Pending>
  static void wait_copies() {}

 private:
  template <int Depth, class F, class A, class B>
  void accumulate(F f, std::size_t warp, const A& a, const B& b) {
    for (int lane = 0; lane < 32; ++lane) {
      const MmaOperands o = f(registers[warp + static_cast<std::size_t>(lane)]);
      for (int i = 0; i < 4; ++i) {
        float sum = o.c[i];
        for (int k = 0; k < Depth; ++k)
          sum += a[FragmentMap::c_row(lane, i)][k] * b[k][FragmentMap::c_col(lane, i)];
        o.c[i] = sum;
      }
    }
  }
  template <class F, class Join>
  void reduce(F f, int width, Join join) {
    for (std::size_t first = 0; first < registers.size(); first += static_cast<std::size_t>(width)) {
      float all = f(registers[first]);
      for (int i = 1; i < width; ++i) all = join(all, f(registers[first + static_cast<std::size_t>(i)]));
      for (int i = 0; i < width; ++i) f(registers[first + static_cast<std::size_t>(i)]) = all;
    }
  }
};

#endif

}  // namespace orrery
