#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "sim/layout/data_parallel.hpp"
#include "tests/sim/workload/work_sums.hpp"
#include "tests/support/toy.hpp"

namespace orrery {
namespace {

Workload with_zero(std::int64_t stage, std::optional<bool> overlap = {}) {
  Layout layout;
  layout.ep = 4;
  layout.zero_stage = stage;
  layout.overlap_grad_reduce = layout.overlap_param_gather = overlap;
  const Training training{.global_batch_size = 1, .sequence_length = 16};
  static const ModelSpec model = test::toy_moe();
  return make_units({.model = model, .layout = layout, .training = training});
}

double bytes(const std::vector<const Segment*>& pieces, CommKind kind, Axis axis) {
  double sum = 0;
  for (const CommOp& c : test::comms_in(pieces)) sum += c.kind == kind && c.axis == axis ? c.bytes : 0;
  return sum;
}

TEST(Zero, StagesZeroAndOneExchangeNothingPerMicrobatch) {
  for (std::int64_t stage : {0, 1}) {
    for (const UnitWork& u : with_zero(stage).units) {
      for (const CommOp& c : test::comms_in(test::all_pieces(u.work))) EXPECT_EQ(c.axis, Axis::kEp) << u.name;
      EXPECT_TRUE(u.gather.empty() && u.reduce.empty());
    }
  }
}

TEST(Zero, TrafficBesideTheKernelsIsTheSameAsBetweenThem) {
  // The toy MoE unit: 2 bytes per gathered weight, 4 per reduced gradient, dense over dp, experts over
  // theirs.
  for (const UnitWork& u : with_zero(3).units) {
    EXPECT_DOUBLE_EQ(bytes({&u.gather}, CommKind::kAllGather, Axis::kDp), 2 * u.dense_params) << u.name;
    EXPECT_DOUBLE_EQ(bytes({&u.gather}, CommKind::kAllGather, Axis::kExpertDp), 2 * u.expert_params);
    EXPECT_DOUBLE_EQ(bytes({&u.reduce}, CommKind::kReduceScatter, Axis::kDp), 4 * u.dense_params);
    EXPECT_DOUBLE_EQ(bytes({&u.reduce}, CommKind::kReduceScatter, Axis::kExpertDp), 4 * u.expert_params);
    for (const CommOp& c : test::comms_in(test::all_pieces(u.work))) EXPECT_EQ(c.axis, Axis::kEp) << u.name;
  }
  // Overlapped in stage 1: the weights gathered once and the gradients reduced once; in stage 0 there is
  // nothing to gather, and the gradients are all-reduced.
  EXPECT_FALSE(with_zero(1, true).units[1].gather.empty());
  EXPECT_TRUE(with_zero(0, true).units[1].gather.empty());
  EXPECT_EQ(std::get<CommOp>(with_zero(0, true).units[1].reduce[0]).kind, CommKind::kAllReduce);
}

TEST(Zero, WhenDataParallelTrafficRuns) {
  const auto plan = [](std::int64_t stage, std::optional<bool> overlap) {
    Layout layout;
    layout.zero_stage = stage;
    layout.overlap_grad_reduce = layout.overlap_param_gather = overlap;
    const DataParallelPlan p = data_parallel_plan(layout);
    return std::pair{p.gather, p.reduce};
  };
  using enum DataTraffic;
  EXPECT_EQ(plan(0, {}), std::pair(kAfterPipeline, kAfterPipeline));
  EXPECT_EQ(plan(0, true), std::pair(kAfterPipeline, kOnce));
  EXPECT_EQ(plan(1, {}), std::pair(kAfterPipeline, kAfterPipeline));
  EXPECT_EQ(plan(1, true), std::pair(kOnce, kOnce));
  EXPECT_EQ(plan(2, {}), std::pair(kAfterPipeline, kEveryUse));
  EXPECT_EQ(plan(2, true), std::pair(kOnce, kEveryUse));
  EXPECT_EQ(plan(2, false), std::pair(kAfterPipeline, kInChain));
  EXPECT_EQ(plan(3, {}), std::pair(kEveryUse, kEveryUse));
  EXPECT_EQ(plan(3, false), std::pair(kInChain, kInChain));
}

TEST(Zero, StageTwoReducesGradientsInFp32AfterEachUse) {
  for (const UnitWork& u : with_zero(2, false).units) {
    EXPECT_DOUBLE_EQ(bytes(test::all_pieces(u.work), CommKind::kReduceScatter, Axis::kDp),
                     4 * u.dense_params);
    EXPECT_DOUBLE_EQ(bytes(test::all_pieces(u.work), CommKind::kReduceScatter, Axis::kExpertDp),
                     4 * u.expert_params);
    EXPECT_EQ(bytes(test::all_pieces(u.work), CommKind::kAllGather, Axis::kDp), 0);
  }
}

TEST(Zero, StageThreeGathersWeightsBeforeForwardAndBackward) {
  const Workload w = with_zero(3, false);
  for (const UnitWork& u : w.units) {
    const std::vector<const Segment*> forward = test::forward_pieces(u.work);
    const std::vector<const Segment*> backward = test::backward_pieces(u.work);
    for (const auto& way : {forward, backward}) {
      EXPECT_DOUBLE_EQ(bytes(way, CommKind::kAllGather, Axis::kDp), 2 * u.dense_params) << u.name;
      EXPECT_DOUBLE_EQ(bytes(way, CommKind::kAllGather, Axis::kExpertDp), 2 * u.expert_params) << u.name;
    }
    EXPECT_DOUBLE_EQ(bytes(backward, CommKind::kReduceScatter, Axis::kDp), 4 * u.dense_params);
    // Nothing can run before its weights are there.
    ASSERT_FALSE(u.work.attention_f.empty());
    EXPECT_TRUE(std::holds_alternative<CommOp>(u.work.attention_f.front()));
  }
  // 8 experts of 96 weights over 4 ranks.
  EXPECT_EQ(test::unit(w, UnitKind::kMoe).expert_params, 192);
}

}  // namespace
}  // namespace orrery
