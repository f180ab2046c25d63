#include "calibrate/probe/cuda/attention_hopper.cuh"
#include "calibrate/probe/cuda/kernels.hpp"

namespace orrery {
namespace {

template <class Body>
__global__ void __launch_bounds__(256, 1) attention_hopper_kernel(AttentionArguments g) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  extern __shared__ __align__(1024) std::uint8_t shared[];
  typename Body::Registers registers;
  WarpgroupLanes<typename Body::Registers> lanes{{registers}};
  const int tile = static_cast<int>(gridDim.y - 1 - blockIdx.y);
  Body::run(lanes, shared, g, tile, static_cast<int>(blockIdx.x), static_cast<int>(blockIdx.z));
#endif
}

template <class Body>
cudaError_t launch(const AttentionArguments& g, int sequences, cudaStream_t stream) {
  const auto kernel = attention_hopper_kernel<Body>;
  if (const auto error =
          cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, Body::kSharedBytes);
      error != cudaSuccess)
    return error;
  const dim3 grid(static_cast<unsigned>(g.heads), static_cast<unsigned>((g.sequence + 127) / 128),
                  static_cast<unsigned>(sequences));
  kernel<<<grid, Body::kThreads, Body::kSharedBytes, stream>>>(g);
  return cudaGetLastError();
}

template <class Body>
__global__ void __launch_bounds__(256, 1) decode_hopper_kernel(DecodeArguments g) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  extern __shared__ __align__(1024) std::uint8_t shared[];
  typename Body::Registers registers;
  WarpgroupLanes<typename Body::Registers> lanes{{registers}};
  Body::run(lanes, shared, g, static_cast<int>(blockIdx.x), static_cast<int>(blockIdx.y),
            static_cast<int>(blockIdx.z));
#endif
}

template <class Body>
cudaError_t launch(const DecodeArguments& g, cudaStream_t stream) {
  const auto kernel = decode_hopper_kernel<Body>;
  if (const auto error =
          cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, Body::kSharedBytes);
      error != cudaSuccess)
    return error;
  const dim3 grid(static_cast<unsigned>(g.heads / Body::kHeads), static_cast<unsigned>(g.sequences),
                  static_cast<unsigned>(g.splits));
  kernel<<<grid, Body::kThreads, Body::kSharedBytes, stream>>>(g);
  if (const auto error = cudaGetLastError(); error != cudaSuccess) return error;
  return launch_decode_join(g, stream);
}

}  // namespace

int shared_bytes_of_decode_hopper() {
  return Decode<false, true>::kSharedBytes;
}

cudaError_t launch_decode_hopper(const DecodeArguments& g, bool fp8, cudaStream_t stream) {
  return fp8 ? launch<Decode<true, true>>(g, stream) : launch<Decode<false, true>>(g, stream);
}

int shared_bytes_of_attention_hopper(int qk) {
  return qk == 192 ? AttentionHopper<192>::kSharedBytes : AttentionHopper<128>::kSharedBytes;
}

cudaError_t launch_attention_hopper(const AttentionArguments& g, int qk, int sequences, cudaStream_t stream) {
  return qk == 192 ? launch<AttentionHopper<192>>(g, sequences, stream)
                   : launch<AttentionHopper<128>>(g, sequences, stream);
}

}  // namespace orrery
