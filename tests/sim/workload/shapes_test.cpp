#include <gtest/gtest.h>

#include "sim/workload/op_builder.hpp"
#include "tests/sim/workload/work_sums.hpp"
#include "tests/support/toy.hpp"

// Matrix shapes of toy models on one GPU, 16 tokens: y[m, n] = x[m, k] w[k, n].

namespace orrery {
namespace {

struct Shape {
  std::int64_t m, n, k;
  bool operator==(const Shape&) const = default;
};

std::vector<Op> ops_of(const ModelSpec& model, UnitKind kind) {
  const Layout layout;
  const Training training{.global_batch_size = 1, .sequence_length = 16};
  const Workload w = make_units({.model = model, .layout = layout, .training = training});
  return test::ops_in(test::all_pieces(test::unit(w, kind).work));
}

Shape shape(const std::vector<Op>& ops, const char* name) {
  const Op op = test::named(ops, name);
  return {op.m, op.n, op.k};
}

TEST(Shapes, GroupedQueryAttentionProjectsQueriesAndFewerKeys) {
  const std::vector<Op> ops = ops_of(test::toy_dense(), UnitKind::kDense);
  // 4 query heads and 2 + 2 key/value heads of width 2: 8 + 8 columns.
  EXPECT_EQ(shape(ops, "qkv projection"), (Shape{16, 16, 8}));
  EXPECT_EQ(shape(ops, "qkv input grad"), (Shape{16, 8, 16}));
  EXPECT_EQ(shape(ops, "qkv weight grad"), (Shape{16, 8, 16}));
  EXPECT_EQ(shape(ops, "output projection"), (Shape{16, 8, 8}));
  // Causal: 4 heads x (2 + 2) x 16 x 16.
  EXPECT_EQ(test::named(ops, "attention core").flops, 4096.0);
  EXPECT_EQ(test::named(ops, "attention core").sequence, 16);
  // 16 tokens x (4 query and output heads, 2 key/value heads) x (2 + 2) x 2 bytes.
  EXPECT_EQ(test::named(ops, "attention core").bytes, 768.0);
}

TEST(Shapes, MultiHeadAttentionProjectsAsManyKeysAsQueries) {
  ModelSpec m = test::toy_dense();
  m.kv_heads = 4;
  EXPECT_EQ(shape(ops_of(m, UnitKind::kDense), "qkv projection"), (Shape{16, 24, 8}));
}

TEST(Shapes, LatentAttentionCompressesAndExpands) {
  const std::vector<Op> ops = ops_of(test::toy_mla(), UnitKind::kDense);
  EXPECT_EQ(shape(ops, "q_a projection"), (Shape{16, 6, 8}));
  EXPECT_EQ(shape(ops, "q_b projection"), (Shape{16, 12, 6}));   // 4 heads x (2 + 1)
  EXPECT_EQ(shape(ops, "kv_a projection"), (Shape{16, 6, 8}));   // 5 and one rotary key
  EXPECT_EQ(shape(ops, "kv_b projection"), (Shape{16, 20, 5}));  // 4 heads x (2 + 3)
  EXPECT_EQ(shape(ops, "output projection"), (Shape{16, 8, 12}));
  EXPECT_EQ(test::named(ops, "attention core").flops, 4.0 * (3 + 3) * 256);
  EXPECT_EQ(test::named(ops, "attention backward").flops, 2.5 * 4 * (3 + 3) * 256);
  EXPECT_TRUE(test::named(ops, "attention core").mla);
  EXPECT_EQ(test::named(ops, "qkv projection").m, -1);
}

TEST(Shapes, WithoutQueryCompressionThereIsOneQueryProjection) {
  ModelSpec m = test::toy_mla();
  m.mla->q_lora_rank = 0;
  const std::vector<Op> ops = ops_of(m, UnitKind::kDense);
  EXPECT_EQ(shape(ops, "q projection"), (Shape{16, 12, 8}));
  EXPECT_EQ(test::named(ops, "q_a projection").m, -1);
  EXPECT_EQ(test::named(ops, "q_b projection").m, -1);
}

TEST(Shapes, GatedFeedForwardHasTwoInputsInOneProduct) {
  const std::vector<Op> gated = ops_of(test::toy_dense(), UnitKind::kDense);
  EXPECT_EQ(shape(gated, "gate and up projection"), (Shape{16, 32, 8}));
  EXPECT_EQ(shape(gated, "down projection"), (Shape{16, 8, 16}));
  ModelSpec plain = test::toy_dense();
  plain.feed_forward = FeedForwardKind::kPlain;
  EXPECT_EQ(shape(ops_of(plain, UnitKind::kDense), "gate and up projection"), (Shape{16, 16, 8}));
}

TEST(Shapes, ExpertsShareTheRowsOutEqually) {
  const std::vector<Op> ops = ops_of(test::toy_moe(), UnitKind::kMoe);
  // 16 tokens x 2 experts over 8 experts: 4 rows each; width 4.
  EXPECT_EQ(shape(ops, "experts gate and up"), (Shape{4, 8, 8}));
  EXPECT_EQ(shape(ops, "experts down"), (Shape{4, 8, 4}));
  EXPECT_EQ(test::named(ops, "experts down").groups, 8);
  EXPECT_EQ(shape(ops, "experts down weight grad"), (Shape{8, 4, 4}));
  EXPECT_EQ(shape(ops, "router projection"), (Shape{16, 8, 8}));
  EXPECT_EQ(shape(ops, "shared gate and up"), (Shape{16, 8, 8}));
  EXPECT_EQ(shape(ops, "shared down"), (Shape{16, 8, 4}));
}

TEST(Shapes, TheHeadMultipliesByTheVocabulary) {
  const std::vector<Op> ops = ops_of(test::toy_dense(), UnitKind::kHead);
  EXPECT_EQ(shape(ops, "output head"), (Shape{16, 32, 8}));
  EXPECT_EQ(shape(ops, "output head input grad"), (Shape{16, 8, 32}));
  EXPECT_EQ(shape(ops, "output head weight grad"), (Shape{32, 8, 16}));
}

TEST(Shapes, AnMtpModuleJoinsTwoHiddenStatesBeforeItsLayer) {
  const std::vector<Op> ops = ops_of(test::toy_mla(), UnitKind::kMtp);
  EXPECT_EQ(shape(ops, "mtp projection"), (Shape{16, 8, 16}));
  EXPECT_EQ(shape(ops, "mtp projection input grad"), (Shape{16, 16, 8}));
  EXPECT_GT(test::named(ops, "experts down").flops, 0);
}

TEST(Shapes, AMatrixProductCountsFlopsAndBytes) {
  // 3 groups of (10 x 20) times (20 x 30): 2 * 3 * 10 * 20 * 30 FLOPs; BF16 in 2 bytes, out 2 bytes.
  const Op op = gemm_op("x", OpKind::kGroupedGemm, Precision::kBf16, 3, 10, 30, 20);
  EXPECT_EQ(op.flops, 36000.0);
  EXPECT_EQ(op.output_bytes, 3 * 300 * 2.0);
  EXPECT_EQ(op.bytes, 3 * (200 + 600) * 2.0 + 1800.0);
  // FP8 operands are one byte; a weight gradient reads and writes four bytes per output.
  const Op weight = gemm_op("x", OpKind::kWeightGemm, Precision::kFp8Block, 1, 10, 30, 20);
  EXPECT_EQ(weight.output_bytes, 300 * 8.0);
  EXPECT_EQ(weight.bytes, 200 + 600 + 2400.0);
}

}  // namespace
}  // namespace orrery
