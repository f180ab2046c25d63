// Attention with its scores in memory, dropout, casts of per-tensor FP8 and 16-bit gradients, by hand.
#include <gtest/gtest.h>

#include "tests/sim/workload/work_sums.hpp"
#include "tests/support/toy.hpp"

namespace orrery {
namespace {

constexpr std::int64_t kLength = 64;
constexpr double kScores = 4.0 * 64 * 64;  // 4 heads of the toy model, one sequence

Training training(AttentionKernel attention, bool dropout) {
  return {.global_batch_size = 1, .sequence_length = kLength, .attention = attention, .dropout = dropout};
}

UnitWork dense(const Training& t, const Layout& layout = {}) {
  return test::unit(make_units({.model = test::toy_dense(), .layout = layout, .training = t}),
                    UnitKind::kDense);
}

double bytes_of_op(const std::vector<Op>& ops, const std::string& name) {
  return test::named(ops, name).bytes;
}

TEST(UnfusedAttention, WritesEveryScoreAndReadsItAgain) {
  const UnitWork u = dense(training(AttentionKernel::kUnfused, true));
  const std::vector<Op> f = test::ops_in(test::forward_pieces(u.work));
  const Op scores = test::named(f, "attention scores");
  EXPECT_EQ(scores.groups, 4);
  EXPECT_EQ(scores.m, 64);
  EXPECT_EQ(scores.n, 64);
  EXPECT_EQ(scores.k, 2);  // 8 values in 4 heads
  EXPECT_EQ(scores.output_bytes, 2 * kScores);
  EXPECT_EQ(bytes_of_op(f, "softmax of scores"), 3 * kScores);
  EXPECT_EQ(bytes_of_op(f, "dropout of scores"), 5 * kScores);
  EXPECT_EQ(test::named(f, "attention core").m, -1);
  const std::vector<Op> b = test::ops_in(test::backward_pieces(u.work));
  EXPECT_EQ(bytes_of_op(b, "softmax of scores backward"), 4 * kScores);
  for (const char* name : {"value gradient", "score gradient", "query gradient", "key gradient"})
    EXPECT_EQ(test::named(b, name).flops, 2 * kScores * 2) << name;
}

TEST(UnfusedAttention, ComputesTheWholeSquareWhereAFusedKernelComputesTheTriangle) {
  const auto core = [](const UnitWork& u) {
    return test::flops(test::ops_in(test::forward_pieces(u.work)), [](const Op& op) {
      return test::is_attention(op) || (op.groups == 4 && op.kind == OpKind::kGemm);
    });
  };
  EXPECT_DOUBLE_EQ(core(dense(training(AttentionKernel::kUnfused, false))),
                   2 * core(dense(training(AttentionKernel::kFused, false))));
}

TEST(UnfusedAttention, KeepsFiveBytesPerScoreWithDropoutAsInKorthikantiAndTwoWithout) {
  // Fused: log-sum-exp of 4 heads, 4 bytes a token. Dropout keeps a mask of each block's output: 8 + 8 bytes.
  const double tokens = kLength;
  const double fused = dense(training(AttentionKernel::kFused, false)).kept_bytes;
  EXPECT_EQ(dense(training(AttentionKernel::kUnfused, false)).kept_bytes, fused - 16 * tokens + 2 * kScores);
  EXPECT_EQ(dense(training(AttentionKernel::kUnfused, true)).kept_bytes,
            fused - 16 * tokens + 5 * kScores + 16 * tokens);
  Layout selective;
  selective.recompute = make_recompute({"selective"}, "");
  EXPECT_EQ(dense(training(AttentionKernel::kUnfused, true), selective).kept_bytes,
            fused - 16 * tokens + 16 * tokens);
}

TEST(UnfusedAttention, SelectiveRecomputationRunsItsForwardAgain) {
  Layout selective;
  selective.recompute = make_recompute({"selective"}, "");
  const UnitWork u = dense(training(AttentionKernel::kUnfused, false), selective);
  const std::vector<Op> b = test::ops_in(test::backward_pieces(u.work));
  EXPECT_TRUE(test::named(b, "attention scores").recompute);
  EXPECT_TRUE(test::named(b, "softmax of scores").recompute);
  EXPECT_TRUE(test::named(b, "attention values").recompute);
}

TEST(UnfusedAttention, TensorAndContextRanksShareTheScores) {
  Layout cut;
  cut.tp = 2;
  cut.cp = 4;
  const std::vector<Op> f =
      test::ops_in(test::forward_pieces(dense(training(AttentionKernel::kUnfused, false), cut).work));
  EXPECT_EQ(bytes_of_op(f, "softmax of scores"), 3 * kScores / 8);
}

TEST(Dropout, AddsAMaskForwardAndAPassBackwardToBothBlocks) {
  const UnitWork with = dense(training(AttentionKernel::kFused, true));
  double forward = 0;
  double backward = 0;
  for (const Op& op : test::ops_in(test::forward_pieces(with.work)))
    forward += std::string(op.name) == "dropout mask" ? op.bytes : 0;
  for (const Op& op : test::ops_in(test::backward_pieces(with.work)))
    backward += std::string(op.name) == "dropout backward" ? op.bytes : 0;
  EXPECT_EQ(forward, 2.0 * kLength * 8 * 1);
  EXPECT_EQ(backward, 2.0 * kLength * 8 * 5);
}

TEST(TensorFp8, CastsInputAndGradientOnceBothWaysAndWeightsOnceAStep) {
  Training t = training(AttentionKernel::kFused, false);
  t.precision = Precision::kFp8Tensor;
  const Workload w = make_units({.model = test::toy_dense(), .layout = {}, .training = t});
  const UnitWork& u = test::unit(w, UnitKind::kDense);
  const std::vector<Op> f = test::ops_in(test::forward_pieces(u.work));
  // 64 tokens of 8 values: 2 bytes read, one written by rows, one by columns.
  EXPECT_EQ(bytes_of_op(f, "quantise qkv"), 64.0 * 8 * 4);
  const std::vector<Op> b = test::ops_in(test::backward_pieces(u.work));
  for (const char* name : {"transpose weights", "retile kept input", "unpack attention output"})
    EXPECT_EQ(test::named(b, name).m, -1) << name;
  EXPECT_EQ(test::named(f, "pack attention output").m, -1);
  EXPECT_EQ(w.weight_cast_bytes, 4);
  t.precision = Precision::kFp8Block;
  EXPECT_EQ(make_units({.model = test::toy_dense(), .layout = {}, .training = t}).weight_cast_bytes, 0);
}

TEST(TensorFp8, ExpertsAreDispatchedInBf16AndNothingIsPacked) {
  Training t = training(AttentionKernel::kFused, false);
  t.precision = Precision::kFp8Tensor;
  Layout layout;
  layout.ep = 2;
  const UnitWork u =
      test::unit(make_units({.model = test::toy_moe(), .layout = layout, .training = t}), UnitKind::kMoe);
  const auto width = static_cast<double>(test::toy_moe().hidden);
  for (const CommOp& comm : test::comms_in(test::all_pieces(u.work))) {
    if (comm.axis != Axis::kEp) continue;
    EXPECT_EQ(comm.bytes_per_token, 2 * width) << comm.name;
  }
  const std::vector<Op> ops = test::ops_in(test::all_pieces(u.work));
  for (const char* name : {"quantise dispatch", "pack kept activation inputs", "transpose expert weights",
                           "requantise expert inputs"})
    EXPECT_EQ(test::named(ops, name).m, -1) << name;
  EXPECT_NE(test::named(ops, "cast expert inputs").bytes, 0);
}

TEST(Gradients, In16BitsMoveHalfTheBytes) {
  Training t = training(AttentionKernel::kFused, false);
  Layout layout;
  layout.zero_stage = 2;
  const Workload full = make_units({.model = test::toy_dense(), .layout = layout, .training = t});
  t.gradients = GradientFormat::kBf16;
  const Workload half = make_units({.model = test::toy_dense(), .layout = layout, .training = t});
  const auto result = [](const Workload& w) {
    return test::named(test::ops_in(test::backward_pieces(test::unit(w, UnitKind::kDense).work)),
                       "qkv weight grad")
        .output_bytes;
  };
  EXPECT_EQ(result(full), 8.0 * 8 * 16);
  EXPECT_EQ(result(half), 4.0 * 8 * 16);
  EXPECT_EQ(half.gradient_bytes, 2);
  const auto reduced = [](const Workload& w) {
    return test::comms_in({&test::unit(w, UnitKind::kDense).reduce}).front().bytes;
  };
  EXPECT_EQ(reduced(full), 2 * reduced(half));
}

}  // namespace
}  // namespace orrery
