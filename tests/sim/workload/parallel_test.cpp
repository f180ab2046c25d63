#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "tests/sim/workload/work_sums.hpp"
#include "tests/support/deepseek_v3.hpp"
#include "tests/support/toy.hpp"

namespace orrery {
namespace {

using test::flops;

Training one_sequence(std::int64_t length = 4096) {
  return {.global_batch_size = 1, .sequence_length = length};
}

std::vector<Op> ops_of(const ModelSpec& model, const Layout& layout, UnitKind kind,
                       std::int64_t length = 4096) {
  const Training training = one_sequence(length);
  const Workload w = make_units({.model = model, .layout = layout, .training = training});
  return test::ops_in(test::all_pieces(test::unit(w, kind).work));
}

std::vector<CommOp> comms_of(const ModelSpec& model, const Layout& layout, UnitKind kind) {
  const Training training = one_sequence();
  const Workload w = make_units({.model = model, .layout = layout, .training = training});
  return test::comms_in(test::all_pieces(test::unit(w, kind).work));
}

std::size_t count(const std::vector<CommOp>& comms, CommKind kind, Axis axis) {
  return static_cast<std::size_t>(std::count_if(
      comms.begin(), comms.end(), [&](const CommOp& c) { return c.kind == kind && c.axis == axis; }));
}

bool latent_down(const Op& op) {
  return std::strncmp(op.name, "q_a", 3) == 0 || std::strncmp(op.name, "kv_a", 4) == 0;
}

TEST(TensorParallel, DividesAttentionFeedForwardAndHead) {
  const ModelSpec llama = load_model("llama-3-8b", {}).spec;
  for (UnitKind kind : {UnitKind::kDense, UnitKind::kHead}) {
    const std::vector<Op> whole = ops_of(llama, Layout{}, kind);
    for (std::int64_t tp : {2, 4, 8}) {
      Layout l;
      l.tp = tp;
      const std::vector<Op> part = ops_of(llama, l, kind);
      const auto n = static_cast<double>(tp);
      EXPECT_DOUBLE_EQ(flops(part, test::is_linear) * n, flops(whole, test::is_linear)) << tp;
      EXPECT_DOUBLE_EQ(flops(part, test::is_attention) * n, flops(whole, test::is_attention)) << tp;
    }
  }
}

TEST(TensorParallel, LatentDownProjectionsAreDoneByEveryRank) {
  const ModelSpec v3 = test::v3_model();
  const auto cut = [](const Op& op) { return test::is_linear(op) && !latent_down(op); };
  const auto copied = [](const Op& op) { return test::is_linear(op) && latent_down(op); };
  const std::vector<Op> whole = ops_of(v3, Layout{}, UnitKind::kDense);
  EXPECT_GT(flops(whole, copied), 0);
  for (std::int64_t tp : {2, 4, 8}) {
    Layout l;
    l.tp = tp;
    const std::vector<Op> part = ops_of(v3, l, UnitKind::kDense);
    EXPECT_DOUBLE_EQ(flops(part, cut) * static_cast<double>(tp), flops(whole, cut));
    EXPECT_DOUBLE_EQ(flops(part, copied), flops(whole, copied));
  }
}

TEST(ContextParallel, DividesTokensAndAttention) {
  const ModelSpec llama = load_model("llama-3-8b", {}).spec;
  const std::vector<Op> whole = ops_of(llama, Layout{}, UnitKind::kDense);
  Layout l;
  l.cp = 4;
  const std::vector<Op> part = ops_of(llama, l, UnitKind::kDense);
  EXPECT_DOUBLE_EQ(flops(part, test::is_linear) * 4, flops(whole, test::is_linear));
  EXPECT_DOUBLE_EQ(flops(part, test::is_attention) * 4, flops(whole, test::is_attention));
  const std::vector<CommOp> comms = comms_of(llama, l, UnitKind::kDense);
  ASSERT_EQ(count(comms, CommKind::kAllGather, Axis::kCp), 1U);
  EXPECT_EQ(count(comms, CommKind::kReduceScatter, Axis::kCp), 1U);
  for (const CommOp& c : comms) {
    // Keys and values of 4096 tokens, 8 heads of 128 each, BF16.
    EXPECT_EQ(c.axis, Axis::kCp);
    EXPECT_DOUBLE_EQ(c.bytes, 4096.0 * 2 * 8 * 128 * 2);
  }
}

TEST(ExpertParallel, RoutedWorkPerRankStaysWhenBalanced) {
  const ModelSpec v3 = test::v3_model();
  const std::vector<Op> whole = ops_of(v3, Layout{}, UnitKind::kMoe);
  // 4096 tokens x 8 experts x 3 matrices of 7168 x 2048, 2 FLOPs, forward and twice backward.
  EXPECT_DOUBLE_EQ(flops(whole, test::is_grouped), 3.0 * 2 * 4096 * 8 * 3 * 7168 * 2048);
  for (std::int64_t ep : {2, 8, 64, 256}) {
    Layout l;
    l.ep = ep;
    EXPECT_DOUBLE_EQ(flops(ops_of(v3, l, UnitKind::kMoe), test::is_grouped), flops(whole, test::is_grouped));
  }
}

TEST(ExpertParallel, OnlyTensorRanksShareTheRoutedWorkOfASequence) {
  // A GPU's part of the routed work is its part of the tokens: tp ranks hold one sequence together, etp ranks
  // bring etp times the rows at 1/etp of the width. Over all GPUs the work is conserved.
  const ModelSpec v3 = test::v3_model();
  const double whole = flops(ops_of(v3, Layout{}, UnitKind::kMoe), test::is_grouped);
  for (std::int64_t tp : {1, 2, 4, 8}) {
    for (std::int64_t etp : {1, 2, 4, 8}) {
      for (std::int64_t ep : {1, 8}) {
        Layout l;
        l.tp = tp;
        l.etp = etp;
        l.ep = ep;
        const std::vector<Op> part = ops_of(v3, l, UnitKind::kMoe);
        EXPECT_DOUBLE_EQ(flops(part, test::is_grouped) * static_cast<double>(tp), whole)
            << "tp " << tp << " etp " << etp << " ep " << ep;
        EXPECT_EQ(test::named(part, "experts down").k, 2048 / etp);
      }
    }
  }
}

TEST(ExpertParallel, SkewMakesTheBusiestRankWorkMore) {
  const ModelSpec v3 = test::v3_model();
  Layout l;
  l.ep = 64;
  const Training training = one_sequence();
  const Workload w =
      make_units({.model = v3, .layout = l, .training = training, .routing = {Routing::Kind::kSkewed, 1.25}});
  const std::vector<Op> ops = test::ops_in(test::all_pieces(test::unit(w, UnitKind::kMoe).work));
  EXPECT_EQ(test::named(ops, "experts down").m, 4096 * 8 / 4 * 5 / 4);
}

TEST(ExpertParallel, DispatchSendsFp8AndCombineBf16) {
  const ModelSpec v3 = test::v3_model();
  const Layout layout = test::v3_layout();
  const Training training = test::v3_training();
  const Workload w = make_units({.model = v3, .layout = layout, .training = training});
  const LayerWork& moe = test::unit(w, UnitKind::kMoe).work;
  const CommOp dispatch = test::comms_in({&moe.dispatch_f}).at(0);
  const CommOp combine = test::comms_in({&moe.combine_f}).at(0);
  EXPECT_EQ(dispatch.kind, CommKind::kDispatch);
  EXPECT_EQ(dispatch.bytes_per_token, 7168 + 224);  // one FP32 scale per 128 elements
  EXPECT_EQ(combine.bytes_per_token, 14336);
  EXPECT_EQ(dispatch.tokens, 4096);
  // Backward of combine is a dispatch with a known layout, backward of dispatch a combine.
  EXPECT_EQ(test::comms_in({&moe.combine_b}).at(0).kind, CommKind::kDispatchCached);
  EXPECT_EQ(test::comms_in({&moe.dispatch_b}).at(0).kind, CommKind::kCombine);
  EXPECT_TRUE(test::comms_in(test::all_pieces(test::unit(w, UnitKind::kDense).work)).empty());
}

TEST(ExpertParallel, WithoutItNothingIsExchanged) {
  EXPECT_TRUE(comms_of(test::toy_moe(), Layout{}, UnitKind::kMoe).empty());
}

TEST(ExpertParallel, TensorRanksSendTheirOwnTokensToEveryShardOfAnExpert) {
  Layout l;
  l.tp = 4;
  l.ep = 8;
  l.etp = 2;
  l.sequence_parallel = true;
  const std::vector<CommOp> comms = comms_of(test::v3_model(), l, UnitKind::kMoe);
  Layout plain = l;
  plain.etp = 1;
  const std::vector<CommOp> unsharded = comms_of(test::v3_model(), plain, UnitKind::kMoe);
  const auto dispatch = [](const std::vector<CommOp>& all) {
    return *std::find_if(all.begin(), all.end(),
                         [](const CommOp& c) { return c.kind == CommKind::kDispatch; });
  };
  EXPECT_EQ(dispatch(comms).tokens, 1024);
  EXPECT_DOUBLE_EQ(dispatch(comms).rank_copies, 2 * dispatch(unsharded).rank_copies);
}

TEST(TensorParallel, BlocksReduceOnceForwardAndOnceBackward) {
  const ModelSpec llama = load_model("llama-3-8b", {}).spec;
  Layout l;
  l.tp = 4;
  std::vector<CommOp> comms = comms_of(llama, l, UnitKind::kDense);
  EXPECT_EQ(count(comms, CommKind::kAllReduce, Axis::kTp), 4U);  // two blocks, two ways
  EXPECT_EQ(comms.size(), 4U);
  for (const CommOp& c : comms) EXPECT_EQ(c.bytes, 2.0 * 4096 * 4096);
  l.sequence_parallel = true;
  comms = comms_of(llama, l, UnitKind::kDense);
  // Forward, gradient, and the input of each block once more for its weight gradient.
  EXPECT_EQ(count(comms, CommKind::kAllGather, Axis::kTp), 6U);
  EXPECT_EQ(count(comms, CommKind::kReduceScatter, Axis::kTp), 4U);
  EXPECT_EQ(comms.size(), 10U);
  // Each tensor rank looks up its part of the vocabulary only.
  EXPECT_EQ(count(comms_of(llama, l, UnitKind::kEmbedding), CommKind::kReduceScatter, Axis::kTp), 1U);
  EXPECT_TRUE(comms_of(llama, Layout{}, UnitKind::kDense).empty());
}

TEST(TensorParallel, WithSequenceParallelismNormsSeeTheirShareOfRows) {
  const ModelSpec llama = load_model("llama-3-8b", {}).spec;
  Layout l;
  l.tp = 4;
  const double all = test::named(ops_of(llama, l, UnitKind::kDense), "attention norm").bytes;
  l.sequence_parallel = true;
  EXPECT_EQ(test::named(ops_of(llama, l, UnitKind::kDense), "attention norm").bytes * 4, all);
}

}  // namespace
}  // namespace orrery
