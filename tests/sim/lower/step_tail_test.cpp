#include "sim/lower/step_tail.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "sim/engine/engine.hpp"
#include "sim/schedule/generators.hpp"
#include "tests/support/hand_made.hpp"

namespace orrery {
namespace {

using test::HandMade;
using test::us;

/// `pp` ranks of layers with a million dense weights and, where asked, 200,000 weights of experts.
struct TailCase {
  std::int64_t pp = 2;
  std::int64_t gpus = 16;
  std::int64_t ep = 1;
  std::int64_t cp = 1;
  std::int64_t zero_stage = 1;
  const char* schedule = "gpipe";
  double dense = 1e6;
  double expert = 0;
};

struct TailTask {
  std::string name;
  std::string op_class;
  double bytes = 0;
  double start_us = 0, end_us = 0;
};

/// The tail's tasks of one rank, markers left out, in the order of their lanes; times from the moment the
/// last pipeline rank ended.
std::vector<TailTask> tail_of(const TailCase& c, int rank) {
  std::vector<UnitWork> units(static_cast<std::size_t>(c.pp), test::plain_unit(1, 1, 1));
  for (UnitWork& u : units) {
    u.dense_params = c.dense;
    u.expert_params = c.expert;
  }
  HandMade made(c.pp, units);
  made.gpus = c.gpus;
  made.layout.ep = c.ep;
  made.layout.cp = c.cp;
  made.layout.zero_stage = c.zero_stage;
  made.tail = true;
  const int microbatches = std::string(c.schedule) == "dualpipe" ? static_cast<int>(2 * c.pp) : 2;
  const LoweredStep step = made.lower(make_schedule(c.schedule, static_cast<int>(c.pp), 1, microbatches));
  const Timeline t = run(step.graph);
  EXPECT_EQ(t.stop, StopReason::kDone);
  SimTime pipeline_end;
  for (TaskId end : step.pipeline_end) pipeline_end = std::max(pipeline_end, t.end[end.at()]);
  std::vector<TailTask> all;
  for (Lane lane : {Lane::kCommunication, Lane::kCompute}) {
    for (TaskId task : step.graph.lane_tasks(step.lane(RankId{rank}, lane))) {
      const CostedItem* item = step.item_of(task);
      if (task < step.tail_begin || item == nullptr) continue;
      all.push_back({item->name, item->op_class, item->bytes, us(t.start[task.at()] - pipeline_end),
                     us(t.end[task.at()] - pipeline_end)});
    }
  }
  return all;
}

const TailTask* find(const std::vector<TailTask>& all, const std::string& name) {
  for (const TailTask& t : all) {
    if (t.name == name) return &t;
  }
  return nullptr;
}

double length(const TailTask& t) {
  return t.end_us - t.start_us;
}

TEST(StepTail, ZeroStageZeroAllReducesAndUpdatesEverythingEverywhere) {
  // 8 replicas on one node, 4 MB of FP32 gradients: each half moves 4 MB * 7/8 at 100 GB/s = 35 us and takes
  // 2 * log2(8) = 6 latencies of 1 us; twice that is 82 us. The update moves 10 bytes for each of the million
  // weights at 1 TB/s, and 1 us of overhead: 11 us.
  const std::vector<TailTask> tail = tail_of({.zero_stage = 0}, 0);
  ASSERT_EQ(tail.size(), 2U);
  EXPECT_EQ(tail[0].name, "reduce dense gradients");
  EXPECT_EQ(tail[0].op_class, "communication.all-reduce");
  EXPECT_EQ(tail[0].bytes, 4e6);
  EXPECT_NEAR(length(tail[0]), 82, 1e-6);
  EXPECT_EQ(tail[1].name, "optimizer update");
  EXPECT_NEAR(tail[1].start_us, 82, 1e-6);
  EXPECT_NEAR(length(tail[1]), 11, 1e-6);
}

TEST(StepTail, ZeroStageOneReducesUpdatesItsShareAndGathers) {
  // Reduce-scatter 35 + 6 = 41 us; an eighth of the update, 1.25 + 1 us; gather of 2 MB of BF16 weights:
  // 17.5 + 6 us.
  const std::vector<TailTask> tail = tail_of({.zero_stage = 1}, 1);
  ASSERT_EQ(tail.size(), 3U);
  EXPECT_EQ(tail[0].op_class, "communication.reduce-scatter");
  EXPECT_EQ(tail[0].bytes, 4e6);
  EXPECT_NEAR(length(tail[0]), 41, 1e-6);
  EXPECT_EQ(tail[1].name, "gather dense weights");
  EXPECT_EQ(tail[1].op_class, "communication.all-gather");
  EXPECT_EQ(tail[1].bytes, 2e6);
  EXPECT_NEAR(length(tail[1]), 23.5, 1e-6);
  EXPECT_EQ(tail[2].bytes, 1.25e6);
  EXPECT_NEAR(length(tail[2]), 2.25, 1e-6);
  EXPECT_EQ(tail[1].start_us, tail[2].end_us);  // the gather sends what the update wrote
}

TEST(StepTail, ZeroStagesTwoAndThreeHaveReducedInThePipeline) {
  for (std::int64_t zero : {2, 3}) {
    const std::vector<TailTask> tail = tail_of({.ep = 2, .zero_stage = zero, .expert = 2e5}, 0);
    EXPECT_EQ(find(tail, "reduce dense gradients"), nullptr) << zero;
    EXPECT_EQ(find(tail, "reduce expert gradients"), nullptr) << zero;
    // Stage 3 gathers before each use instead of after the update.
    EXPECT_EQ(find(tail, "gather dense weights") != nullptr, zero == 2);
    EXPECT_EQ(find(tail, "gather expert weights") != nullptr, zero == 2);
    // 10 bytes of every dense weight over 8 and every expert weight over 4 replicas.
    EXPECT_DOUBLE_EQ(find(tail, "optimizer update")->bytes, 10 * (1e6 / 8 + 2e5 / 4));
  }
}

TEST(StepTail, ExpertsAndTheRestAreReducedOverTheirOwnGroups) {
  // ep = 2 on 8 replicas: 4 of them hold the same experts. Dense 41 us as above; experts 0.8 MB over 4 GPUs
  // of one node, 6 us + 4 latencies; then 2 MB and 0.4 MB of weights: 23.5 and 3 + 4 us.
  const std::vector<TailTask> tail = tail_of({.ep = 2, .expert = 2e5}, 0);
  const TailTask* dense = find(tail, "reduce dense gradients");
  const TailTask* expert = find(tail, "reduce expert gradients");
  ASSERT_TRUE(dense != nullptr && expert != nullptr);
  EXPECT_NEAR(length(*dense), 41, 1e-6);
  EXPECT_EQ(expert->bytes, 8e5);
  EXPECT_NEAR(length(*expert), 10, 1e-6);
  EXPECT_EQ(expert->start_us, dense->end_us);
  EXPECT_NEAR(length(*find(tail, "gather dense weights")), 23.5, 1e-6);
  EXPECT_NEAR(length(*find(tail, "gather expert weights")), 7, 1e-6);
  EXPECT_DOUBLE_EQ(find(tail, "optimizer update")->bytes, 10 * (1e6 / 8 + 2e5 / 4));
}

TEST(StepTail, ExpertsOfOneReplicaAreNotReduced) {
  const std::vector<TailTask> tail = tail_of({.ep = 8, .expert = 2e5}, 0);
  EXPECT_EQ(find(tail, "reduce expert gradients"), nullptr);
  EXPECT_EQ(find(tail, "gather expert weights"), nullptr);
  EXPECT_DOUBLE_EQ(find(tail, "optimizer update")->bytes, 10 * (1e6 / 8 + 2e5));
}

TEST(StepTail, DualPipeReducesOverBothCopiesOfAStage) {
  // Each rank holds two stages, two million weights, and shares each with 8 replicas here and 8 on the mirror
  // rank's node: 8 MB over 16 GPUs on 2 nodes. NIC: 8 MB / 8 * 1/2 = 5 us; node: 8 MB * 7/8 = 70 us; and 2 *
  // log2(16) = 8 latencies: 78 us.
  const std::vector<TailTask> tail = tail_of({.schedule = "dualpipe"}, 0);
  const TailTask* dense = find(tail, "reduce dense gradients");
  ASSERT_NE(dense, nullptr);
  EXPECT_EQ(dense->bytes, 8e6);
  EXPECT_NEAR(length(*dense), 78, 1e-6);
  EXPECT_DOUBLE_EQ(find(tail, "optimizer update")->bytes, 10 * 2e6 / 16);
  // 8 GPUs hold the experts of a stage once, the mirror ranks a second time: a group of 2.
  const std::vector<TailTask> experts = tail_of({.ep = 8, .schedule = "dualpipe", .expert = 2e5}, 0);
  ASSERT_NE(find(experts, "reduce expert gradients"), nullptr);
  EXPECT_DOUBLE_EQ(find(experts, "optimizer update")->bytes, 10 * (2e6 / 16 + 4e5 / 2));
}

TEST(StepTail, DualPipeJoinsTheShardsOfBothCopiesAfterZeroStageTwo) {
  // In the pipeline 8 replicas reduced 8 MB to 1 MB each; the two copies of that shard meet between two
  // nodes: 1 MB * 1/2 at 100 GB/s, and 2 latencies: 7 us.
  const std::vector<TailTask> tail = tail_of({.zero_stage = 2, .schedule = "dualpipe"}, 0);
  const TailTask* dense = find(tail, "reduce dense gradients");
  ASSERT_NE(dense, nullptr);
  EXPECT_EQ(dense->bytes, 1e6);
  EXPECT_NEAR(length(*dense), 7, 1e-6);
}

TEST(StepTail, ContextParallelRanksShareTheDenseGradients) {
  // 32 GPUs a stage. cp = 2: 16 replicas times 2, on 4 nodes of 8 again: as dp = 32. NIC 4 MB / 8 * 3/4 =
  // 3.75 us, node 35 us, 10 latencies: 45 us. cp = 16 reaches over two nodes and still has 8 GPUs on each.
  for (std::int64_t cp : {1, 2, 16, 32}) {
    const std::vector<TailTask> tail = tail_of({.gpus = 64, .cp = cp}, 0);
    EXPECT_NEAR(length(*find(tail, "reduce dense gradients")), 45, 1e-6) << cp;
    EXPECT_DOUBLE_EQ(find(tail, "optimizer update")->bytes, 10 * 1e6 / 32) << cp;
  }
}

TEST(StepTail, OneReplicaNeedsNoReductionAndNoGather) {
  const std::vector<TailTask> tail = tail_of({.gpus = 2}, 0);
  ASSERT_EQ(tail.size(), 1U);
  EXPECT_EQ(tail[0].name, "optimizer update");
}

TEST(StepTail, NoRankUpdatesBeforeTheLastHasReduced) {
  // Rank 1 ends its pipeline before rank 0, whose last backward waits for it; the norm joins both.
  const double first = find(tail_of({}, 0), "optimizer update")->start_us;
  const double second = find(tail_of({}, 1), "optimizer update")->start_us;
  EXPECT_EQ(first, second);
  EXPECT_NEAR(first, 41, 1e-6);
  EXPECT_LT(find(tail_of({}, 1), "reduce dense gradients")->start_us, 0);
}

}  // namespace
}  // namespace orrery
