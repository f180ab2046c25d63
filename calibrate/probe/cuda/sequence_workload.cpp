#include <map>
#include <utility>
#include <vector>

#include "calibrate/probe/cuda/workload.hpp"
#include "calibrate/probe/work.hpp"

namespace orrery {
namespace {

/// Failures of `f` name the kernel.
template <class F>
auto named(const Case& what, F f) {
  try {
    return f();
  } catch (CaseFailed& failed) {
    failed.failure.message = to_text(what) + ": " + failed.failure.message;
    throw;
  }
}

/// Kernels one after the other in one stream.
class SequenceWorkload : public ProbeCase {
 public:
  SequenceWorkload(const Sequence& sequence, const CaseMaker& make) {
    for (const SequenceStep& step : sequence.steps) {
      auto& made = cases_[step.what];
      if (!made) made = named(step.what, [&] { return make(step.what); });
      steps_.emplace_back(made.get(), step.repeats);
    }
  }

  /// Every different kernel; of the errors that which comes nearest to its limit.
  std::optional<Verified> verify() override {
    std::optional<Verified> worst;
    for (auto& [what, made] : cases_) {
      const std::optional<Verified> found = named(what, [&] { return made->verify(); });
      if (!found) continue;
      if (!(found->error <= found->limit))
        throw CaseFailed{{FailureClass::kWrongResult, to_text(what) + ": relative error " +
                                                          std::to_string(found->error) + ", allowed " +
                                                          std::to_string(found->limit)}};
      if (!worst || found->error * worst->limit > worst->error * found->limit) worst = found;
    }
    return worst;
  }

  void launch(cudaStream_t stream) override {
    for (const auto& [made, repeats] : steps_)
      for (int i = 0; i < repeats; ++i) made->launch(stream);
  }
  bool graph() const override {
    for (const auto& [what, made] : cases_)
      if (!made->graph()) return false;
    return true;
  }
  std::string note() const override {
    return std::to_string(steps_.size()) + " kernels in a row, " + std::to_string(cases_.size()) +
           " different";
  }

 private:
  std::map<Case, ProbeCasePtr> cases_;
  std::vector<std::pair<ProbeCase*, int>> steps_;
};

}  // namespace

Answer run_sequence(const Sequence& sequence, Device& device, const CaseMaker& make, const Effort& effort) {
  if (sequence.steps.empty()) unsupported("a sequence of no kernels");
  SequenceWorkload workload(sequence, make);
  Answer answer = time_workload(sequence.what, device, workload, effort);
  if (auto* samples = std::get_if<Samples>(&answer)) {
    for (const SequenceStep& step : sequence.steps) {
      const Work work = work_of(step.what);
      samples->flops += step.repeats * work.flops;
      samples->bytes += step.repeats * work.bytes;
    }
  }
  return answer;
}

}  // namespace orrery
