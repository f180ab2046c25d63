// What the two ways of sending tokens to their experts move, and how often the host is called for experts.
#include <gtest/gtest.h>

#include <string>

#include "tests/sim/workload/work_sums.hpp"
#include "tests/support/deepseek_v3.hpp"
#include "tests/support/toy.hpp"

namespace orrery {
namespace {

struct Ways {
  TokenDispatcher dispatcher = TokenDispatcher::kDeepEp;
  ExpertCalls calls = ExpertCalls::kGrouped;
  Precision precision = Precision::kFp8Block;
  std::int64_t ep = 64;
};

/// A layer of experts of DeepSeek-V3, 4,096 tokens to a rank.
LayerWork layer(const Ways& ways) {
  const ModelSpec v3 = test::v3_model();
  Layout layout = test::v3_layout();
  layout.moe_dispatcher = ways.dispatcher;
  layout.ep = ways.ep;
  Training training = test::v3_training();
  training.precision = ways.precision;
  training.expert_calls = ways.calls;
  return test::unit(make_units({.model = v3, .layout = layout, .training = training}), UnitKind::kMoe).work;
}

std::int64_t calls(const LayerWork& work) {
  std::int64_t sum = 0;
  for (const Segment* piece : test::all_pieces(work)) {
    for (const WorkItem& item : *piece) sum += host_calls(item);
  }
  return sum;
}

double bytes_of(const LayerWork& work, const std::string& name) {
  return test::named(test::ops_in(test::all_pieces(work)), name).bytes;
}

TEST(Dispatcher, TheLibrarySendsACopyForEachOfEightExperts) {
  const LayerWork all = layer({.dispatcher = TokenDispatcher::kAllToAll});
  const std::vector<CommOp> sent = test::comms_in({&all.dispatch_f});
  ASSERT_EQ(sent.size(), 2U);
  // 256 experts x 64 ranks x 4 bytes are told first.
  EXPECT_STREQ(sent[0].name, "gather token counts");
  EXPECT_EQ(sent[0].bytes, 65536);
  EXPECT_TRUE(sent[1].each_copy);
  EXPECT_EQ(sent[1].rank_copies, 8);
  EXPECT_EQ(sent[1].node_copies, 8);
  const LayerWork deepep = layer({});
  const CommOp once = test::comms_in({&deepep.dispatch_f}).at(0);
  EXPECT_FALSE(once.each_copy);
  EXPECT_LT(once.rank_copies, 8);
  EXPECT_EQ(once.bytes_per_token, sent[1].bytes_per_token);
  // 4,096 x 8 rows of 7,392 bytes, against those of the distinct targets.
  EXPECT_DOUBLE_EQ(exchange_bytes(sent[1]), 4096.0 * 8 * 7392);
  EXPECT_DOUBLE_EQ(exchange_bytes(once), 4096 * once.rank_copies * 7392);
}

TEST(Dispatcher, TheLibrarysCopiesAreSortedBeforeAndAddedUpAfter) {
  const LayerWork all = layer({.dispatcher = TokenDispatcher::kAllToAll, .precision = Precision::kBf16});
  // 4,096 tokens and 8 copies of each, 7,168 values of 2 bytes.
  const double pass = 4096.0 * (1 + 8) * 7168 * 2;
  for (const char* name : {"sort tokens by experts", "add up expert outputs", "sort gradients by experts",
                           "add up expert gradients"})
    EXPECT_DOUBLE_EQ(bytes_of(all, name), pass) << name;
  // What arrives is one row a copy, read and written once.
  EXPECT_DOUBLE_EQ(bytes_of(all, "permute tokens"), 4096.0 * 2 * 8 * 7168 * 2);
  EXPECT_EQ(bytes_of(layer({}), "sort tokens by experts"), 0);
}

TEST(Dispatcher, OnOneRankThereIsNothingToChoose) {
  const LayerWork one = layer({.dispatcher = TokenDispatcher::kAllToAll, .ep = 1});
  EXPECT_TRUE(test::comms_in(test::all_pieces(one)).empty());
  EXPECT_EQ(bytes_of(one, "sort tokens by experts"), 0);
}

TEST(ExpertCalls, ALoopCallsEachProductAndEachCastOncePerExpert) {
  // 256 experts on 64 ranks: 4 local ones. 6 products and 4 casts a layer are called 3 times more often.
  const Ways grouped{.precision = Precision::kMxfp8};
  Ways looped = grouped;
  looped.calls = ExpertCalls::kPerExpert;
  EXPECT_EQ(calls(layer(looped)) - calls(layer(grouped)), (6 + 4) * 3);
  // BF16 casts nothing.
  EXPECT_EQ(calls(layer({.calls = ExpertCalls::kPerExpert, .precision = Precision::kBf16})) -
                calls(layer({.precision = Precision::kBf16})),
            6 * 3);
}

TEST(ExpertCalls, TheKernelsThemselvesStayTheSame) {
  const LayerWork grouped = layer({});
  const LayerWork looped = layer({.calls = ExpertCalls::kPerExpert});
  const std::vector<Op> a = test::ops_in(test::all_pieces(grouped));
  const std::vector<Op> b = test::ops_in(test::all_pieces(looped));
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].bytes, b[i].bytes);
    EXPECT_EQ(a[i].flops, b[i].flops);
    EXPECT_EQ(a[i].kernels, b[i].kernels);
  }
}

TEST(ExpertCalls, TheRoutersSmallKernelsAreCalledOneByOne) {
  // As many as DeepSeek's trace has.
  const std::vector<Op> ops = test::ops_in(test::all_pieces(layer({})));
  EXPECT_EQ(test::named(ops, "top-k and bookkeeping").calls, 37);
  EXPECT_EQ(test::named(ops, "router projection").calls, 1);
}

}  // namespace
}  // namespace orrery
