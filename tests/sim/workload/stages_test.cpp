#include <gtest/gtest.h>

#include "sim/base/check.hpp"
#include "tests/sim/workload/work_sums.hpp"
#include "tests/support/deepseek_v3.hpp"
#include "tests/support/toy.hpp"

namespace orrery {
namespace {

std::vector<UnitKind> kinds(const Workload& w, std::size_t stage) {
  std::vector<UnitKind> out;
  for (std::size_t u : w.stages.at(stage).units) out.push_back(w.units[u].kind);
  return out;
}

Workload staged(const ModelSpec& model, const std::vector<std::int64_t>& layers, bool mtp = true) {
  Layout layout;
  layout.pp = static_cast<std::int64_t>(layers.size());
  const Training training{.global_batch_size = 1, .sequence_length = 16, .mtp = mtp};
  Workload w = make_units({.model = model, .layout = layout, .training = training});
  assign_stages(w, model, training, layers);
  return w;
}

TEST(Stages, EmbeddingComesFirstAndHeadAndMtpLast) {
  using enum UnitKind;
  const Workload w = staged(test::toy_mla(), {2, 2});
  EXPECT_EQ(kinds(w, 0), (std::vector<UnitKind>{kEmbedding, kDense, kMoe}));
  // The MTP module has a head of its own pass.
  EXPECT_EQ(kinds(w, 1), (std::vector<UnitKind>{kMoe, kMoe, kHead, kMtp, kHead}));
  EXPECT_EQ(w.stages[1].first_layer, 2);
  EXPECT_EQ(w.stages[1].layers, 2);
  EXPECT_EQ(kinds(staged(test::toy_mla(), {2, 2}, false), 1), (std::vector<UnitKind>{kMoe, kMoe, kHead}));
}

TEST(Stages, OneStageHoldsEverything) {
  using enum UnitKind;
  EXPECT_EQ(kinds(staged(test::toy_dense(), {4}), 0),
            (std::vector<UnitKind>{kEmbedding, kDense, kDense, kDense, kDense, kHead}));
}

TEST(Stages, AStageMayHoldOnlyEmbeddingOrHead) {
  using enum UnitKind;
  const Workload w = staged(test::toy_dense(), {0, 4, 0});
  EXPECT_EQ(kinds(w, 0), (std::vector<UnitKind>{kEmbedding}));
  EXPECT_EQ(kinds(w, 2), (std::vector<UnitKind>{kHead}));
}

TEST(Stages, DeepSeekV3HasFourKindsOfUnitsAndOneMtp) {
  const ModelSpec v3 = test::v3_model();
  const Layout layout = test::v3_layout();
  const Training training = test::v3_training();
  const Workload w = make_units({.model = v3, .layout = layout, .training = training});
  EXPECT_EQ(w.units.size(), 5U);
  const std::vector<std::size_t> row = layer_units(w, v3);
  ASSERT_EQ(row.size(), 61U);
  for (std::size_t i = 0; i < row.size(); ++i)
    EXPECT_EQ(w.units[row[i]].kind, i < 3 ? UnitKind::kDense : UnitKind::kMoe) << i;
}

TEST(Stages, LayersLeftOutOrAUnitThatIsMissingAreBugs) {
  EXPECT_THROW(staged(test::toy_dense(), {2, 1}), InternalError);
  const Workload w = staged(test::toy_dense(), {4});
  EXPECT_THROW((void)unit_of(w, UnitKind::kMoe), InternalError);
}

}  // namespace
}  // namespace orrery
