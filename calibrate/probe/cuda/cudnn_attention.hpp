#pragma once

#include <memory>
#include <string>

#include "calibrate/probe/cuda/attention_forward.cuh"
#include "calibrate/probe/cuda/device.hpp"

namespace orrery {

/// Causal attention forward by cuDNN, prepared for one shape.
class CudnnAttention {
 public:
  CudnnAttention() = default;
  CudnnAttention(const CudnnAttention&) = delete;
  CudnnAttention& operator=(const CudnnAttention&) = delete;
  virtual ~CudnnAttention() = default;
  /// Enqueues one execution: out and lse of `g` from its q, k, v.
  virtual void run(const AttentionArguments& g, cudaStream_t stream) = 0;
  [[nodiscard]] virtual std::string note() const = 0;
};

/// The first of the library's engines for this device whose plan is accepted and needs at most 1 GiB of
/// workspace. Throws CaseFailed (unsupported) with the reason: no cuDNN, no engine, too much workspace.
/// Shape: that of `g` (sequence, heads, kv_heads), heads `qk` and 128 wide. Defined by cudnn_attention.cpp
/// where cuDNN's header was found at build time, else by no_cudnn.cpp.
[[nodiscard]] std::unique_ptr<CudnnAttention> make_cudnn_attention(const AttentionArguments& g, int qk,
                                                                   int sequences);

}  // namespace orrery
