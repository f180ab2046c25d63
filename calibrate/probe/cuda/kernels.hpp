#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "calibrate/probe/cuda/attention_forward.cuh"
#include "calibrate/probe/cuda/block_gemm.cuh"
#include "calibrate/probe/cuda/decode.cuh"
#include "calibrate/probe/cuda/element_wise.cuh"

/// Launchers of the kernels in the .cu files. They return the error of the launch. Shared memory, shapes and
/// compute capability are the caller's concern (shared_bytes_of_*). None of these kernels has run on a GPU so
/// far.
namespace orrery {

// gemm_kernels.cu; sm_89 and sm_90: the FP8 tensor cores of sm_100 have other instructions
cudaError_t launch_block_gemm(const BlockGemmArguments& g, bool weight_gradient, cudaStream_t stream);
[[nodiscard]] int shared_bytes_of_block_gemm();

// attention_kernels.cu, backward_kernels.cu; (qk, v) is (192, 128) or (128, 128)
cudaError_t launch_attention_forward(const AttentionArguments& g, int qk, int sequences, bool two_stages,
                                     cudaStream_t stream);
[[nodiscard]] int shared_bytes_of_attention_forward(int qk, bool two_stages);
/// hopper_kernels.cu; the same with wgmma, compute capability 9.0.
cudaError_t launch_attention_hopper(const AttentionArguments& g, int qk, int sequences, cudaStream_t stream);
[[nodiscard]] int shared_bytes_of_attention_hopper(int qk);
/// delta = sum of out * d_out for each row of 128; then the gradients. `d_q` must be zero before.
cudaError_t launch_attention_backward(const AttentionArguments& g, int qk, int sequences, float* delta,
                                      cudaStream_t stream);
[[nodiscard]] int shared_bytes_of_attention_backward(int qk);

// decode_kernels.cu
cudaError_t launch_decode(const DecodeArguments& g, bool fp8, cudaStream_t stream);
[[nodiscard]] int shared_bytes_of_decode();
cudaError_t launch_decode_join(const DecodeArguments& g, cudaStream_t stream);  ///< the second kernel of both
// hopper_kernels.cu
cudaError_t launch_decode_hopper(const DecodeArguments& g, bool fp8, cudaStream_t stream);
[[nodiscard]] int shared_bytes_of_decode_hopper();

// element_kernels.cu
enum class ElementKernel {
  kResidualAdd,
  kSwiGlu,
  kRotary,
  kPermuteRows,
  kQuantise,
  kRmsNorm,
  kCastTranspose
};
cudaError_t launch_element(ElementKernel kernel, const ElementArguments& g, cudaStream_t stream);
/// On `sms` blocks of 1024 threads that walk the tokens; 0: as many as the device has SMs.
cudaError_t launch_exchange(bool combine, const ExchangeArguments& g, int sms, int device_sms,
                            cudaStream_t stream);

// device_kernels.cu
enum class Fill { kBf16, kE4m3, kScale, kWords };
/// Random contents by index (random_normal of codecs.cuh): bf16; E4M3 of 16 times that; fp32 scales 1 + 0.25
/// times that; 32-bit words mix(seed + i). `count` elements.
cudaError_t launch_fill(Fill kind, void* to, std::int64_t count, std::uint32_t seed, cudaStream_t stream);
/// XOR of all words into *sink, read `rounds` times (odd) past the SMs' own caches.
cudaError_t launch_read(const void* from, std::int64_t bytes, std::uint32_t* sink, int sms, int rounds,
                        cudaStream_t stream);
cudaError_t launch_write(void* to, std::int64_t bytes, std::uint32_t value, cudaStream_t stream);
cudaError_t launch_copy(void* to, const void* from, std::int64_t bytes, cudaStream_t stream);
cudaError_t launch_nothing(cudaStream_t stream);
/// Keeps the stream busy, so that what is enqueued meanwhile runs without waiting for the host.
cudaError_t launch_hold(std::int64_t nanoseconds, cudaStream_t stream);
/// A communication-like kernel: `sms` blocks that leave no room for others on their SM copy `bytes`, `rounds`
/// times, or (rounds 0) until *stop is set, for 30 s at most: then stop[1] is set. Block i sets resident[i]
/// when it has begun; all of this is host memory that the device sees.
cudaError_t launch_communication(void* to, const void* from, std::int64_t bytes, int rounds, int sms,
                                 int shared_bytes, volatile std::uint32_t* resident,
                                 volatile std::uint32_t* stop, cudaStream_t stream);

}  // namespace orrery
