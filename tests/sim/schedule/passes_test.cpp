#include "sim/schedule/passes.hpp"

#include <gtest/gtest.h>

#include <string>

#include "sim/schedule/generators.hpp"
#include "sim/schedule/validate.hpp"

namespace orrery {
namespace {

TEST(Passes, SplitPutsEveryLoneBackwardsWeightGradientDirectlyBehindIt) {
  // One rank of 1F1B: F0 B0 F1 B1.
  EXPECT_EQ(to_csv(split_weight_gradients(make_schedule("1f1b", 1, 1, 2))), "0F0,0I0,0W0,0F1,0I1,0W1\n");
}

TEST(Passes, MergedBackwardsStandWhereTheirInputGradientsStood) {
  // ZB-H1 on two ranks: rank 0 holds weight gradients back; merged they are gone, and the order is 1F1B's.
  const Schedule merged = merge_weight_gradients(make_schedule("zb-h1", 2, 1, 4));
  EXPECT_EQ(to_csv(merged), to_csv(make_schedule("1f1b", 2, 1, 4)));
}

TEST(Passes, EveryScheduleStaysValidSplitAndMerged) {
  for (const GeneratorInfo& info : generators()) {
    const Schedule made = make_schedule(info.name, 4, info.default_vpp, 8);
    const Schedule split = split_weight_gradients(made);
    const Schedule merged = merge_weight_gradients(made);
    EXPECT_FALSE(validate(split)) << info.name;
    EXPECT_FALSE(validate(merged)) << info.name;
    EXPECT_EQ(stats(split).overall.backwards, 0) << info.name;
    EXPECT_EQ(stats(merged).overall.weight_grads, 0) << info.name;
    // A second time changes nothing, and merging undoes splitting.
    EXPECT_EQ(split_weight_gradients(split), split) << info.name;
    EXPECT_EQ(merge_weight_gradients(merged), merged) << info.name;
    EXPECT_EQ(merge_weight_gradients(split), merged) << info.name;
    EXPECT_LE(stats(merged).overall.peak_live, stats(made).overall.peak_live) << info.name;
    EXPECT_EQ(stats(merged).overall.peak_deferred, 0) << info.name;
  }
}

TEST(Passes, AStageIsUsedFirstAndLastOnEachOfItsRanks) {
  // GPipe on one rank with two microbatches: F0 F1 B0 B1.
  const auto uses = stage_uses(make_schedule("gpipe", 1, 1, 2));
  ASSERT_EQ(uses.size(), 1U);
  ASSERT_EQ(uses[0].size(), 4U);
  EXPECT_TRUE(uses[0][0].first.first_forward);
  EXPECT_EQ(uses[0][1], StepUse{});
  EXPECT_EQ(uses[0][2], StepUse{});
  EXPECT_TRUE(uses[0][3].first.last_gradient);
}

TEST(Passes, EveryStageOfEveryRankHasOneFirstForwardAndOneLastGradient) {
  for (const GeneratorInfo& info : generators()) {
    const Schedule made = make_schedule(info.name, 4, info.default_vpp, 8);
    const auto uses = stage_uses(made);
    for (std::size_t r = 0; r < uses.size(); ++r) {
      std::size_t firsts = 0;
      std::size_t lasts = 0;
      for (const StepUse& use : uses[r]) {
        for (const StageUse& u : {use.first, use.second}) {
          firsts += u.first_forward ? 1 : 0;
          lasts += u.last_gradient ? 1 : 0;
        }
      }
      const std::size_t stages = made.stages_of(RankId{r}).size();
      EXPECT_EQ(firsts, stages) << info.name << " rank " << r;
      EXPECT_EQ(lasts, stages) << info.name << " rank " << r;
    }
  }
}

}  // namespace
}  // namespace orrery
