#include "calibrate/probe/cuda/kernels.hpp"

namespace orrery {
namespace {

template <class Body, class Arguments>
__global__ void each_group_kernel(Arguments g, std::int64_t total) {
  for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < total;
       i += std::int64_t{gridDim.x} * blockDim.x)
    Body::run(g, i);
}

/// Bodies whose threads stay in step: a block takes blockDim.x groups at a time.
template <class Body, class Arguments>
__global__ void each_block_kernel(Arguments g, std::int64_t total) {
  for (std::int64_t first = std::int64_t{blockIdx.x} * blockDim.x; first < total;
       first += std::int64_t{gridDim.x} * blockDim.x) {
    typename Body::Registers registers;
    DeviceLanes<typename Body::Registers> lanes{registers};
    Body::run(lanes, g, first);
  }
}

__global__ void __launch_bounds__(256) rms_norm_kernel(ElementArguments g) {
  __shared__ float shared[RmsNorm::kThreads / 32];
  RmsNorm::Registers registers;
  DeviceLanes<RmsNorm::Registers> lanes{registers};
  RmsNorm::run(lanes, shared, g, blockIdx.x);
}

__global__ void __launch_bounds__(256) cast_transpose_kernel(ElementArguments g) {
  __shared__ std::uint32_t shared[CastTranspose::kSharedWords];
  CastTranspose::Registers registers;
  DeviceLanes<CastTranspose::Registers> lanes{registers};
  CastTranspose::run(lanes, shared, g, std::int64_t{blockIdx.y} * CastTranspose::kRows,
                     std::int64_t{blockIdx.x} * CastTranspose::kColumns);
}

template <class Body>
cudaError_t launch_each(const ElementArguments& g, cudaStream_t stream) {
  const std::int64_t total = g.rows * g.width / 8;
  each_group_kernel<Body><<<static_cast<unsigned>((total + 255) / 256), 256, 0, stream>>>(g, total);
  return cudaGetLastError();
}

}  // namespace

cudaError_t launch_element(ElementKernel kernel, const ElementArguments& g, cudaStream_t stream) {
  switch (kernel) {
    case ElementKernel::kResidualAdd: return launch_each<ResidualAdd>(g, stream);
    case ElementKernel::kSwiGlu: return launch_each<SwiGlu>(g, stream);
    case ElementKernel::kRotary: return launch_each<Rotary>(g, stream);
    case ElementKernel::kPermuteRows: return launch_each<PermuteRows>(g, stream);
    case ElementKernel::kQuantise: {
      const std::int64_t total = g.rows * g.width / 8;
      each_block_kernel<Quantise><<<static_cast<unsigned>((total + 255) / 256), 256, 0, stream>>>(g, total);
      return cudaGetLastError();
    }
    case ElementKernel::kRmsNorm:
      rms_norm_kernel<<<static_cast<unsigned>(g.rows), RmsNorm::kThreads, 0, stream>>>(g);
      return cudaGetLastError();
    case ElementKernel::kCastTranspose: {
      const dim3 grid(static_cast<unsigned>(g.width / CastTranspose::kColumns),
                      static_cast<unsigned>(g.rows / CastTranspose::kRows));
      cast_transpose_kernel<<<grid, CastTranspose::kThreads, 0, stream>>>(g);
      return cudaGetLastError();
    }
  }
  return cudaErrorInvalidValue;
}

cudaError_t launch_exchange(bool combine, const ExchangeArguments& g, int sms, int device_sms,
                            cudaStream_t stream) {
  const std::int64_t total = std::int64_t{g.tokens} * g.hidden / 8;
  const auto blocks = static_cast<unsigned>(sms > 0 ? sms : device_sms);
  if (combine) {
    each_group_kernel<CombineLocal><<<blocks, 1024, 0, stream>>>(g, total);
  } else {
    each_block_kernel<DispatchLocal><<<blocks, 1024, 0, stream>>>(g, total);
  }
  return cudaGetLastError();
}

}  // namespace orrery
