#include "calibrate/probe/cuda/kernels.hpp"

namespace orrery {
namespace {

__device__ __forceinline__ std::int64_t thread_of_grid() {
  return std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
}
__device__ __forceinline__ std::int64_t threads_of_grid() {
  return std::int64_t{gridDim.x} * blockDim.x;
}

__global__ void fill_kernel(Fill kind, void* to, std::int64_t count, std::uint32_t seed) {
  for (std::int64_t i = thread_of_grid(); i < count; i += threads_of_grid()) {
    const float x = random_normal(seed, static_cast<std::uint64_t>(i));
    switch (kind) {
      case Fill::kBf16: static_cast<std::uint16_t*>(to)[i] = to_bf16(x); break;
      case Fill::kE4m3: static_cast<std::uint8_t*>(to)[i] = to_e4m3(16 * x); break;
      case Fill::kScale: static_cast<float*>(to)[i] = fmaf(0.25F, x, 1.0F); break;
      case Fill::kWords:
        static_cast<std::uint32_t*>(to)[i] = mix(seed + static_cast<std::uint32_t>(i));
        break;
    }
  }
}

/// 16 bytes from the L2 cache, past the SM's own; volatile, so that a second round reads again.
__device__ __forceinline__ uint4 load_past_l1(const uint4* from) {
  uint4 x;
  asm volatile("ld.global.cg.v4.u32 {%0,%1,%2,%3}, [%4];"
               : "=r"(x.x), "=r"(x.y), "=r"(x.z), "=r"(x.w)
               : "l"(from));
  return x;
}

/// XOR of all words, read `rounds` times, an odd number; four independent loads of 16 bytes in flight for
/// each thread.
__global__ void read_kernel(const uint4* from, std::int64_t count, std::uint32_t* sink, int rounds) {
  std::uint32_t x = 0;
  const std::int64_t step = threads_of_grid();
  for (int round = 0; round < rounds; ++round) {
    std::int64_t i = thread_of_grid();
    for (; i + 3 * step < count; i += 4 * step) {
      const uint4 a = load_past_l1(from + i), b = load_past_l1(from + i + step);
      const uint4 c = load_past_l1(from + i + 2 * step), d = load_past_l1(from + i + 3 * step);
      x ^= a.x ^ a.y ^ a.z ^ a.w ^ b.x ^ b.y ^ b.z ^ b.w ^ c.x ^ c.y ^ c.z ^ c.w ^ d.x ^ d.y ^ d.z ^ d.w;
    }
    for (; i < count; i += step) {
      const uint4 a = load_past_l1(from + i);
      x ^= a.x ^ a.y ^ a.z ^ a.w;
    }
  }
  for (int lane = 1; lane < 32; lane *= 2) x ^= __shfl_xor_sync(0xffffffffU, x, lane);
  if (threadIdx.x % 32 == 0) atomicXor(sink, x);
}

__global__ void write_kernel(uint4* to, std::int64_t count, std::uint32_t value) {
  for (std::int64_t i = thread_of_grid(); i < count; i += threads_of_grid())
    to[i] = make_uint4(value, value, value, value);
}

__device__ __forceinline__ void copy_words(uint4* to, const uint4* from, std::int64_t count) {
  const std::int64_t step = threads_of_grid();
  std::int64_t i = thread_of_grid();
  for (; i + 3 * step < count; i += 4 * step) {
    const uint4 a = from[i], b = from[i + step], c = from[i + 2 * step], d = from[i + 3 * step];
    to[i] = a;
    to[i + step] = b;
    to[i + 2 * step] = c;
    to[i + 3 * step] = d;
  }
  for (; i < count; i += step) to[i] = from[i];
}

__global__ void copy_kernel(uint4* to, const uint4* from, std::int64_t count) {
  copy_words(to, from, count);
}

__global__ void nothing_kernel() {}

__device__ __forceinline__ std::uint64_t nanoseconds() {
  std::uint64_t t = 0;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(t));
  return t;
}

__global__ void hold_kernel(std::uint64_t ns) {
  const std::uint64_t start = nanoseconds();
  while (nanoseconds() - start < ns) __nanosleep(100);
}

/// Nanoseconds after which the kernel ends though nobody stopped it: the driver may wait for it in a call
/// that comes before.
constexpr std::uint64_t kLongestCommunication = 30'000'000'000;

__global__ void __launch_bounds__(1024)
    communication_kernel(uint4* to, const uint4* from, std::int64_t count, int rounds,
                         volatile std::uint32_t* resident, volatile std::uint32_t* stop) {
  __shared__ std::uint32_t ended;
  __shared__ std::uint64_t start;  // of thread 0; there to spare registers
  if (threadIdx.x == 0) {
    start = nanoseconds();
    resident[blockIdx.x] = 1;  // a word for each block: atomics on host memory are not to be had everywhere
    __threadfence_system();
  }
  // Without a number of rounds each block asks between short pieces, so that it stops soon after it is told.
  const std::int64_t piece = rounds > 0 ? count : min(count, std::int64_t{gridDim.x} * 65536);
  for (int round = 0; rounds == 0 || round < rounds; ++round) {
    if (rounds == 0) {
      if (threadIdx.x == 0) {
        const bool late = nanoseconds() - start > kLongestCommunication;
        if (late) {
          stop[1] = 1;
          __threadfence_system();
        }
        ended = *stop != 0 || late ? 1 : 0;
      }
      __syncthreads();
      if (ended != 0) return;
      __syncthreads();
    }
    const std::int64_t pieces = count / piece;
    const std::int64_t offset = rounds > 0 ? 0 : round % pieces * piece;
    copy_words(to + offset, from + offset, piece);
  }
}

unsigned blocks_for(std::int64_t threads) {
  return static_cast<unsigned>(min((threads + 255) / 256, std::int64_t{1} << 20));
}

}  // namespace

cudaError_t launch_fill(Fill kind, void* to, std::int64_t count, std::uint32_t seed, cudaStream_t stream) {
  fill_kernel<<<blocks_for(count), 256, 0, stream>>>(kind, to, count, seed);
  return cudaGetLastError();
}

cudaError_t launch_read(const void* from, std::int64_t bytes, std::uint32_t* sink, int sms, int rounds,
                        cudaStream_t stream) {
  read_kernel<<<static_cast<unsigned>(8 * sms), 256, 0, stream>>>(static_cast<const uint4*>(from), bytes / 16,
                                                                  sink, rounds);
  return cudaGetLastError();
}

cudaError_t launch_write(void* to, std::int64_t bytes, std::uint32_t value, cudaStream_t stream) {
  write_kernel<<<blocks_for(bytes / 16), 256, 0, stream>>>(static_cast<uint4*>(to), bytes / 16, value);
  return cudaGetLastError();
}

cudaError_t launch_copy(void* to, const void* from, std::int64_t bytes, cudaStream_t stream) {
  copy_kernel<<<blocks_for(bytes / 64), 256, 0, stream>>>(static_cast<uint4*>(to),
                                                          static_cast<const uint4*>(from), bytes / 16);
  return cudaGetLastError();
}

cudaError_t launch_nothing(cudaStream_t stream) {
  nothing_kernel<<<1, 32, 0, stream>>>();
  return cudaGetLastError();
}

cudaError_t launch_hold(std::int64_t nanoseconds, cudaStream_t stream) {
  hold_kernel<<<1, 1, 0, stream>>>(static_cast<std::uint64_t>(nanoseconds));
  return cudaGetLastError();
}

cudaError_t launch_communication(void* to, const void* from, std::int64_t bytes, int rounds, int sms,
                                 int shared_bytes, volatile std::uint32_t* resident,
                                 volatile std::uint32_t* stop, cudaStream_t stream) {
  if (const auto error = cudaFuncSetAttribute(communication_kernel,
                                              cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes);
      error != cudaSuccess)
    return error;
  communication_kernel<<<static_cast<unsigned>(sms), 1024, shared_bytes, stream>>>(
      static_cast<uint4*>(to), static_cast<const uint4*>(from), bytes / 16, rounds, resident, stop);
  return cudaGetLastError();
}

}  // namespace orrery
