#include "calibrate/probe/cuda/cublaslt.hpp"

#include <dlfcn.h>

#include "calibrate/probe/cuda/device.hpp"

namespace orrery {
namespace {

void* open_library() {
  // By name where the loader finds it, else where it was at build time.
  for (const char* path :
       {"libcublasLt.so.13", "libcublasLt.so.12", ORRERY_CUDA_LIBRARIES "/libcublasLt.so"}) {
    if (void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL); library != nullptr) return library;
  }
  unsupported(std::string("cuBLASLt is not here: ") + dlerror());
}

CublasLt load() {
  void* library = open_library();
  CublasLt out;
  const auto find = [&](const char* symbol, auto& function) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, symbol));
    if (function == nullptr) unsupported(std::string("cuBLASLt lacks ") + symbol);
  };
  find("cublasLtCreate", out.create);
  find("cublasLtDestroy", out.destroy);
  find("cublasLtGetVersion", out.version);
  find("cublasLtGetStatusName", out.status_name);
  find("cublasLtMatmulDescCreate", out.desc_create);
  find("cublasLtMatmulDescDestroy", out.desc_destroy);
  find("cublasLtMatmulDescSetAttribute", out.desc_set);
  find("cublasLtMatrixLayoutCreate", out.layout_create);
  find("cublasLtMatrixLayoutDestroy", out.layout_destroy);
  find("cublasLtMatmulPreferenceCreate", out.preference_create);
  find("cublasLtMatmulPreferenceDestroy", out.preference_destroy);
  find("cublasLtMatmulPreferenceSetAttribute", out.preference_set);
  find("cublasLtMatmulAlgoGetHeuristic", out.heuristic);
  find("cublasLtMatmul", out.matmul);
  return out;
}

}  // namespace

const CublasLt& cublaslt() {
  static const CublasLt functions = load();
  return functions;
}

void check(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  const FailureClass kind = status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_ARCH_MISMATCH
                                ? FailureClass::kUnsupported
                            : status == CUBLAS_STATUS_ALLOC_FAILED ? FailureClass::kOutOfMemory
                                                                   : FailureClass::kOther;
  throw CaseFailed{{kind, std::string("cuBLASLt, ") + what + ": " + cublaslt().status_name(status)}};
}

}  // namespace orrery
