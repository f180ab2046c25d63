#include "sim/layout/check_layout.hpp"

#include <gtest/gtest.h>

#include <string>

#include "sim/base/check.hpp"
#include "tests/support/deepseek_v3.hpp"
#include "tests/support/toy.hpp"

namespace orrery {
namespace {

Training batch(std::int64_t sequences, std::int64_t length = 64) {
  return {.global_batch_size = sequences, .sequence_length = length};
}

void expect_no(const Verdict& v, Reason reason, double needed, double available, const std::string& part) {
  ASSERT_TRUE(v.has_value()) << "accepted, expected: " << part;
  EXPECT_STREQ(to_text(v->reason), to_text(reason)) << v->text;
  EXPECT_EQ(v->needed, needed) << v->text;
  EXPECT_EQ(v->available, available) << v->text;
  EXPECT_NE(v->text.find(part), std::string::npos) << v->text;
  EXPECT_FALSE(v->quantity.empty());
}

TEST(CheckLayout, DeepSeekV3AsPublishedIsAllowed) {
  const Verdict v = check_layout(test::v3_model(), test::v3_layout(), test::v3_training(), test::kV3Gpus);
  EXPECT_FALSE(v.has_value()) << v->text;
}

TEST(CheckLayout, GpusMustFillTensorContextAndPipeline) {
  Layout l;
  l.tp = 2;
  l.pp = 4;
  EXPECT_FALSE(check_layout(test::toy_dense(), l, batch(15), 24).has_value());
  expect_no(check_layout(test::toy_dense(), l, batch(16), 20), Reason::kWorldSize, 8, 20,
            "use 16 or 24 GPUs");
  // Fewer than one pipeline: "0 GPUs" would be no help.
  expect_no(check_layout(test::toy_dense(), l, batch(16), 4), Reason::kWorldSize, 8, 4, "use 8 GPUs");
  expect_no(check_layout(test::toy_dense(), l, batch(16), 0), Reason::kWorldSize, 8, 0, "use 8 GPUs");
}

TEST(CheckLayout, AGivenDataParallelSizeMustAgree) {
  Layout l;
  l.tp = 2;
  l.dp = 4;
  EXPECT_FALSE(check_layout(test::toy_dense(), l, batch(16), 8).has_value());
  expect_no(check_layout(test::toy_dense(), l, batch(16), 16), Reason::kWorldSize, 4, 8, "leave dp = 8");
}

TEST(CheckLayout, GpusMustFillTheExpertGroups) {
  Layout l;
  l.ep = 8;
  l.pp = 2;
  expect_no(check_layout(test::toy_moe(), l, batch(24), 24), Reason::kExpertWorldSize, 16, 24,
            "not a multiple of etp*ep*pp = 1*8*2 = 16");
}

TEST(CheckLayout, TensorParallelismMustDivideTheMatrices) {
  Layout l;
  l.tp = 3;
  expect_no(check_layout(test::toy_dense(), l, batch(3), 3), Reason::kTensorParallel, 3, 4,
            "tp = 3 does not divide attention heads = 4");
  ModelSpec narrow = test::toy_dense();
  narrow.heads = 12;
  narrow.kv_heads = 4;
  expect_no(check_layout(narrow, l, batch(3), 3), Reason::kTensorParallel, 3, 4, "4 key/value heads");
  narrow.kv_heads = 3;
  expect_no(check_layout(narrow, l, batch(3), 3), Reason::kTensorParallel, 3, 16, "feed-forward size = 16");
}

TEST(CheckLayout, MoreTensorRanksThanKeyValueHeadsCopyThem) {
  Layout l;
  l.tp = 4;  // 2 key/value heads: each is held by two ranks
  EXPECT_FALSE(check_layout(test::toy_dense(), l, batch(4), 4).has_value());
}

TEST(CheckLayout, ExpertsMustDivideAndExist) {
  Layout l;
  l.ep = 3;
  expect_no(check_layout(test::toy_moe(), l, batch(3), 3), Reason::kExpertParallel, 3, 8,
            "ep = 3 does not divide the 8 routed experts");
  l.ep = 16;
  expect_no(check_layout(test::toy_moe(), l, batch(16), 16), Reason::kExpertParallel, 16, 8,
            "use at most ep = 8");
  l.ep = 2;
  expect_no(check_layout(test::toy_dense(), l, batch(2), 2), Reason::kExpertParallel, 2, 1, "is dense");
  l.ep = 1;
  l.etp = 3;
  expect_no(check_layout(test::toy_moe(), l, batch(3), 3), Reason::kTensorParallel, 3, 4,
            "expert feed-forward size (etp)");
}

TEST(CheckLayout, StagesNeedLayers) {
  Layout l;
  l.pp = 4;
  l.vpp = 2;
  expect_no(check_layout(test::toy_dense(), l, batch(4), 4), Reason::kPipeline, 8, 4, "use at most 4 stages");
  l.vpp = 1;
  l.stage_layers = {2, 1, 1};
  expect_no(check_layout(test::toy_dense(), l, batch(4), 4), Reason::kPipeline, 4, 4, "lists 3 stages");
  l.stage_layers = {2, 1, 1, 1};
  expect_no(check_layout(test::toy_dense(), l, batch(4), 4), Reason::kPipeline, 4, 5, "with 5 layers");
  l.stage_layers = {2, 0, 1, 1};
  expect_no(check_layout(test::toy_dense(), l, batch(4), 4), Reason::kPipeline, 1, 0, "stage 1 0 layers");
  l.stage_layers = {5, 1, -1, -1};
  ASSERT_TRUE(check_layout(test::toy_dense(), l, batch(4), 4).has_value());
  l.stage_layers = {0, 2, 2, 0};  // embedding alone, head alone
  EXPECT_FALSE(check_layout(test::toy_dense(), l, batch(4), 4).has_value());
}

TEST(CheckLayout, TheBatchMustDivideIntoMicrobatches) {
  Layout l;
  l.microbatch_size = 2;
  // 4 GPUs are dp = 4: 8 sequences at a time.
  expect_no(check_layout(test::toy_dense(), l, batch(20), 4), Reason::kBatch, 8, 20, "nearest: 16 or 24");
  expect_no(check_layout(test::toy_dense(), l, batch(4), 4), Reason::kBatch, 8, 4, "nearest: 8");
  expect_no(check_layout(test::toy_dense(), l, batch(0), 4), Reason::kBatch, 8, 0, "nearest: 8");
  EXPECT_FALSE(check_layout(test::toy_dense(), l, batch(8), 4).has_value());
}

TEST(CheckLayout, TheSequenceMustDivideOverContextRanks) {
  Layout l;
  l.cp = 4;
  // Causal balance pairs an early with a late piece: 8 pieces.
  expect_no(check_layout(test::toy_dense(), l, batch(4, 60), 4), Reason::kContextParallel, 8, 60, "cp = 4");
  EXPECT_FALSE(check_layout(test::toy_dense(), l, batch(4, 64), 4).has_value());
  l.cp = 1;
  l.tp = 4;
  l.sequence_parallel = true;
  expect_no(check_layout(test::toy_dense(), l, batch(4, 62), 4), Reason::kContextParallel, 4, 62,
            "sequence parallelism");
}

TEST(CheckLayout, SizesBelowOneAreABugOfTheLoader) {
  Layout l;
  l.tp = 0;
  EXPECT_THROW((void)check_layout(test::toy_dense(), l, batch(4), 4), InternalError);
}

}  // namespace
}  // namespace orrery
