#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "tests/sim/workload/work_sums.hpp"
#include "tests/support/deepseek_v3.hpp"

namespace orrery {
namespace {

std::vector<Op> all_ops(Precision precision) {
  const ModelSpec v3 = test::v3_model();
  const Layout layout = test::v3_layout();
  Training training = test::v3_training();
  training.precision = precision;
  const Workload w = make_units({.model = v3, .layout = layout, .training = training});
  std::vector<Op> ops;
  for (const UnitWork& u : w.units) {
    for (const Op& op : test::ops_in(test::all_pieces(u.work))) ops.push_back(op);
  }
  return ops;
}

TEST(Precision, EveryLinearLayerRunsInFp8ButHeadAndRouter) {
  // arXiv 2412.19437, 3.3.1: embedding, output head, gating, norms and attention keep their precision.
  std::set<std::string> kept;
  for (const Op& op : all_ops(Precision::kFp8Block)) {
    if (test::is_linear(op)) {
      if (op.precision == Precision::kBf16) kept.insert(op.name);
    } else {
      EXPECT_EQ(op.precision, Precision::kBf16) << op.name;
    }
  }
  EXPECT_EQ(kept, (std::set<std::string>{"output head", "output head input grad", "output head weight grad",
                                         "router projection", "router input grad", "router weight grad"}));
}

TEST(Precision, AllThreeProductsOfALayerAreInFp8) {
  const std::vector<Op> ops = all_ops(Precision::kFp8Block);
  for (const char* name : {"q_b projection", "q_b input grad", "q_b weight grad", "experts down",
                           "experts down input grad", "experts down weight grad"}) {
    EXPECT_EQ(test::named(ops, name).precision, Precision::kFp8Block) << name;
  }
}

TEST(Precision, InBf16NothingIsQuantised) {
  for (const Op& op : all_ops(Precision::kBf16)) {
    EXPECT_NE(op.kind, OpKind::kQuantize) << op.name;
    EXPECT_EQ(op.precision, Precision::kBf16) << op.name;
  }
}

TEST(Precision, TheFlopsDoNotDependOnIt) {
  EXPECT_DOUBLE_EQ(test::flops(all_ops(Precision::kFp8Block), [](const Op&) { return true; }),
                   test::flops(all_ops(Precision::kBf16), [](const Op&) { return true; }));
}

TEST(Precision, OpClassesNameKindAndPrecision) {
  EXPECT_EQ(op_class({.kind = OpKind::kGemm, .precision = Precision::kFp8Block}), "gemm.fp8-block");
  EXPECT_EQ(op_class({.kind = OpKind::kGroupedGemm, .precision = Precision::kMxfp8}), "grouped-gemm.mxfp8");
  EXPECT_EQ(op_class({.kind = OpKind::kWeightGemm}), "wgrad.bf16");
  EXPECT_EQ(op_class({.kind = OpKind::kGroupedWeightGemm, .precision = Precision::kFp8Tensor}),
            "grouped-wgrad.fp8-tensor");
  // FP16 runs at the BF16 rates.
  EXPECT_EQ(op_class({.kind = OpKind::kGemm, .precision = Precision::kFp16}), "gemm.bf16");
  EXPECT_EQ(op_class({.kind = OpKind::kAttentionForward, .mla = true}), "attention-mla.forward");
  EXPECT_EQ(op_class({.kind = OpKind::kAttentionBackward}), "attention.backward");
  EXPECT_EQ(op_class({.kind = OpKind::kOptimizer}), "memory.optimizer");
}

}  // namespace
}  // namespace orrery
