#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/sim/workload/work_sums.hpp"
#include "tests/support/deepseek_v3.hpp"
#include "tests/support/toy.hpp"

namespace orrery {
namespace {

UnitWork unit_with(const ModelSpec& model, const std::vector<std::string>& recompute, UnitKind kind,
                   Precision precision = Precision::kBf16) {
  Layout layout;
  layout.recompute = make_recompute(recompute, "test");
  const Training training{.global_batch_size = 1, .sequence_length = 4096, .precision = precision};
  return test::unit(make_units({.model = model, .layout = layout, .training = training}), kind);
}

std::multiset<std::string> recomputed(const UnitWork& u) {
  std::multiset<std::string> names;
  for (const Op& op : test::ops_in(test::all_pieces(u.work))) {
    if (op.recompute) names.insert(op.name);
  }
  return names;
}

TEST(Recompute, NoneComputesNothingTwice) {
  for (UnitKind kind : {UnitKind::kDense, UnitKind::kMoe, UnitKind::kMtp, UnitKind::kHead}) {
    const UnitWork u = unit_with(test::toy_mla(), {"none"}, kind);
    EXPECT_TRUE(recomputed(u).empty());
    EXPECT_TRUE(u.work.recompute.empty());
  }
}

TEST(Recompute, SelectiveRunsTheAttentionKernelAgain) {
  EXPECT_EQ(recomputed(unit_with(test::toy_dense(), {"selective"}, UnitKind::kDense)),
            (std::multiset<std::string>{"attention core"}));
}

TEST(Recompute, DeepSeekV3RunsNormsUpProjectionsAndActivationAgain) {
  const std::multiset<std::string> dense =
      recomputed(unit_with(test::v3_model(), {"deepseek-v3"}, UnitKind::kDense));
  EXPECT_EQ(dense, (std::multiset<std::string>{"q norm", "q_b projection", "kv norm", "kv_b projection",
                                               "rotary", "assemble query and key", "attention norm again",
                                               "activation again", "mlp norm again"}));
  const std::multiset<std::string> moe =
      recomputed(unit_with(test::v3_model(), {"deepseek-v3"}, UnitKind::kMoe));
  EXPECT_EQ(moe.count("experts activation again"), 1U);
  EXPECT_EQ(moe.count("attention core"), 0U);
}

TEST(Recompute, FullRunsTheForwardAgain) {
  for (UnitKind kind : {UnitKind::kDense, UnitKind::kMoe}) {
    const UnitWork u = unit_with(test::toy_mla(), {"full"}, kind);
    double forward = 0;
    for (const Op& op : test::ops_in(test::forward_pieces(u.work))) forward += op.flops;
    double again = 0;
    for (const Op& op : test::ops_in({&u.work.recompute})) {
      EXPECT_TRUE(op.recompute) << op.name;
      again += op.flops;
    }
    EXPECT_DOUBLE_EQ(again, forward);
  }
}

TEST(Recompute, FullRepeatsDispatchButNotCombine) {
  Layout layout;
  layout.ep = 8;
  layout.recompute = make_recompute({"full"}, "test");
  const Training training{.global_batch_size = 1, .sequence_length = 4096};
  const Workload w = make_units({.model = test::toy_moe(), .layout = layout, .training = training});
  const std::vector<CommOp> again = test::comms_in({&test::unit(w, UnitKind::kMoe).work.recompute});
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].kind, CommKind::kDispatch);
  EXPECT_TRUE(again[0].recompute);
}

TEST(Recompute, WhatIsComputedAgainIsNotKept) {
  for (UnitKind kind : {UnitKind::kDense, UnitKind::kMoe}) {
    const double none = unit_with(test::v3_model(), {"none"}, kind).kept_bytes;
    const double v3 = unit_with(test::v3_model(), {"deepseek-v3"}, kind).kept_bytes;
    const double full = unit_with(test::v3_model(), {"full"}, kind).kept_bytes;
    EXPECT_GT(none, v3);
    EXPECT_GT(v3, full);
    // Only the layer's input stays: 4096 x 7168 in BF16.
    EXPECT_EQ(full, 4096.0 * 7168 * 2);
    for (const char* op : {"norms", "mla-up", "activation", "attention-core"})
      EXPECT_LT(unit_with(test::v3_model(), {op}, kind).kept_bytes, none) << op;
  }
}

TEST(Recompute, SelectiveKeepsTheInputsOfTheKernel) {
  // Query, key and value must be there to run the kernel again: 16 values of 2 bytes per token. Only the
  // log-sum-exp of 4 heads, 4 bytes each, goes.
  const double none = unit_with(test::toy_dense(), {"none"}, UnitKind::kDense).kept_bytes;
  const double selective = unit_with(test::toy_dense(), {"selective"}, UnitKind::kDense).kept_bytes;
  EXPECT_EQ(none - selective, 4096.0 * 4 * 4);
}

}  // namespace
}  // namespace orrery
