#include "sim/lower/memory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "sim/model/param_count.hpp"
#include "sim/schedule/generators.hpp"
#include "tests/support/deepseek_v3.hpp"
#include "tests/support/toy.hpp"

namespace orrery {
namespace {

/// Two stages of one unit each: 10 and 20 dense weights, 4 and 8 expert weights; a microbatch keeps 100 and
/// 200 bytes, of which 60 and 250 wait for postponed weight gradients, and 7 and 9 are in use.
Workload two_stages() {
  Workload w;
  for (double n : {1.0, 2.0}) {
    UnitWork u{.name = "unit"};
    u.dense_params = 10 * n;
    u.expert_params = 4 * n;
    u.kept_bytes = 100 * n;
    u.deferred_bytes = n == 1 ? 60 : 250;
    u.working_bytes = n == 1 ? 7 : 9;
    w.units.push_back(u);
  }
  w.stages = {{.units = {0}, .first_layer = 0, .layers = 1}, {.units = {1}, .first_layer = 1, .layers = 1}};
  w.boundary_bytes = 5;
  return w;
}

constexpr MemoryRules kRules{.weight_bytes = 2,
                             .gradient_bytes = 4,
                             .moment_bytes = 8,
                             .master_bytes = 4,
                             .reserve_bytes = 1000,
                             .reserve_share = 0.01};

std::vector<RankMemory> memory(const Workload& w, const Schedule& schedule, std::int64_t zero,
                               const Derived& derived = {.dp = 4, .expert_dp = 2}) {
  Layout layout;
  layout.zero_stage = zero;
  const ModelSpec model = test::toy_dense();
  return memory_by_rank({.workload = w,
                         .schedule = schedule,
                         .layout = layout,
                         .derived = derived,
                         .model = model,
                         .rules = kRules,
                         .capacity_bytes = 10000});
}

TEST(Memory, TwoRanksOfOneForwardOneBackwardMatchTheHandSum) {
  const std::vector<RankMemory> m = memory(two_stages(), make_schedule("1f1b", 2, 1, 4), 0);
  ASSERT_EQ(m.size(), 2U);
  EXPECT_EQ(m[0].weights, 2 * 14.0);
  EXPECT_EQ(m[0].gradients, 4 * 14.0);
  EXPECT_EQ(m[0].optimizer, 12 * 14.0);
  // Rank 0 runs two forwards ahead, rank 1 one.
  EXPECT_EQ(m[0].activations, 2 * 100.0);
  EXPECT_EQ(m[0].peak_microbatches, 2);
  EXPECT_EQ(m[1].activations, 200.0);
  EXPECT_EQ(m[1].peak_microbatches, 1);
  EXPECT_EQ(m[0].buffers, 7 + 4 * 5.0);  // working set, messages of both neighbours twice
  EXPECT_EQ(m[1].buffers, 9 + 4 * 5.0);
  EXPECT_EQ(m[0].reserve, 1000 + 0.01 * 10000);
  EXPECT_EQ(m[0].total(), 28 + 56 + 168 + 200 + 27 + 1100.0);
}

TEST(Memory, GpipeKeepsAllMicrobatches) {
  const std::vector<RankMemory> m = memory(two_stages(), make_schedule("gpipe", 2, 1, 6), 1);
  for (const RankMemory& rank : m) EXPECT_EQ(rank.peak_microbatches, 6);
  EXPECT_EQ(m[0].activations, 600.0);
}

TEST(Memory, APostponedWeightGradientHoldsItsInputs) {
  // By hand on rank 1: F keeps 200; I swaps them for 250; the next F adds 200 before W lets go of 250.
  Schedule s = make_schedule("1f1b", 2, 1, 2);
  const auto act = [](ActionKind kind, int stage, int microbatch) {
    return alone({.kind = kind, .stage = StageId{stage}, .microbatch = MicrobatchId{microbatch}});
  };
  s.ranks[1] = {act(ActionKind::kForward, 1, 0), act(ActionKind::kInputGrad, 1, 0),
                act(ActionKind::kForward, 1, 1), act(ActionKind::kWeightGrad, 1, 0),
                act(ActionKind::kBackward, 1, 1)};
  EXPECT_EQ(memory(two_stages(), s, 1)[1].activations, 450.0);
}

TEST(Memory, EachZeroStageHoldsNoMoreThanTheOneBefore) {
  const Schedule schedule = make_schedule("1f1b", 2, 1, 4);
  double last = 1e300;
  for (std::int64_t zero : {0, 1, 2, 3}) {
    const RankMemory m = memory(two_stages(), schedule, zero)[0];
    // What is whole for a moment stands among the buffers: next test. These toy ranks have one unit each.
    EXPECT_LT(m.total() - m.buffers, last) << zero;
    last = m.total() - m.buffers;
    // Sharded: 10 dense over dp 4, 4 expert over 2: 4.5 instead of 14.
    EXPECT_EQ(m.optimizer, 12 * (zero >= 1 ? 4.5 : 14.0));
    EXPECT_EQ(m.gradients, 4 * (zero >= 2 ? 4.5 : 14.0));
    EXPECT_EQ(m.weights, 2 * (zero >= 3 ? 4.5 : 14.0));
  }
}

TEST(Memory, ShardedStatesAreWholeForAMomentUnitByUnit) {
  // The larger unit has 20 + 8 weights. ZeRO 2: its gradients as written (2 bytes) and on their way (4). ZeRO
  // 3 besides: gathered weights of two units (2 bytes each), or of one where the kernels wait for the gather.
  const Schedule schedule = make_schedule("1f1b", 2, 1, 4);
  const auto buffers = [&](std::int64_t zero, const Derived& derived) {
    return memory(two_stages(), schedule, zero, derived)[0].buffers;
  };
  const Derived shared{.dp = 4, .expert_dp = 2};
  const double least = buffers(1, shared);
  EXPECT_EQ(buffers(2, shared) - least, 28 * 6.0);
  EXPECT_EQ(buffers(3, shared) - least, 28 * (6.0 + 2 * 2.0));
  // Experts that no other rank holds are not sharded, so their 8 weights are no transient.
  EXPECT_EQ(buffers(2, {.dp = 4, .expert_dp = 1}) - least, 20 * 6.0);
}

TEST(Memory, DualPipeHoldsTwoStagesAndOneMicrobatchMoreThanRanks) {
  for (int pp : {2, 4, 8, 16}) {
    const Schedule schedule = make_schedule("dualpipe", pp, 1, 4 * pp);
    Workload w;
    w.units.push_back({.name = "unit", .dense_params = 10, .expert_params = 4, .kept_bytes = 100});
    for (int s = 0; s < pp; ++s) w.stages.push_back({.units = {0}, .first_layer = s, .layers = 1});
    EXPECT_EQ(stage_copies(schedule), 2);
    const std::vector<RankMemory> m = memory(w, schedule, 1);
    double most = 0;
    for (const RankMemory& rank : m) {
      EXPECT_EQ(rank.weights, 2 * 28.0);
      // Two ranks hold each stage: the optimizer shards over 2 x 4 and 2 x 2.
      EXPECT_EQ(rank.optimizer, 12 * (20 / 8.0 + 8 / 4.0));
      EXPECT_LE(rank.peak_microbatches, pp + 1);
      most = std::max(most, rank.peak_microbatches);
    }
    EXPECT_EQ(most, pp + 1) << pp;
  }
}

TEST(Memory, OtherSchedulesHoldEachStageOnce) {
  for (const char* name : {"gpipe", "1f1b", "zb-h1"})
    EXPECT_EQ(stage_copies(make_schedule(name, 4, 1, 8)), 1);
  EXPECT_EQ(stage_copies(make_schedule("interleaved-1f1b", 4, 2, 8)), 1);
  EXPECT_EQ(stage_copies(make_schedule("dualpipev", 4, 2, 16)), 1);
  EXPECT_EQ(stage_copies(make_schedule("1f1b", 1, 1, 1)), 1);
}

TEST(Memory, RulesFollowThePrecision) {
  EXPECT_EQ(memory_rules({.precision = Precision::kBf16}).weight_bytes, 2);
  EXPECT_EQ(memory_rules({.precision = Precision::kBf16}).moment_bytes, 8);
  EXPECT_EQ(memory_rules({.precision = Precision::kFp8Block}).weight_bytes, 3);  // BF16 and its FP8 copy
  EXPECT_EQ(memory_rules({.precision = Precision::kFp8Block}).moment_bytes, 4);  // both moments in BF16
  EXPECT_EQ(memory_rules({.precision = Precision::kMxfp8}).moment_bytes, 8);
}

/// DeepSeek-V3 cut as published: 61 layers over 16 stages.
struct V3 {
  ModelSpec model = test::v3_model();
  Layout layout = test::v3_layout();
  Training training = test::v3_training();
  Derived derived = derive(layout, training, test::kV3Gpus);
  Workload workload;

  explicit V3(const Layout& cut) : layout(cut) {
    workload = make_units({.model = model, .layout = layout, .training = training});
    std::vector<std::int64_t> layers(16, 4);
    layers[0] = 3;
    layers[15] = 2;
    assign_stages(workload, model, training, layers);
  }
};

TEST(ParamsByRank, AllStagesOfDeepSeekV3HoldTheWholeModelOnce) {
  const V3 v3(test::v3_layout());
  const ParamCount count = count_params(v3.model);
  const auto whole = static_cast<double>(count.total() + count.mtp);
  // DualPipe: every stage twice; the MTP module finds the embedding on its own rank.
  double sum = 0;
  for (const RankParams& p : params_by_rank(v3.workload, make_schedule("dualpipe", 16, 1, 120)))
    sum += p.dense + 64 * p.expert;
  EXPECT_EQ(sum, 2 * whole);
  // 1F1B: the MTP module's stage is far from the embedding and holds a copy.
  sum = 0;
  for (const RankParams& p : params_by_rank(v3.workload, make_schedule("1f1b", 16, 1, 120)))
    sum += p.dense + 64 * p.expert;
  EXPECT_EQ(sum, whole + static_cast<double>(count.embedding));
}

std::vector<RankMemory> memory_of(const V3& v3, double capacity) {
  const Schedule schedule = make_schedule("dualpipe", 16, 1, 120);
  return memory_by_rank({.workload = v3.workload,
                         .schedule = schedule,
                         .layout = v3.layout,
                         .derived = v3.derived,
                         .model = v3.model,
                         .rules = memory_rules(v3.training),
                         .capacity_bytes = capacity});
}

TEST(Memory, DeepSeekV3AsPublishedFitsItsDevice) {
  const double capacity = 84943110144.0;  // visible bytes of an H800 80 GB
  const std::vector<RankMemory> m = memory_of(V3(test::v3_layout()), capacity);
  ASSERT_EQ(m.size(), 16U);
  for (std::size_t r = 0; r < m.size(); ++r) {
    // Ranks r and 15 - r hold the same two stages.
    EXPECT_EQ(m[r].weights, m[15 - r].weights) << r;
    EXPECT_EQ(m[r].optimizer, m[15 - r].optimizer) << r;
    EXPECT_EQ(m[r].peak_microbatches, 17) << r;
    EXPECT_LT(m[r].total(), capacity) << r;
    RecordProperty("rank_" + std::to_string(r) + "_gb", std::to_string(m[r].total() / 1e9));
  }
}

TEST(Memory, DeepSeekV3WithoutShardedOptimizerStatesDoesNotFit) {
  const double capacity = 84943110144.0;
  Layout plain = test::v3_layout();
  plain.zero_stage = 0;
  for (const RankMemory& rank : memory_of(V3(plain), capacity)) EXPECT_GT(rank.total(), capacity);
}

}  // namespace
}  // namespace orrery
