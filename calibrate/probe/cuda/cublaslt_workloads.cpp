#include <array>

#include "calibrate/probe/cuda/cublaslt.hpp"
#include "calibrate/probe/cuda/gemm_operands.hpp"

namespace orrery {
namespace {

constexpr std::int64_t kWorkspace = std::int64_t{64} << 20;

class Description {
 public:
  Description() { check(cublaslt().desc_create(&desc_, CUBLAS_COMPUTE_32F, CUDA_R_32F), "description"); }
  Description(const Description&) = delete;
  Description& operator=(const Description&) = delete;
  ~Description() { cublaslt().desc_destroy(desc_); }
  template <class T>
  void set(cublasLtMatmulDescAttributes_t name, T value, const char* what) {
    check(cublaslt().desc_set(desc_, name, &value, sizeof value), what);
  }
  [[nodiscard]] cublasLtMatmulDesc_t get() const { return desc_; }

 private:
  cublasLtMatmulDesc_t desc_ = nullptr;
};

/// A matrix in column order.
class Layout {
 public:
  Layout(cudaDataType_t type, std::int64_t rows, std::int64_t columns) {
    check(cublaslt().layout_create(&layout_, type, static_cast<std::uint64_t>(rows),
                                   static_cast<std::uint64_t>(columns), rows),
          "layout");
  }
  Layout(const Layout&) = delete;
  Layout& operator=(const Layout&) = delete;
  ~Layout() { cublaslt().layout_destroy(layout_); }
  [[nodiscard]] cublasLtMatrixLayout_t get() const { return layout_; }

 private:
  cublasLtMatrixLayout_t layout_ = nullptr;
};

/// One product of a group. cuBLASLt counts by columns, so it is given C^T = B A^T: our B is its A.
struct Product {
  Description desc;
  std::unique_ptr<Layout> a, b, c;
  cublasLtMatmulAlgo_t algorithm{};
};

class CublasLtGemm : public ProbeCase {
 public:
  CublasLtGemm(const Case& what, Device& device, int sms_taken)
      : device_(device), o_(make_gemm_operands(what, device, true)), workspace_(kWorkspace) {
    check(cublaslt().create(&handle_), "create");
    try {
      for (std::int64_t group = 0; group < o_.groups(); ++group) prepare(group, sms_taken);
    } catch (...) {
      cublaslt().destroy(handle_);
      throw;
    }
  }
  ~CublasLtGemm() override { cublaslt().destroy(handle_); }

  std::optional<Verified> verify() override {
    if (o_.weight_gradient) {
      o_.c.zero(device_.stream);
    } else {
      o_.c.poison(device_.stream);
    }
    launch(device_.stream);
    return o_.compare(device_.stream);
  }

  void launch(cudaStream_t stream) override {
    const float one = 1, beta = o_.weight_gradient ? 1 : 0;
    const std::int64_t element = o_.element_bytes();
    for (std::size_t i = 0; i < products_.size(); ++i) {
      const Product& p = *products_[i];
      const std::int64_t first = o_.first_row[i];
      auto* c = o_.c.as<std::uint8_t>() + first * o_.n * (o_.weight_gradient ? 4 : 2);
      check(cublaslt().matmul(handle_, p.desc.get(), &one,
                              o_.b.as<std::uint8_t>() + static_cast<std::int64_t>(i) * o_.n * o_.k * element,
                              p.a->get(), o_.a.as<std::uint8_t>() + first * o_.k * element, p.b->get(), &beta,
                              c, p.c->get(), c, p.c->get(), &p.algorithm, workspace_.data(),
                              static_cast<std::size_t>(workspace_.bytes()), stream),
            "product");
    }
  }
  std::string note() const override {
    std::string out = "cuBLASLt " + std::to_string(cublaslt().version());
    if (o_.groups() > 1) out += ", one product after the other for each group";
    return out;
  }

 private:
  void prepare(std::int64_t group, int sms_taken) {
    auto made = std::make_unique<Product>();
    Product& p = *made;
    const std::int64_t rows = o_.rows[static_cast<std::size_t>(group)],
                       first = o_.first_row[static_cast<std::size_t>(group)];
    const cudaDataType_t type = o_.fp8() ? CUDA_R_8F_E4M3 : CUDA_R_16BF;
    const cudaDataType_t result = o_.weight_gradient ? CUDA_R_32F : CUDA_R_16BF;
    p.desc.set(CUBLASLT_MATMUL_DESC_TRANSA, o_.b_by_k ? CUBLAS_OP_N : CUBLAS_OP_T, "layout of B");
    p.desc.set(CUBLASLT_MATMUL_DESC_TRANSB, o_.a_by_k ? CUBLAS_OP_T : CUBLAS_OP_N, "layout of A");
    p.a = o_.b_by_k ? std::make_unique<Layout>(type, o_.n, o_.k) : std::make_unique<Layout>(type, o_.k, o_.n);
    p.b = o_.a_by_k ? std::make_unique<Layout>(type, rows, o_.k) : std::make_unique<Layout>(type, o_.k, rows);
    p.c = std::make_unique<Layout>(result, o_.n, rows);
    if (sms_taken > 0)
      p.desc.set(CUBLASLT_MATMUL_DESC_SM_COUNT_TARGET, static_cast<std::int32_t>(device_.sms - sms_taken),
                 "number of SMs");
    if (o_.fp8()) set_scales(p, group, first);

    cublasLtMatmulPreference_t preference = nullptr;
    check(cublaslt().preference_create(&preference), "preference");
    const auto workspace = static_cast<std::uint64_t>(workspace_.bytes());
    std::array<cublasLtMatmulHeuristicResult_t, 1> found{};
    int count = 0;
    cublasStatus_t status = cublaslt().preference_set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                                      &workspace, sizeof workspace);
    if (status == CUBLAS_STATUS_SUCCESS) {
      status = cublaslt().heuristic(handle_, p.desc.get(), p.a->get(), p.b->get(), p.c->get(), p.c->get(),
                                    preference, static_cast<int>(found.size()), found.data(), &count);
    }
    cublaslt().preference_destroy(preference);
    check(status, "heuristic");
    if (count == 0 || found[0].state != CUBLAS_STATUS_SUCCESS)
      unsupported("cuBLASLt has no algorithm for this product on this device");
    p.algorithm = found[0].algo;
    products_.push_back(std::move(made));
  }

  void set_scales(Product& p, std::int64_t group, std::int64_t first) {
    // Errors of rounding in the FP8 sums of the tensor cores are what training avoids (arXiv
    // 2412.19437, 3.3.2).
    p.desc.set(CUBLASLT_MATMUL_DESC_FAST_ACCUM, std::int8_t{0}, "accumulation");
    const float* of_a = o_.scale_a.as<float>();
    const float* of_b = o_.scale_b.as<float>();
    if (o_.scaling == GemmScaling::kBlock) {
      of_a += first * (o_.k / 128);
      of_b += group * o_.scale_b_group();
#if CUBLAS_VERSION >= 120900
      p.desc.set(CUBLASLT_MATMUL_DESC_A_SCALE_MODE,
                 o_.weight_gradient ? CUBLASLT_MATMUL_MATRIX_SCALE_VEC128_32F
                                    : CUBLASLT_MATMUL_MATRIX_SCALE_BLK128x128_32F,
                 "scales of B");
      p.desc.set(CUBLASLT_MATMUL_DESC_B_SCALE_MODE, CUBLASLT_MATMUL_MATRIX_SCALE_VEC128_32F, "scales of A");
#else
      unsupported("built with a cuBLAS older than 12.9, which has no block scales");
#endif
    }
    p.desc.set(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, of_b, "scales of B");
    p.desc.set(CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, of_a, "scales of A");
  }

  Device& device_;
  GemmOperands o_;
  Buffer workspace_;
  cublasLtHandle_t handle_ = nullptr;
  std::vector<std::unique_ptr<Product>> products_;
};

}  // namespace

ProbeCasePtr make_cublaslt_gemm(const Case& what, Device& device, int sms_taken) {
  return std::make_unique<CublasLtGemm>(what, device, sms_taken);
}

}  // namespace orrery
