#include "calibrate/probe/cuda/kernels.hpp"

namespace orrery {
namespace {

constexpr int kStages = 3;

template <bool WeightGradient>
__global__ void __launch_bounds__(256, 1) block_gemm_kernel(BlockGemmArguments g) {
#if __CUDA_ARCH__ >= 890 && __CUDA_ARCH__ < 1000
  using Body = BlockGemm<kStages, WeightGradient>;
  extern __shared__ __align__(128) std::uint8_t shared[];
  typename Body::Registers registers;
  DeviceLanes<typename Body::Registers> lanes{registers};
  // Eight rows of tiles at a time, so that the weights stay in the L2 cache while they are used.
  const int rows = (g.m + 127) / 128, columns = (g.n + 127) / 128;
  const int tile = static_cast<int>(blockIdx.x), band = tile / (8 * columns);
  const int height = min(8, rows - 8 * band), in_band = tile - band * 8 * columns;
  Body::run(lanes, shared, g, 8 * band + in_band % height, in_band / height);
#endif
}

template <bool WeightGradient>
cudaError_t launch(const BlockGemmArguments& g, cudaStream_t stream) {
  const int shared = shared_bytes_of_block_gemm();
  const auto kernel = block_gemm_kernel<WeightGradient>;
  if (const auto error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared);
      error != cudaSuccess)
    return error;
  const int tiles = (g.m + 127) / 128 * ((g.n + 127) / 128);
  kernel<<<tiles, 256, shared, stream>>>(g);
  return cudaGetLastError();
}

}  // namespace

int shared_bytes_of_block_gemm() {
  return BlockGemm<kStages, false>::kSharedBytes;
}

cudaError_t launch_block_gemm(const BlockGemmArguments& g, bool weight_gradient, cudaStream_t stream) {
  return weight_gradient ? launch<true>(g, stream) : launch<false>(g, stream);
}

}  // namespace orrery
