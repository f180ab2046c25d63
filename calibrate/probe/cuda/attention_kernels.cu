#include "calibrate/probe/cuda/kernels.hpp"

namespace orrery {
namespace {

template <class Body>
__global__ void __launch_bounds__(256, 1) attention_forward_kernel(AttentionArguments g) {
  extern __shared__ __align__(128) std::uint8_t shared[];
  typename Body::Registers registers;
  DeviceLanes<typename Body::Registers> lanes{registers};
  // The last queries see the most keys: they begin first.
  const int tile = static_cast<int>(gridDim.y - 1 - blockIdx.y);
  Body::run(lanes, shared, g, tile, static_cast<int>(blockIdx.x), static_cast<int>(blockIdx.z));
}

template <class Body>
cudaError_t launch(const AttentionArguments& g, int sequences, cudaStream_t stream) {
  const auto kernel = attention_forward_kernel<Body>;
  if (const auto error =
          cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, Body::kSharedBytes);
      error != cudaSuccess)
    return error;
  const dim3 grid(static_cast<unsigned>(g.heads), static_cast<unsigned>((g.sequence + 127) / 128),
                  static_cast<unsigned>(sequences));
  kernel<<<grid, Body::kThreads, Body::kSharedBytes, stream>>>(g);
  return cudaGetLastError();
}

}  // namespace

int shared_bytes_of_attention_forward(int qk, bool two_stages) {
  if (qk == 192)
    return two_stages ? AttentionForward<192, 128, 2>::kSharedBytes
                      : AttentionForward<192, 128, 1>::kSharedBytes;
  return two_stages ? AttentionForward<128, 128, 2>::kSharedBytes
                    : AttentionForward<128, 128, 1>::kSharedBytes;
}

cudaError_t launch_attention_forward(const AttentionArguments& g, int qk, int sequences, bool two_stages,
                                     cudaStream_t stream) {
  if (qk == 192) {
    return two_stages ? launch<AttentionForward<192, 128, 2>>(g, sequences, stream)
                      : launch<AttentionForward<192, 128, 1>>(g, sequences, stream);
  }
  return two_stages ? launch<AttentionForward<128, 128, 2>>(g, sequences, stream)
                    : launch<AttentionForward<128, 128, 1>>(g, sequences, stream);
}

}  // namespace orrery
