#include "calibrate/probe/cuda/attention_backward.cuh"
#include "calibrate/probe/cuda/kernels.hpp"

namespace orrery {
namespace {

constexpr int kV = 128;

template <class Body>
__global__ void __launch_bounds__(256, 1) attention_backward_kernel(AttentionArguments g) {
  extern __shared__ __align__(128) std::uint8_t shared[];
  typename Body::Registers registers;
  DeviceLanes<typename Body::Registers> lanes{registers};
  Body::run(lanes, shared, g, static_cast<int>(blockIdx.y), static_cast<int>(blockIdx.x),
            static_cast<int>(blockIdx.z));
}

/// delta of one query and head by a warp: each lane four elements.
__global__ void delta_kernel(AttentionArguments g, float* delta, std::int64_t rows) {
  const std::int64_t row = (std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x) / 32;
  if (row >= rows) return;
  const int lane = static_cast<int>(threadIdx.x % 32);
  float sum = 0;
  for (int i = 0; i < kV / 32; ++i) {
    const std::int64_t at = row * kV + lane * (kV / 32) + i;
    sum += from_bf16(g.out[at]) * from_bf16(g.d_out[at]);
  }
  for (int step = 1; step < 32; step *= 2) sum += __shfl_xor_sync(0xffffffffU, sum, step);
  // Rows come as [sequence number][query][head], delta as [sequence number][head][query].
  const std::int64_t head = row % g.heads, query = row / g.heads % g.sequence,
                     batch = row / g.heads / g.sequence;
  if (lane == 0) delta[(batch * g.heads + head) * g.sequence + query] = sum;
}

template <class Body>
cudaError_t launch(const AttentionArguments& g, int sequences, cudaStream_t stream) {
  const auto kernel = attention_backward_kernel<Body>;
  if (const auto error =
          cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, Body::kSharedBytes);
      error != cudaSuccess)
    return error;
  const dim3 grid(static_cast<unsigned>(g.heads), static_cast<unsigned>((g.sequence + 63) / 64),
                  static_cast<unsigned>(sequences));
  kernel<<<grid, Body::kThreads, Body::kSharedBytes, stream>>>(g);
  return cudaGetLastError();
}

}  // namespace

int shared_bytes_of_attention_backward(int qk) {
  return qk == 192 ? AttentionBackward<192, kV>::kSharedBytes : AttentionBackward<128, kV>::kSharedBytes;
}

cudaError_t launch_attention_backward(const AttentionArguments& g, int qk, int sequences, float* delta,
                                      cudaStream_t stream) {
  const std::int64_t rows = std::int64_t{sequences} * g.sequence * g.heads;
  delta_kernel<<<static_cast<unsigned>((rows + 7) / 8), 256, 0, stream>>>(g, delta, rows);
  if (const auto error = cudaGetLastError(); error != cudaSuccess) return error;
  AttentionArguments with_delta = g;
  with_delta.delta = delta;
  return qk == 192 ? launch<AttentionBackward<192, kV>>(with_delta, sequences, stream)
                   : launch<AttentionBackward<128, kV>>(with_delta, sequences, stream);
}

}  // namespace orrery
