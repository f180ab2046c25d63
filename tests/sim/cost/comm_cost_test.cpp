#include "sim/cost/comm_cost.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "sim/base/check.hpp"
#include "tests/support/toy.hpp"

// Toy cluster: 100 GB/s and 1 us everywhere, expert kernels at 100 GB/s after 3, 2 and 1 us to
// notify (dispatch, cached dispatch, combine).

namespace orrery {
namespace {

constexpr EndpointGroup kEightNodes{.size = 64, .per_node = 8, .nodes = 8};
constexpr EndpointGroup kOneNode{.size = 8, .per_node = 8, .nodes = 1};

/// 1000 tokens of 10 kB to 4 nodes and 6 ranks.
CommOp exchange(CommKind kind) {
  return {.kind = kind,
          .axis = Axis::kEp,
          .tokens = 1000,
          .bytes_per_token = 10e3,
          .node_copies = 4,
          .rank_copies = 6};
}

TEST(CommCost, AnExpertDispatchPaysForDistinctNodesOrRanksWhicheverIsSlower) {
  // Between nodes 1000 x 4 x 10 kB = 40 MB, inside 60 MB at 100 GB/s: 0.6 ms, and 3 us to notify.
  ClusterProfile cluster = test::toy_cluster();
  const CommCost c = comm_cost(exchange(CommKind::kDispatch), kEightNodes, cluster);
  EXPECT_NEAR(c.alone.value, 0.603e-3, 1e-12);
  EXPECT_DOUBLE_EQ(c.scale_up_bytes.value, 60e6);
  EXPECT_DOUBLE_EQ(c.scale_out_bytes.value, 40e6 * 7 / 8);  // the own node is not sent to by NIC
  // The NIC of the expert kernels at 20 GB/s: 2 ms.
  cluster.expert_all_to_all.dispatch_bytes_per_s = Curve({{64.0, 20e9}});
  EXPECT_NEAR(comm_cost(exchange(CommKind::kDispatch), kEightNodes, cluster).alone.value, 2.003e-3, 1e-12);
  EXPECT_NEAR(comm_cost(exchange(CommKind::kCombine), kEightNodes, cluster).alone.value, 0.601e-3, 1e-12);
}

TEST(CommCost, CopiesByTheLibraryTravelOneByOne) {
  // 1000 x 8 copies of 10 kB: 80 MB, of which 7/8 leave the node at 100 GB/s: 0.7 ms; 6 hops twice at 1 us.
  CommOp op = exchange(CommKind::kDispatch);
  op.node_copies = op.rank_copies = 8;
  op.each_copy = true;
  const CommCost c = comm_cost(op, kEightNodes, test::toy_cluster());
  EXPECT_NEAR(c.alone.value, 0.7e-3 + 12e-6, 1e-12);
  EXPECT_NEAR(c.moving.value, 0.7e-3, 1e-12);
  EXPECT_DOUBLE_EQ(c.scale_out_bytes.value, 70e6);
  EXPECT_DOUBLE_EQ(c.scale_up_bytes.value, 80e6 * 7 / 64);
}

TEST(CommCost, TheRateFollowsTheNumberOfRanks) {
  ClusterProfile cluster = test::toy_cluster();
  cluster.expert_all_to_all.combine_bytes_per_s = Curve({{16.0, 10e9}, {64.0, 40e9}});
  const EndpointGroup four{.size = 32, .per_node = 8, .nodes = 4};
  // Half way between 16 and 64 in log: 20 GB/s, 40 MB: 2 ms.
  EXPECT_NEAR(comm_cost(exchange(CommKind::kCombine), four, cluster).alone.value, 2.001e-3, 1e-12);
}

TEST(CommCost, EachKindOfExchangePaysItsOwnNotify) {
  ClusterProfile cluster = test::toy_cluster();
  cluster.expert_all_to_all.notify_dispatch_s = test::toy_number(150e-6);
  cluster.expert_all_to_all.notify_cached_s = test::toy_number(30e-6);
  cluster.expert_all_to_all.notify_combine_s = test::toy_number(40e-6);
  EXPECT_NEAR(comm_cost(exchange(CommKind::kDispatch), kEightNodes, cluster).alone.value, 0.75e-3, 1e-12);
  EXPECT_NEAR(comm_cost(exchange(CommKind::kDispatchCached), kEightNodes, cluster).alone.value, 0.63e-3,
              1e-12);
  EXPECT_NEAR(comm_cost(exchange(CommKind::kCombine), kEightNodes, cluster).alone.value, 0.64e-3, 1e-12);
  // Inside a node there is one link latency instead.
  cluster.scale_up.latency_s = test::toy_number(2e-6);
  EXPECT_NEAR(comm_cost(exchange(CommKind::kDispatch), kOneNode, cluster).alone.value, 0.602e-3, 1e-12);
}

TEST(CommCost, InsideANodeNothingGoesThroughTheNic) {
  const CommCost c = comm_cost(exchange(CommKind::kDispatch), kOneNode, test::toy_cluster());
  EXPECT_EQ(c.scale_out_bytes.value, 0);
  EXPECT_EQ(c.nic_share, 0);
}

TEST(CommCost, DeepSeekV3ExchangesTakeTheMeasuredTimes) {
  // 4096 tokens to 3.629 nodes: FP8 7392 B at 46 GB/s 2389 us, BF16 14336 B at 45 GB/s 4735 us; NVLink is
  // faster.
  ClusterProfile cluster = test::toy_cluster();
  ExpertAllToAll& a = cluster.expert_all_to_all;
  a.dispatch_bytes_per_s = Curve({{64.0, 46e9}});
  a.combine_bytes_per_s = Curve({{64.0, 45e9}});
  a.nvlink_dispatch_bytes_per_s = 153e9;
  a.nvlink_combine_bytes_per_s = 158e9;
  CommOp op{.kind = CommKind::kDispatchCached,
            .tokens = 4096,
            .bytes_per_token = 7392,
            .node_copies = 3.629,
            .rank_copies = 7.38};
  EXPECT_NEAR(comm_cost(op, kEightNodes, cluster).alone.value, 2389e-6 + 2e-6, 1e-6);
  op.kind = CommKind::kCombine;
  op.bytes_per_token = 14336;
  EXPECT_NEAR(comm_cost(op, kEightNodes, cluster).alone.value, 4735e-6 + 1e-6, 1e-6);
}

TEST(CommCost, CollectivesAndMessagesUseTheNetworkModel) {
  const EndpointGroup pair{.size = 2, .per_node = 1, .nodes = 2};
  const CommCost message =
      comm_cost({.kind = CommKind::kSendRecv, .axis = Axis::kPp, .bytes = 1e8}, pair, test::toy_cluster());
  EXPECT_NEAR(message.alone.value, 1.001e-3, 1e-12);  // 100 MB at 100 GB/s and 1 us
  EXPECT_NEAR(message.nic_share, 1e-3 / 1.001e-3, 1e-12);
  const CommCost reduce = comm_cost({.kind = CommKind::kAllReduce, .axis = Axis::kTp, .bytes = 8e8}, kOneNode,
                                    test::toy_cluster());
  EXPECT_NEAR(reduce.alone.value, 2 * (7e-3 + 6e-6), 1e-12);  // twice 7/8 of 0.8 GB, twice 2 * 3 us
  EXPECT_EQ(reduce.nic_share, 0);
  const CommCost alone = comm_cost({.kind = CommKind::kAllGather, .bytes = 8e8}, {}, test::toy_cluster());
  EXPECT_EQ(alone.alone.value, 0);
  EXPECT_EQ(alone.nic_share, 0);
}

TEST(CommCost, ContentionFollowsTheLongestName) {
  ClusterProfile cluster = test::toy_cluster();
  cluster.gpu.contention = {{.op_class = "communication.dispatch", .slowdown = test::toy_number(1.8)},
                            {.op_class = "communication.dispatch-cached", .slowdown = test::toy_number(1.4)}};
  cluster.expert_all_to_all.notify_dispatch_s.value = 0;
  cluster.expert_all_to_all.notify_cached_s.value = 0;
  EXPECT_EQ(comm_cost(exchange(CommKind::kDispatch), kEightNodes, cluster).beside_compute, 1.8);
  EXPECT_EQ(comm_cost(exchange(CommKind::kDispatchCached), kEightNodes, cluster).beside_compute, 1.4);
  EXPECT_EQ(comm_cost(exchange(CommKind::kCombine), kEightNodes, cluster).beside_compute, 1.0);
}

// A notify as long as the transfer: only half of the call is slowed 1.8 times, so the call takes 1.4 times as
// long.
TEST(CommCost, ContentionSparesTheNotify) {
  ClusterProfile cluster = test::toy_cluster();
  cluster.gpu.contention = {{.op_class = "communication.dispatch", .slowdown = test::toy_number(1.8)}};
  cluster.expert_all_to_all.notify_dispatch_s.value = 0;
  const double transfer = comm_cost(exchange(CommKind::kDispatch), kEightNodes, cluster).alone.value;
  cluster.expert_all_to_all.notify_dispatch_s.value = transfer;
  EXPECT_NEAR(comm_cost(exchange(CommKind::kDispatch), kEightNodes, cluster).beside_compute, 1.4, 1e-12);
}

TEST(CommCost, MoreTokensAreNeverFasterAndMoreRateNeverSlower) {
  for (CommKind kind : {CommKind::kDispatch, CommKind::kDispatchCached, CommKind::kCombine}) {
    for (const EndpointGroup& group : {kOneNode, kEightNodes}) {
      double last = 0;
      for (double tokens : {0.0, 1.0, 1e3, 1e5}) {
        CommOp op = exchange(kind);
        op.tokens = tokens;
        const double now = comm_cost(op, group, test::toy_cluster()).alone.value;
        EXPECT_GE(now, last);
        last = now;
        ClusterProfile fast = test::toy_cluster();
        fast.expert_all_to_all.nvlink_dispatch_bytes_per_s *= 2;
        fast.expert_all_to_all.nvlink_combine_bytes_per_s *= 2;
        EXPECT_LE(comm_cost(op, group, fast).alone.value, now);
      }
    }
  }
}

TEST(NicSlowdown, TransfersThatFitTogetherDoNotHurtEachOther) {
  EXPECT_EQ(nic_slowdown(0.4, 0.6), 1);
  EXPECT_EQ(nic_slowdown(0, 1), 1);
  EXPECT_EQ(nic_slowdown(1, 0), 1);
}

TEST(NicSlowdown, MaxMinGivesTheSmallOneAllAndTheLargeOneTheRest) {
  // 0.3 wants less than half and gets it; 1.0 gets 0.7: 1/0.7.
  EXPECT_EQ(nic_slowdown(0.3, 1.0), 1);
  EXPECT_DOUBLE_EQ(nic_slowdown(1.0, 0.3), 1 / 0.7);
  // Both want more than half: half each.
  EXPECT_DOUBLE_EQ(nic_slowdown(1.0, 1.0), 2);
  EXPECT_DOUBLE_EQ(nic_slowdown(0.8, 0.6), 1.6);
  EXPECT_DOUBLE_EQ(nic_slowdown(0.6, 0.8), 1.2);
}

TEST(NicSlowdown, TheSharesGrantedNeverExceedTheNic) {
  for (int i = 1; i <= 20; ++i) {
    for (int j = 1; j <= 20; ++j) {
      const double a = i / 20.0;
      const double b = j / 20.0;
      const double granted = a / nic_slowdown(a, b) + b / nic_slowdown(b, a);
      EXPECT_LE(granted, 1 + 1e-12);
      EXPECT_NEAR(granted, std::min(1.0, a + b), 1e-12);  // nothing is left unused either
    }
  }
}

TEST(NicSlowdown, AShareAboveOneIsABug) {
  EXPECT_THROW((void)nic_slowdown(1.1, 0.5), InternalError);
  EXPECT_THROW((void)nic_slowdown(0.5, -0.1), InternalError);
}

// A measured exchange inside a node: 10 us, links of 100 GB/s, SMs of 10 GB/s each, measured on 4 to 20 SMs.
TEST(CommCost, AMeasuredExchangeCountsTheSmsItIsGiven) {
  ClusterProfile cluster = test::toy_cluster();
  ExchangeCurve c;
  c.latency_s = 10e-6;
  c.bytes_per_s = 100e9;
  c.sm_bytes_per_s = 10e9;
  c.sm_overlap = 100;  // the slower of the two
  c.least_sms = 4;
  c.most_sms = 20;
  c.link_bytes_per_s = 100e9;
  c.link_latency_s = 1e-6;
  cluster.expert_all_to_all.in_node_dispatch = c;
  cluster.expert_all_to_all.sm_count = 20;
  const CommOp op{.kind = CommKind::kDispatch,
                  .axis = Axis::kEp,
                  .tokens = 1000,
                  .bytes_per_token = 1e4,
                  .node_copies = 1,
                  .rank_copies = 4};
  const auto alone = [&](std::int64_t sms) {
    return comm_cost(op, {.size = 8, .per_node = 8, .nodes = 1}, cluster, sms).alone.value;
  };
  EXPECT_NEAR(alone(0), 410e-6, 1e-9);    // 40 MB at 100 GB/s; 20 SMs would do 200
  EXPECT_NEAR(alone(5), 810e-6, 1e-9);    // 5 SMs: 50 GB/s
  EXPECT_NEAR(alone(2), 1010e-6, 1e-9);   // fewer than measured: as 4, 40 GB/s
  EXPECT_NEAR(alone(100), 410e-6, 1e-9);  // more than measured: as 20
  // Two nodes: the curve is of one, so the rates of the table count: 40 MB at 100 GB/s and 3 us before.
  const CommCost two = comm_cost(op, {.size = 16, .per_node = 8, .nodes = 2}, cluster);
  EXPECT_NEAR(two.alone.value, 403e-6, 1e-9);
}

}  // namespace
}  // namespace orrery
