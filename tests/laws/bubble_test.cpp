// Whole lowered steps meet the published bubble formulas when stages are equal, messages take no time and
// nothing overlaps: forward F = 10 us, input gradient 10, weight gradient W = 10, so B = 20 and F&B = 30.
#include <gtest/gtest.h>

#include "sim/report/step_accounts.hpp"
#include "sim/schedule/generators.hpp"
#include "tests/support/hand_made.hpp"

namespace orrery {
namespace {

constexpr double kF = 10, kB = 20, kW = 10, kFB = 30;

struct Outcome {
  double step_us = 0;
  std::vector<RankAccount> ranks;
};

/// Weight gradients run before the input gradient leaves where `weight_first`, else after it.
Outcome outcome(const char* schedule, int pp, int vpp, int microbatches, bool weight_first = true) {
  test::Pieces pieces{.attention_f = kF, .attention_b = kB - kW};
  (weight_first ? pieces.mlp_w : pieces.attention_w) = kW;
  test::HandMade made(pp, std::vector<UnitWork>(static_cast<std::size_t>(pp * vpp), test::unit(pieces)));
  made.cluster.scale_out.latency_s.value = 0;
  const LoweredStep step = made.lower(make_schedule(schedule, pp, vpp, microbatches));
  const Timeline t = run(step.graph);
  return {test::us(t.makespan), account_ranks(step, t)};
}

/// What every rank idles: the step less its own work, `microbatches` passes of `vpp` stages.
double idle_us(const char* schedule, int pp, int vpp, int microbatches) {
  return outcome(schedule, pp, vpp, microbatches).step_us - microbatches * vpp * (kF + kB);
}

TEST(Bubble, OneForwardOneBackwardAndGpipeIdleForAllOtherRanks) {
  // (P-1)(F + B), arXiv 1811.06965 and 2104.04473
  for (int pp : {1, 2, 4, 8}) {
    EXPECT_DOUBLE_EQ(idle_us("1f1b", pp, 1, 16), (pp - 1) * (kF + kB)) << pp;
    EXPECT_DOUBLE_EQ(idle_us("gpipe", pp, 1, 16), (pp - 1) * (kF + kB)) << pp;
  }
}

TEST(Bubble, InterleavingIdlesForChunksInsteadOfStages) {
  // (P-1)(F + B)/v of the whole rank's F and B: here F and B are those of one chunk.
  for (int vpp : {2, 4}) EXPECT_DOUBLE_EQ(idle_us("interleaved-1f1b", 4, vpp, 16), 3 * (kF + kB)) << vpp;
}

TEST(Bubble, PostponedWeightGradientsFillTheBubbleOfZbH1) {
  // (P-1)(F + B - 2W), arXiv 2401.10241, table 1 with B their B + W
  for (int pp : {2, 4, 8}) EXPECT_DOUBLE_EQ(idle_us("zb-h1", pp, 1, 24), (pp - 1) * (kF + kB - 2 * kW)) << pp;
}

TEST(Bubble, DualPipeIdlesAsPublished) {
  // (P/2-1)(F&B + B - 3W), arXiv 2412.19437, table 2
  for (auto [pp, n] : {std::pair{2, 8}, std::pair{4, 8}, std::pair{8, 20}, std::pair{16, 120}}) {
    // A rank runs N microbatches on its two stages together: N/2 each way.
    EXPECT_DOUBLE_EQ(idle_us("dualpipe", pp, 1, n), (pp / 2 - 1) * (kFB + kB - 3 * kW)) << pp;
  }
}

TEST(Bubble, EveryRanksBubbleAndWaitAtTheEndIsTheWholeIdleTime) {
  for (const RankAccount& a : outcome("dualpipe", 8, 1, 20).ranks) {
    EXPECT_NEAR((a.times.breakdown.bubble + a.times.breakdown.optimizer) * 1e6, 3 * 20, 1e-9);
  }
  const Outcome o = outcome("1f1b", 4, 1, 16);
  for (int r = 0; r < 4; ++r) {
    const Breakdown& b = o.ranks[static_cast<std::size_t>(r)].times.breakdown;
    EXPECT_NEAR((b.bubble + b.optimizer) * 1e6, 3 * 30, 1e-9);
    EXPECT_NEAR(b.optimizer * 1e6, r * kB, 1e-9);  // rank r is done r backwards before rank 0
  }
}

TEST(Bubble, AWholeBackwardSendsItsGradientWhenAllOfItIsDone) {
  // Where the weight gradient stands inside it does not matter to the stage before.
  EXPECT_DOUBLE_EQ(outcome("1f1b", 4, 1, 16).step_us, outcome("1f1b", 4, 1, 16, false).step_us);
}

}  // namespace
}  // namespace orrery
