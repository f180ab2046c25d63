#include "calibrate/probe/cuda/cudnn_attention.hpp"

#include <array>
#include <limits>

#include "calibrate/probe/cuda/cudnn_graph.hpp"

namespace orrery {
namespace {

constexpr std::int64_t kMostWorkspace = std::int64_t{1} << 30;

/// A handle that goes with the value.
struct Handle {
  cudnnHandle_t handle = nullptr;
  Handle() { check(cudnn().create(&handle), "handle"); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { cudnn().destroy(handle); }
};

class Prepared final : public CudnnAttention {
 public:
  explicit Prepared(const CudnnAttentionShape& shape) : graph_(shape, handle_.handle) { choose(); }

  void run(const AttentionArguments& g, cudaStream_t stream) override {
    const std::array<std::int64_t, 7> uids{CudnnAttentionGraph::kQ,
                                           CudnnAttentionGraph::kK,
                                           CudnnAttentionGraph::kV,
                                           CudnnAttentionGraph::kOut,
                                           CudnnAttentionGraph::kStats,
                                           CudnnAttentionGraph::kScale,
                                           CudnnAttentionGraph::kMinusInfinity};
    scale_ = g.scale;
    const std::array<const void*, 7> pointers{g.q, g.k, g.v, g.out, g.lse, &scale_, &minus_infinity_};
    void* workspace = workspace_.data();
    CudnnDescriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, 7, uids.data(), "operands");
    pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, 7, pointers.data(), "operands");
    pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace, "workspace");
    pack.finalize("operands");
    check(cudnn().set_stream(handle_.handle, stream), "stream");
    check(cudnn().execute(handle_.handle, plan_->get(), pack.get()), "attention");
  }

  std::string note() const override {
    return "cuDNN " + std::to_string(cudnn().version()) + ", engine " + std::to_string(engine_ + 1) + " of " +
           std::to_string(engines_) + ", workspace of " + std::to_string(workspace_.bytes()) + " bytes";
  }

 private:
  /// Heuristics name the best first; one that does not compile or asks for too much is passed over.
  void choose() {
    configurations_ = graph_.engines(nullptr);
    engines_ = configurations_.size();
    std::string reasons;
    for (engine_ = 0; engine_ < engines_; ++engine_) {
      try {
        auto plan = std::make_unique<CudnnDescriptor>(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
        plan->set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle_.handle, "plan");
        plan->set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, *configurations_[engine_], "plan");
        plan->finalize("plan");
        std::int64_t needed = 0, count = 0;
        check(cudnn().get(plan->get(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &count,
                          &needed),
              "workspace");
        if (needed > kMostWorkspace)
          unsupported("needs " + std::to_string(needed) + " bytes of workspace, more than " +
                      std::to_string(kMostWorkspace));
        workspace_ = Buffer(needed > 0 ? needed : 16);
        plan_ = std::move(plan);
        return;
      } catch (const CaseFailed& failed) {
        const FailureClass kind = failed.failure.kind;
        if (kind == FailureClass::kDeviceLost || kind == FailureClass::kCrashed) throw;
        reasons += "; engine " + std::to_string(engine_ + 1) + ": " + failed.failure.message;
      }
    }
    unsupported("cuDNN " + std::to_string(cudnn().version()) + " has no engine for this attention" + reasons);
  }

  Handle handle_;
  CudnnAttentionGraph graph_;
  std::vector<CudnnDescriptorPtr> configurations_;
  CudnnDescriptorPtr plan_;
  Buffer workspace_;
  std::size_t engine_ = 0, engines_ = 0;
  float scale_ = 1;
  float minus_infinity_ = -std::numeric_limits<float>::infinity();
};

}  // namespace

std::unique_ptr<CudnnAttention> make_cudnn_attention(const AttentionArguments& g, int qk, int sequences) {
  return std::make_unique<Prepared>(CudnnAttentionShape{.sequences = sequences,
                                                        .sequence = g.sequence,
                                                        .heads = g.heads,
                                                        .kv_heads = g.kv_heads,
                                                        .qk = qk,
                                                        .v = 128});
}

}  // namespace orrery
