#pragma once

#include <cudnn_graph.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace orrery {

/// The functions of cuDNN's graph API that are used, found at run time.
struct Cudnn {
  decltype(&cudnnCreate) create = nullptr;
  decltype(&cudnnDestroy) destroy = nullptr;
  decltype(&cudnnSetStream) set_stream = nullptr;
  decltype(&cudnnGetVersion) version = nullptr;
  decltype(&cudnnGetErrorString) error_string = nullptr;
  decltype(&cudnnBackendCreateDescriptor) descriptor_create = nullptr;
  decltype(&cudnnBackendDestroyDescriptor) descriptor_destroy = nullptr;
  decltype(&cudnnBackendSetAttribute) set = nullptr;
  decltype(&cudnnBackendGetAttribute) get = nullptr;
  decltype(&cudnnBackendFinalize) finalize = nullptr;
  decltype(&cudnnBackendExecute) execute = nullptr;
};
/// Loaded once for the process. Throws CaseFailed (unsupported) with the reason where it cannot be loaded.
[[nodiscard]] const Cudnn& cudnn();
/// Throws CaseFailed for anything but success; what the library does not support is unsupported.
void check(cudnnStatus_t status, const char* what);

/// One descriptor of the backend API; destroyed with the value.
class CudnnDescriptor {
 public:
  explicit CudnnDescriptor(cudnnBackendDescriptorType_t type);
  CudnnDescriptor(const CudnnDescriptor&) = delete;
  CudnnDescriptor& operator=(const CudnnDescriptor&) = delete;
  ~CudnnDescriptor();
  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count,
           const void* values, const char* what);
  void set(cudnnBackendAttributeName_t name, const CudnnDescriptor& other, const char* what);
  void finalize(const char* what);
  [[nodiscard]] cudnnBackendDescriptor_t get() const { return descriptor_; }

 private:
  cudnnBackendDescriptor_t descriptor_ = nullptr;
};
using CudnnDescriptorPtr = std::unique_ptr<CudnnDescriptor>;

struct CudnnAttentionShape {
  std::int64_t sequences = 1, sequence = 0, heads = 0, kv_heads = 0, qk = 0, v = 0;
};

/// Causal attention forward as a graph of matmul, scale, mask, softmax and matmul, which cuDNN recognises and
/// runs as one kernel: the one-node operation of 9.19 has no causal mask. bf16 operands, FP32 between;
/// layouts of AttentionArguments. The composition follows cudnn-frontend's composite operation.
class CudnnAttentionGraph {
 public:
  /// Numbers of the tensors, for their pointers.
  enum Uid : std::int64_t { kQ = 1, kK, kV, kOut, kStats, kScale, kMinusInfinity, kFirstVirtual };
  /// `handle` of a GPU, or null: then the graph is only described (heuristics and plans take the device from
  /// a DEVICEPROP descriptor instead).
  CudnnAttentionGraph(const CudnnAttentionShape& shape, cudnnHandle_t handle);

  /// Engine configurations that the library's heuristics give, best first. `device` null: of the handle.
  [[nodiscard]] std::vector<CudnnDescriptorPtr> engines(const CudnnDescriptor* device) const;

 private:
  const CudnnDescriptor* add(CudnnDescriptorPtr made);
  const CudnnDescriptor* tensor(std::int64_t uid, cudnnDataType_t type, const std::int64_t (&dims)[4],
                                const std::int64_t (&strides)[4], bool is_virtual, bool by_value = false);
  const CudnnDescriptor* between(cudnnDataType_t type, const std::int64_t (&dims)[4]);
  void matmul(const CudnnDescriptor* a, const CudnnDescriptor* b, const CudnnDescriptor* c);
  void reduce(cudnnReduceTensorOp_t kind, const CudnnDescriptor* x, const CudnnDescriptor* y);
  void pointwise(cudnnPointwiseMode_t mode, const CudnnDescriptor* x, const CudnnDescriptor* b,
                 const CudnnDescriptor* y, cudnnDataType_t type = CUDNN_DATA_FLOAT,
                 const CudnnDescriptor* t = nullptr, std::int64_t axis = -1);

  std::vector<CudnnDescriptorPtr> parts_;  ///< tensors and modes, in the order they were made
  std::vector<cudnnBackendDescriptor_t> operations_;
  CudnnDescriptorPtr graph_;
  std::int64_t next_ = kFirstVirtual;
};

}  // namespace orrery
