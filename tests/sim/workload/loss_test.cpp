// What the loss over the vocabulary moves and keeps.
#include <gtest/gtest.h>

#include "sim/model/zoo.hpp"
#include "tests/sim/workload/work_sums.hpp"
#include "tests/support/toy.hpp"

namespace orrery {
namespace {

constexpr double kTokens = 4096;
constexpr double kVocab = 128256;  // of Llama 3

UnitWork head(LossKernel kernel) {
  const ModelSpec llama = load_model("llama-3-8b", {}).spec;
  const Layout layout;
  const Training training{.global_batch_size = 1, .sequence_length = 4096, .loss = kernel};
  return test::unit(make_units({.model = llama, .layout = layout, .training = training}), UnitKind::kHead);
}

TEST(Loss, TorchsKernelsMoveFiftyTwoBytesPerLogitAndAFusedOneTen) {
  for (const auto& [kernel, forward, backward] :
       {std::tuple{LossKernel::kTorch, 22.0, 30.0}, {LossKernel::kFused, 6.0, 4.0}}) {
    const std::vector<Op> ops = test::ops_in(test::all_pieces(head(kernel).work));
    EXPECT_DOUBLE_EQ(test::named(ops, "softmax and loss").bytes, forward * kTokens * kVocab);
    EXPECT_DOUBLE_EQ(test::named(ops, "loss gradient").bytes, backward * kTokens * kVocab);
  }
}

TEST(Loss, AFusedOneLeavesTheGradientInPlaceOfTheLogits) {
  const UnitWork torch = head(LossKernel::kTorch);
  const UnitWork fused = head(LossKernel::kFused);
  // FP32 log-probabilities (4) and, while it runs, logits and gradient (6); BF16 gradient alone (2).
  EXPECT_DOUBLE_EQ(torch.kept_bytes - fused.kept_bytes, 2 * kTokens * kVocab);
  EXPECT_DOUBLE_EQ(torch.working_bytes, 6 * kTokens * kVocab);
  EXPECT_EQ(fused.working_bytes, 0);
}

}  // namespace
}  // namespace orrery
