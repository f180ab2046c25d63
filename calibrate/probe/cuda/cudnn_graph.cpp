#include "calibrate/probe/cuda/cudnn_graph.hpp"

#include <dlfcn.h>

#include <array>
#include <type_traits>
#include <utility>

#include "calibrate/probe/cuda/device.hpp"

namespace orrery {
namespace {

Cudnn load() {
  void* library = nullptr;
  for (const char* path : {"libcudnn.so.9", ORRERY_CUDA_LIBRARIES "/libcudnn.so.9"}) {
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) break;
  }
  if (library == nullptr) unsupported(std::string("cuDNN is not here: ") + dlerror());
  Cudnn out;
  const auto find = [&](const char* symbol, auto& function) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, symbol));
    if (function == nullptr) unsupported(std::string("cuDNN lacks ") + symbol);
  };
  find("cudnnCreate", out.create);
  find("cudnnDestroy", out.destroy);
  find("cudnnSetStream", out.set_stream);
  find("cudnnGetVersion", out.version);
  find("cudnnGetErrorString", out.error_string);
  find("cudnnBackendCreateDescriptor", out.descriptor_create);
  find("cudnnBackendDestroyDescriptor", out.descriptor_destroy);
  find("cudnnBackendSetAttribute", out.set);
  find("cudnnBackendGetAttribute", out.get);
  find("cudnnBackendFinalize", out.finalize);
  find("cudnnBackendExecute", out.execute);
  return out;
}

}  // namespace

const Cudnn& cudnn() {
  static const Cudnn functions = load();
  return functions;
}

void check(cudnnStatus_t status, const char* what) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  // 3000 to 3999 are the reasons of "not supported".
  const int kind = static_cast<int>(status) / 1000;
  const FailureClass failure = kind == 3 ? FailureClass::kUnsupported
                               : status == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED
                                   ? FailureClass::kOutOfMemory
                                   : FailureClass::kOther;
  throw CaseFailed{{failure, std::string("cuDNN, ") + what + ": " + cudnn().error_string(status)}};
}

CudnnDescriptor::CudnnDescriptor(cudnnBackendDescriptorType_t type) {
  check(cudnn().descriptor_create(type, &descriptor_), "descriptor");
}
CudnnDescriptor::~CudnnDescriptor() {
  cudnn().descriptor_destroy(descriptor_);
}
void CudnnDescriptor::set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                          std::int64_t count, const void* values, const char* what) {
  check(cudnn().set(descriptor_, name, type, count, values), what);
}
void CudnnDescriptor::set(cudnnBackendAttributeName_t name, const CudnnDescriptor& other, const char* what) {
  const cudnnBackendDescriptor_t value = other.get();
  set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value, what);
}
void CudnnDescriptor::finalize(const char* what) {
  check(cudnn().finalize(descriptor_), what);
}

const CudnnDescriptor* CudnnAttentionGraph::add(CudnnDescriptorPtr made) {
  parts_.push_back(std::move(made));
  return parts_.back().get();
}

const CudnnDescriptor* CudnnAttentionGraph::tensor(std::int64_t uid, cudnnDataType_t type,
                                                   const std::int64_t (&dims)[4],
                                                   const std::int64_t (&strides)[4], bool is_virtual,
                                                   bool by_value) {
  auto t = std::make_unique<CudnnDescriptor>(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  const std::int64_t alignment = by_value ? 4 : 16;
  t->set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &uid, "tensor");
  t->set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type, "tensor");
  t->set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment, "tensor");
  t->set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, dims, "tensor");
  t->set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, strides, "tensor");
  t->set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &is_virtual, "tensor");
  t->set(CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, 1, &by_value, "tensor");
  t->finalize("tensor");
  return add(std::move(t));
}

const CudnnDescriptor* CudnnAttentionGraph::between(cudnnDataType_t type, const std::int64_t (&dims)[4]) {
  const std::int64_t strides[4] = {dims[1] * dims[2] * dims[3], dims[2] * dims[3], dims[3], 1};
  return tensor(next_++, type, dims, strides, true);
}

void CudnnAttentionGraph::matmul(const CudnnDescriptor* a, const CudnnDescriptor* b,
                                 const CudnnDescriptor* c) {
  auto mode = std::make_unique<CudnnDescriptor>(CUDNN_BACKEND_MATMUL_DESCRIPTOR);
  const cudnnDataType_t type = CUDNN_DATA_FLOAT;
  mode->set(CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type, "matmul");
  mode->finalize("matmul");
  auto op = std::make_unique<CudnnDescriptor>(CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR);
  op->set(CUDNN_ATTR_OPERATION_MATMUL_ADESC, *a, "matmul");
  op->set(CUDNN_ATTR_OPERATION_MATMUL_BDESC, *b, "matmul");
  op->set(CUDNN_ATTR_OPERATION_MATMUL_CDESC, *c, "matmul");
  op->set(CUDNN_ATTR_OPERATION_MATMUL_DESC, *mode, "matmul");
  op->finalize("matmul");
  add(std::move(mode));
  operations_.push_back(add(std::move(op))->get());
}

void CudnnAttentionGraph::reduce(cudnnReduceTensorOp_t kind, const CudnnDescriptor* x,
                                 const CudnnDescriptor* y) {
  auto mode = std::make_unique<CudnnDescriptor>(CUDNN_BACKEND_REDUCTION_DESCRIPTOR);
  const cudnnDataType_t type = CUDNN_DATA_FLOAT;
  mode->set(CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type, "reduction");
  mode->set(CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, 1, &kind, "reduction");
  mode->finalize("reduction");
  auto op = std::make_unique<CudnnDescriptor>(CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR);
  op->set(CUDNN_ATTR_OPERATION_REDUCTION_XDESC, *x, "reduction");
  op->set(CUDNN_ATTR_OPERATION_REDUCTION_YDESC, *y, "reduction");
  op->set(CUDNN_ATTR_OPERATION_REDUCTION_DESC, *mode, "reduction");
  op->finalize("reduction");
  add(std::move(mode));
  operations_.push_back(add(std::move(op))->get());
}

void CudnnAttentionGraph::pointwise(cudnnPointwiseMode_t kind, const CudnnDescriptor* x,
                                    const CudnnDescriptor* b, const CudnnDescriptor* y, cudnnDataType_t type,
                                    const CudnnDescriptor* t, std::int64_t axis) {
  auto mode = std::make_unique<CudnnDescriptor>(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  mode->set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &kind, "pointwise");
  mode->set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &type, "pointwise");
  if (axis >= 0) mode->set(CUDNN_ATTR_POINTWISE_AXIS, CUDNN_TYPE_INT64, 1, &axis, "pointwise");
  mode->finalize("pointwise");
  auto op = std::make_unique<CudnnDescriptor>(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  op->set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, *mode, "pointwise");
  op->set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, *x, "pointwise");
  if (b != nullptr) op->set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *b, "pointwise");
  if (t != nullptr) op->set(CUDNN_ATTR_OPERATION_POINTWISE_TDESC, *t, "pointwise");
  op->set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, *y, "pointwise");
  op->finalize("pointwise");
  add(std::move(mode));
  operations_.push_back(add(std::move(op))->get());
}

CudnnAttentionGraph::CudnnAttentionGraph(const CudnnAttentionShape& s, cudnnHandle_t handle) {
  // Memory is [sequence number][token][head][width]; cuDNN counts [sequence number][head][token][width].
  const std::int64_t b = s.sequences, n = s.sequence, h = s.heads, kv = s.kv_heads;
  const auto* q = tensor(kQ, CUDNN_DATA_BFLOAT16, {b, h, n, s.qk}, {n * h * s.qk, s.qk, h * s.qk, 1}, false);
  const auto* k = tensor(kK, CUDNN_DATA_BFLOAT16, {b, kv, s.qk, n}, {n * kv * s.qk, s.qk, 1, kv * s.qk},
                         false);  // transposed
  const auto* v = tensor(kV, CUDNN_DATA_BFLOAT16, {b, kv, n, s.v}, {n * kv * s.v, s.v, kv * s.v, 1}, false);
  const auto* out = tensor(kOut, CUDNN_DATA_BFLOAT16, {b, h, n, s.v}, {n * h * s.v, s.v, h * s.v, 1}, false);
  const auto* stats = tensor(kStats, CUDNN_DATA_FLOAT, {b, h, n, 1}, {h * n, n, 1, 1}, false);
  const auto* factor = tensor(kScale, CUDNN_DATA_FLOAT, {1, 1, 1, 1}, {1, 1, 1, 1}, false, true);
  const auto* masked = tensor(kMinusInfinity, CUDNN_DATA_FLOAT, {1, 1, 1, 1}, {1, 1, 1, 1}, false, true);

  const std::int64_t square[4] = {b, h, n, n}, column[4] = {b, h, n, 1};
  const auto* scores = between(CUDNN_DATA_FLOAT, square);
  matmul(q, k, scores);
  const auto* scaled = between(CUDNN_DATA_FLOAT, square);
  pointwise(CUDNN_POINTWISE_MUL, scores, factor, scaled);
  const auto* row = between(CUDNN_DATA_INT32, square);
  pointwise(CUDNN_POINTWISE_GEN_INDEX, scaled, nullptr, row, CUDNN_DATA_INT32, nullptr, 2);
  const auto* key = between(CUDNN_DATA_INT32, square);
  pointwise(CUDNN_POINTWISE_GEN_INDEX, scaled, nullptr, key, CUDNN_DATA_INT32, nullptr, 3);
  const auto* seen = between(CUDNN_DATA_BOOLEAN, square);
  pointwise(CUDNN_POINTWISE_CMP_GE, row, key, seen, CUDNN_DATA_BOOLEAN);
  const auto* causal = between(CUDNN_DATA_FLOAT, square);
  pointwise(CUDNN_POINTWISE_BINARY_SELECT, scaled, masked, causal, CUDNN_DATA_FLOAT, seen);

  const auto* largest = between(CUDNN_DATA_FLOAT, column);
  reduce(CUDNN_REDUCE_TENSOR_MAX, causal, largest);
  const auto* less = between(CUDNN_DATA_FLOAT, square);
  pointwise(CUDNN_POINTWISE_SUB, causal, largest, less);
  const auto* exponentials = between(CUDNN_DATA_FLOAT, square);
  pointwise(CUDNN_POINTWISE_EXP, less, nullptr, exponentials);
  const auto* sum = between(CUDNN_DATA_FLOAT, column);
  reduce(CUDNN_REDUCE_TENSOR_ADD, exponentials, sum);
  const auto* logarithm = between(CUDNN_DATA_FLOAT, column);
  pointwise(CUDNN_POINTWISE_LOG, sum, nullptr, logarithm);
  pointwise(CUDNN_POINTWISE_ADD, largest, logarithm, stats);
  const auto* p = between(CUDNN_DATA_BFLOAT16, square);
  pointwise(CUDNN_POINTWISE_DIV, exponentials, sum, p);
  matmul(p, v, out);

  graph_ = std::make_unique<CudnnDescriptor>(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  if (handle != nullptr)
    graph_->set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle, "graph");
  graph_->set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
              static_cast<std::int64_t>(operations_.size()), operations_.data(), "graph");
  graph_->finalize("graph");
}

std::vector<CudnnDescriptorPtr> CudnnAttentionGraph::engines(const CudnnDescriptor* device) const {
  CudnnDescriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  const cudnnBackendHeurMode_t mode = CUDNN_HEUR_MODE_A;
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, *graph_, "heuristics");
  heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode, "heuristics");
  if (device != nullptr) heuristics.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, *device, "heuristics");
  heuristics.finalize("heuristics");
  std::int64_t count = 0;
  check(cudnn().get(heuristics.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &count,
                    nullptr),
        "engines");
  std::vector<CudnnDescriptorPtr> out;
  std::vector<cudnnBackendDescriptor_t> raw;
  for (std::int64_t i = 0; i < count; ++i) {
    out.push_back(std::make_unique<CudnnDescriptor>(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR));
    raw.push_back(out.back()->get());
  }
  if (count > 0)
    check(cudnn().get(heuristics.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, count,
                      &count, raw.data()),
          "engines");
  out.resize(static_cast<std::size_t>(count));
  return out;
}

}  // namespace orrery
