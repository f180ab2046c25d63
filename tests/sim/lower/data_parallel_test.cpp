// Gathering of weights and reducing of gradients beside the pipeline's work, by hand.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/engine/engine.hpp"
#include "sim/lower/lower.hpp"
#include "sim/schedule/generators.hpp"
#include "tests/support/hand_made.hpp"

namespace orrery {
namespace {

using test::act;
using test::HandMade;
using test::us;

/// 1.6 MB over the 8 GPUs of a toy node: 1.6e6 * 7/8 at 100 GB/s and 6 latencies of 1 us are 20 us.
CommOp traffic(const char* name, CommKind kind) {
  return {.name = name, .kind = kind, .axis = Axis::kDp, .bytes = 1.6e6};
}

/// One rank with a stage of `units` layers: forward 30, input gradient 30, weight gradient 30, gather 20,
/// reduce 20 microseconds.
struct OneStage : HandMade {
  OneStage(std::size_t units, std::int64_t zero_stage)
      : HandMade(1, std::vector<UnitWork>(units, test::plain_unit(30, 30, 30))) {
    workload.stages = {{.units = {}, .first_layer = 0, .layers = static_cast<std::int64_t>(units)}};
    for (std::size_t u = 0; u < units; ++u) {
      workload.units[u].gather = {traffic("gather weights", CommKind::kAllGather)};
      workload.units[u].reduce = {traffic("reduce gradients", CommKind::kReduceScatter)};
      workload.stages[0].units.push_back(u);
    }
    layout.zero_stage = zero_stage;
  }
};

std::vector<double> starts(const LoweredStep& step, const Timeline& t, Lane lane) {
  std::vector<double> all;
  for (const TaskId task : step.graph.lane_tasks(step.lane(RankId{0}, lane))) {
    if (step.item_of(task) != nullptr) all.push_back(us(t.start[task.at()]));
  }
  return all;
}

TEST(DataParallel, WeightsArriveOneUnitAheadAndNoFurther) {
  // Gathers 0-20 and 20-40 at once; the third has no room until the first unit has ended, at 50. Kernels
  // 20-50, 50-80, 80-110. The second microbatch's first unit is gathered when the last unit but one has
  // ended, 80-100, its second when the last has, 110-130, its third at 140. Kernels 110-200 without a wait.
  OneStage made(3, 3);
  const LoweredStep step = made.lower(
      test::one_rank({alone(act(ActionKind::kForward, 0, 0)), alone(act(ActionKind::kForward, 0, 1))}));
  const Timeline t = run(step.graph);
  EXPECT_EQ(starts(step, t, Lane::kGather), (std::vector<double>{0, 20, 50, 80, 110, 140}));
  EXPECT_EQ(starts(step, t, Lane::kCompute), (std::vector<double>{20, 50, 80, 110, 140, 170}));
  EXPECT_EQ(us(t.makespan), 200);
}

TEST(DataParallel, GradientsLeaveBesideTheNextUnit) {
  // ZeRO 2, one whole backward of two units: kernels 0-30-60 and 60-90-120, reductions 60-80 and 120-140. The
  // step ends at 120; only what follows the pipeline waits for the last reduction.
  OneStage made(2, 2);
  const LoweredStep step = made.lower(
      test::one_rank({alone(act(ActionKind::kBackward, 0, 0)), alone(act(ActionKind::kForward, 0, 1))}));
  const Timeline t = run(step.graph);
  EXPECT_EQ(starts(step, t, Lane::kReduce), (std::vector<double>{60, 120}));
  EXPECT_EQ(us(end_of(step.steps[0], step, t)), 120);
  EXPECT_EQ(us(t.start[step.steps[1].begin.at()]), 120);
}

TEST(DataParallel, OncePerStepGathersBeforeTheFirstForwardAndReducesAfterTheLastBackward) {
  // ZeRO 1, overlapped, two microbatches of one unit as GPipe: F0 waits for the gather, 20-50, F1 50-80, B0
  // 80-140, B1 140-200 with the only reduction behind it.
  OneStage made(1, 1);
  made.layout.overlap_grad_reduce = made.layout.overlap_param_gather = true;
  const LoweredStep step = made.lower(make_schedule("gpipe", 1, 1, 2));
  const Timeline t = run(step.graph);
  EXPECT_EQ(starts(step, t, Lane::kGather), (std::vector<double>{0}));
  EXPECT_EQ(starts(step, t, Lane::kReduce), (std::vector<double>{200}));
  EXPECT_EQ(us(t.start[step.steps[1].begin.at()]), 50);
}

TEST(DataParallel, TheUpdateWaitsForTheLastReductionBesideThePipeline) {
  OneStage made(1, 1);
  made.workload.units[0].dense_params = 4e5;
  made.layout.overlap_grad_reduce = true;
  made.tail = true;
  const LoweredStep step = made.lower(make_schedule("gpipe", 1, 1, 1));
  const Timeline t = run(step.graph);
  // F 0-30, B 30-90, reduction 90-110, and only then the update; no second reduction after the pipeline.
  for (std::size_t task = step.tail_begin.at(); task < step.graph.task_count(); ++task) {
    const CostedItem* item = step.item_of(TaskId{task});
    if (item == nullptr) continue;
    EXPECT_NE(std::string(item->name), "reduce dense gradients");
    if (item->kind == TaskKind::kOptimizer) {
      EXPECT_EQ(us(t.start[task]), 110);
    }
  }
}

}  // namespace
}  // namespace orrery
