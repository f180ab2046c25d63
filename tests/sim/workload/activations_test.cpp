#include <gtest/gtest.h>

#include "tests/sim/workload/work_sums.hpp"
#include "tests/support/deepseek_v3.hpp"
#include "tests/support/toy.hpp"

namespace orrery {
namespace {

UnitWork unit_of_layout(const ModelSpec& model, const Layout& layout, UnitKind kind,
                        Precision precision = Precision::kBf16, std::int64_t length = 64) {
  const Training training{.global_batch_size = 1, .sequence_length = length, .precision = precision};
  return test::unit(make_units({.model = model, .layout = layout, .training = training}), kind);
}

TEST(Activations, TheToyLayerMatchesTheHandSum) {
  // Bytes per token in BF16. Attention: block input 16, projection input 16, query, key and value 8 + 4 + 4
  // values 32, log-sum-exp 4 heads x 4 = 16, attention output 16: 96. Feed-forward: block input 16, product
  // input 16, gate and up 32 values 64, activation output 32: 128.
  const UnitWork u = unit_of_layout(test::toy_dense(), Layout{}, UnitKind::kDense);
  EXPECT_EQ(u.kept_bytes, 64.0 * (96 + 128));
  // Postponed weight gradients need input and output gradient of each product: qkv 8 + 16, output 8 + 8,
  // gate and up 8 + 32, down 16 + 8 values of 2 bytes.
  EXPECT_EQ(u.deferred_bytes, 64.0 * 2 * (24 + 16 + 40 + 24));
}

TEST(Activations, TheyGrowWithTheTokensAlone) {
  Layout two;
  two.microbatch_size = 2;
  for (UnitKind kind : {UnitKind::kDense, UnitKind::kMoe, UnitKind::kHead}) {
    const UnitWork one = unit_of_layout(test::toy_moe(), Layout{}, kind);
    const UnitWork twice = unit_of_layout(test::toy_moe(), two, kind);
    EXPECT_DOUBLE_EQ(twice.kept_bytes, 2 * one.kept_bytes);
    EXPECT_DOUBLE_EQ(twice.working_bytes, 2 * one.working_bytes);
    EXPECT_DOUBLE_EQ(twice.deferred_bytes, 2 * one.deferred_bytes);
    Layout cut;
    cut.cp = 4;
    EXPECT_DOUBLE_EQ(unit_of_layout(test::toy_moe(), cut, kind).kept_bytes * 4, one.kept_bytes);
  }
}

TEST(Activations, Fp8KeepsLessThanBf16) {
  for (UnitKind kind : {UnitKind::kDense, UnitKind::kMoe}) {
    const Layout l = test::v3_layout();
    EXPECT_LT(unit_of_layout(test::v3_model(), l, kind, Precision::kFp8Block, 4096).kept_bytes,
              unit_of_layout(test::v3_model(), l, kind, Precision::kBf16, 4096).kept_bytes);
  }
}

TEST(Activations, MoreTensorRanksNeverKeepMore) {
  for (UnitKind kind : {UnitKind::kDense, UnitKind::kMoe}) {
    double kept = 1e300;
    double working = 1e300;
    for (std::int64_t tp : {1, 2, 4, 8}) {
      Layout l;
      l.tp = tp;
      l.sequence_parallel = true;
      const UnitWork u = unit_of_layout(test::v3_model(), l, kind, Precision::kBf16, 4096);
      EXPECT_LT(u.kept_bytes, kept);
      EXPECT_LT(u.working_bytes, working);
      kept = u.kept_bytes;
      working = u.working_bytes;
    }
  }
}

TEST(Activations, TheBoundaryMessageIsTheHiddenState) {
  const Training training{.global_batch_size = 1, .sequence_length = 64};
  Layout l;
  l.microbatch_size = 3;
  EXPECT_EQ(make_units({.model = test::toy_dense(), .layout = l, .training = training}).boundary_bytes,
            3 * 64 * 8 * 2.0);
  l.tp = 4;
  l.sequence_parallel = true;
  EXPECT_EQ(make_units({.model = test::toy_dense(), .layout = l, .training = training}).boundary_bytes,
            3 * 64 * 8 * 2.0 / 4);
}

}  // namespace
}  // namespace orrery
