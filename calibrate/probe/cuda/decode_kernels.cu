#include "calibrate/probe/cuda/kernels.hpp"

namespace orrery {
namespace {

template <class Body>
__global__ void __launch_bounds__(256, 1) decode_kernel(DecodeArguments g) {
  extern __shared__ __align__(128) std::uint8_t shared[];
  typename Body::Registers registers;
  DeviceLanes<typename Body::Registers> lanes{registers};
  Body::run(lanes, shared, g, static_cast<int>(blockIdx.x), static_cast<int>(blockIdx.y),
            static_cast<int>(blockIdx.z));
}

__global__ void join_kernel(DecodeArguments g, std::int64_t total) {
  const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i < total) Decode<false>::join(g, i);
}

template <class Body>
cudaError_t launch(const DecodeArguments& g, cudaStream_t stream) {
  const auto kernel = decode_kernel<Body>;
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

cudaError_t launch_decode_join(const DecodeArguments& g, cudaStream_t stream) {
  const std::int64_t total = std::int64_t{g.sequences} * g.heads * Decode<false>::kLatent;
  join_kernel<<<static_cast<unsigned>((total + 255) / 256), 256, 0, stream>>>(g, total);
  return cudaGetLastError();
}

int shared_bytes_of_decode() {
  return Decode<false>::kSharedBytes;
}

cudaError_t launch_decode(const DecodeArguments& g, bool fp8, cudaStream_t stream) {
  return fp8 ? launch<Decode<true>>(g, stream) : launch<Decode<false>>(g, stream);
}

}  // namespace orrery
