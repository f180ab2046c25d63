#include <gtest/gtest.h>

#include "sim/model/param_count.hpp"
#include "tests/sim/workload/work_sums.hpp"
#include "tests/support/deepseek_v3.hpp"
#include "tests/support/toy.hpp"

namespace orrery {
namespace {

struct Totals {
  double model = 0;  ///< distinct weights of the main model
  double mtp = 0;    ///< of the MTP modules, without embedding and head they share
};

/// Distinct weights of one pipeline replica: routed experts live once on ep * etp ranks.
Totals totals(const ModelSpec& model, const Layout& layout) {
  const Training training{.global_batch_size = 1, .sequence_length = 16};
  const Workload w = make_units({.model = model, .layout = layout, .training = training});
  const auto spread = static_cast<double>(layout.ep * layout.etp);
  Totals t;
  t.model = test::unit(w, UnitKind::kEmbedding).dense_params + test::unit(w, UnitKind::kHead).dense_params;
  for (std::size_t u : layer_units(w, model))
    t.model += w.units[u].dense_params + spread * w.units[u].expert_params;
  if (model.mtp_modules > 0) {
    const UnitWork& mtp = test::unit(w, UnitKind::kMtp);
    t.mtp = static_cast<double>(model.mtp_modules) * (mtp.dense_params + spread * mtp.expert_params);
  }
  return t;
}

TEST(ParamsOnRanks, DeepSeekV3AddsUpToTheModel) {
  const ModelSpec v3 = test::v3_model();
  const ParamCount count = count_params(v3);
  const Totals t = totals(v3, test::v3_layout());
  EXPECT_EQ(t.model, static_cast<double>(count.total()));
  EXPECT_EQ(t.mtp, static_cast<double>(count.mtp));
  EXPECT_NEAR(t.model, 671.03e9, 0.01e9);
}

TEST(ParamsOnRanks, EveryBuiltInModelAddsUp) {
  for (const ZooEntry& entry : zoo()) {
    const ModelSpec model = load_model(entry.name, {}).spec;
    EXPECT_EQ(totals(model, Layout{}).model, static_cast<double>(count_params(model).total())) << entry.name;
  }
}

TEST(ParamsOnRanks, ExpertsSpreadOverEpTimesEtp) {
  for (std::int64_t ep : {1, 2, 8}) {
    for (std::int64_t etp : {1, 2}) {
      Layout l;
      l.ep = ep;
      l.etp = etp;
      EXPECT_EQ(totals(test::toy_mla(), l).model, static_cast<double>(count_params(test::toy_mla()).total()));
    }
  }
}

TEST(ParamsOnRanks, TensorRanksCutMatricesAndCopyNorms) {
  // Toy layer: attention 192 and feed-forward 384 are cut, norms 16 are not.
  Layout l;
  l.tp = 2;
  const Training training{.global_batch_size = 1, .sequence_length = 16};
  const Workload dense = make_units({.model = test::toy_dense(), .layout = l, .training = training});
  EXPECT_EQ(test::unit(dense, UnitKind::kDense).dense_params, 16 + (192 + 384) / 2.0);
  EXPECT_EQ(test::unit(dense, UnitKind::kEmbedding).dense_params, 32 * 8 / 2.0);
  EXPECT_EQ(test::unit(dense, UnitKind::kHead).dense_params, 32 * 8 / 2.0 + 8);
  // Latent: down-projections 8*6 + 8*6 = 96, norms 16 + 6 + 5 and the router 64 stay; up-projections 6*12 +
  // 5*20, output 12*8 and the shared expert 96 are cut; 8 experts of 96 on 2 x 2 ranks.
  l.ep = 2;
  l.etp = 2;
  const Workload mla = make_units({.model = test::toy_mla(), .layout = l, .training = training});
  EXPECT_EQ(test::unit(mla, UnitKind::kMoe).dense_params, 96 + 27 + 64 + (72 + 100 + 96 + 96) / 2.0);
  EXPECT_EQ(test::unit(mla, UnitKind::kMoe).expert_params, 8 * 96 / 4.0);
}

TEST(ParamsOnRanks, ATiedHeadIsCopiedOnlyToAnotherStage) {
  ModelSpec tied = test::toy_dense();
  tied.tied_embeddings = true;
  const Training training{.global_batch_size = 1, .sequence_length = 16};
  Layout l;
  EXPECT_EQ(test::unit(make_units({.model = tied, .layout = l, .training = training}), UnitKind::kHead)
                .dense_params,
            8);
  l.pp = 2;
  EXPECT_EQ(test::unit(make_units({.model = tied, .layout = l, .training = training}), UnitKind::kHead)
                .dense_params,
            8 + 256);
}

}  // namespace
}  // namespace orrery
