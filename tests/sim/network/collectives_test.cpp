#include "sim/network/collectives.hpp"

#include <gtest/gtest.h>

#include "tests/support/toy.hpp"

// Toy cluster: 100 GB/s and 1 us on both tiers unless a test says otherwise.

namespace orrery {
namespace {

constexpr EndpointGroup kOneNode{.size = 4, .per_node = 4, .nodes = 1};
constexpr EndpointGroup kTwoTiers{.size = 16, .per_node = 8, .nodes = 2};
constexpr EndpointGroup kOnePerNode{.size = 8, .per_node = 1, .nodes = 8};
constexpr CollectiveKind kKinds[] = {CollectiveKind::kAllGather, CollectiveKind::kReduceScatter,
                                     CollectiveKind::kAllReduce, CollectiveKind::kAllToAll,
                                     CollectiveKind::kSendRecv};

double time(CollectiveKind kind, double bytes, const EndpointGroup& group,
            const ClusterProfile& cluster = test::toy_cluster()) {
  return collective_cost(kind, Bytes{bytes}, group, cluster).time.value;
}

TEST(Collectives, AnAllGatherInOneNodeMovesAllButTheOwnPart) {
  // 1 GB over 4: 0.75 GB at 100 GB/s = 7.5 ms, and 2 * ceil(log2 4) = 4 us.
  const CollectiveCost c =
      collective_cost(CollectiveKind::kAllGather, Bytes{1e9}, kOneNode, test::toy_cluster());
  EXPECT_NEAR(c.time.value, 7.5e-3 + 4e-6, 1e-15);
  EXPECT_DOUBLE_EQ(c.scale_up_bytes.value, 0.75e9);
  EXPECT_EQ(c.scale_out_bytes.value, 0.0);
}

TEST(Collectives, OneEndpointPerNodeGoesThroughItsNicAlone) {
  // 1 GB over 8 nodes: 7/8 GB at 100 GB/s = 8.75 ms, and 2 * 3 us.
  const CollectiveCost c =
      collective_cost(CollectiveKind::kReduceScatter, Bytes{1e9}, kOnePerNode, test::toy_cluster());
  EXPECT_NEAR(c.time.value, 8.75e-3 + 6e-6, 1e-15);
  EXPECT_EQ(c.scale_up_bytes.value, 0.0);
  EXPECT_DOUBLE_EQ(c.scale_out_bytes.value, 0.875e9);
}

TEST(Collectives, InTwoTiersTheSlowerOneSetsTheTime) {
  // 1.6 GB over 2 nodes of 8: by NIC 1.6/8 * 1/2 = 0.1 GB, inside 1.6 * 7/8 = 1.4 GB. Together each of the
  // 16 receives 15/16 of 1.6 GB = 1.5 GB.
  ClusterProfile cluster = test::toy_cluster();
  CollectiveCost c = collective_cost(CollectiveKind::kAllGather, Bytes{1.6e9}, kTwoTiers, cluster);
  EXPECT_DOUBLE_EQ(c.scale_out_bytes.value, 0.1e9);
  EXPECT_DOUBLE_EQ(c.scale_up_bytes.value, 1.4e9);
  EXPECT_NEAR(c.time.value, 14e-3 + 8e-6, 1e-15);
  cluster.scale_out.bytes_per_s.value = 1e9;  // 0.1 GB now take 100 ms
  EXPECT_NEAR(time(CollectiveKind::kAllGather, 1.6e9, kTwoTiers, cluster), 0.1 + 8e-6, 1e-12);
}

TEST(Collectives, EveryEndpointReceivesEverythingItLacksWhateverTheNodes) {
  for (std::int64_t per_node : {1, 2, 4, 8}) {
    for (std::int64_t nodes : {1, 2, 5, 16}) {
      const EndpointGroup group{.size = per_node * nodes, .per_node = per_node, .nodes = nodes};
      if (group.size == 1) continue;
      const CollectiveCost c =
          collective_cost(CollectiveKind::kAllGather, Bytes{1e9}, group, test::toy_cluster());
      EXPECT_NEAR((c.scale_up_bytes + c.scale_out_bytes).value,
                  1e9 * (1.0 - 1.0 / static_cast<double>(group.size)), 1);
    }
  }
}

TEST(Collectives, AnAllToAllSharesNothingOnTheWay) {
  // 1.6 GB of each over 2 nodes of 8: half of it by the own NIC, 7/16 to the neighbours, 1/16 stays.
  ClusterProfile cluster = test::toy_cluster();
  const CollectiveCost c = collective_cost(CollectiveKind::kAllToAll, Bytes{1.6e9}, kTwoTiers, cluster);
  EXPECT_DOUBLE_EQ(c.scale_out_bytes.value, 0.8e9);
  EXPECT_DOUBLE_EQ(c.scale_up_bytes.value, 0.7e9);
  EXPECT_NEAR(c.time.value, 8e-3 + 8e-6, 1e-15);
  // In one node it moves what an all-gather of the same buffer does.
  EXPECT_DOUBLE_EQ(time(CollectiveKind::kAllToAll, 1e9, kOneNode),
                   time(CollectiveKind::kAllGather, 1e9, kOneNode));
}

TEST(Collectives, AnAllReduceIsTwiceAnAllGather) {
  for (const EndpointGroup& group : {kOneNode, kTwoTiers, kOnePerNode}) {
    EXPECT_DOUBLE_EQ(time(CollectiveKind::kAllReduce, 3e8, group),
                     2 * time(CollectiveKind::kAllGather, 3e8, group));
    EXPECT_DOUBLE_EQ(time(CollectiveKind::kReduceScatter, 3e8, group),
                     time(CollectiveKind::kAllGather, 3e8, group));
    const auto reduce = collective_cost(CollectiveKind::kAllReduce, Bytes{3e8}, group, test::toy_cluster());
    const auto gather = collective_cost(CollectiveKind::kAllGather, Bytes{3e8}, group, test::toy_cluster());
    EXPECT_EQ(reduce.scale_up_bytes, 2.0 * gather.scale_up_bytes);
    EXPECT_EQ(reduce.scale_out_bytes, 2.0 * gather.scale_out_bytes);
  }
}

TEST(Collectives, AMessageTakesItsBytesAndOneLatency) {
  // 50 MB at 100 GB/s = 0.5 ms, and 1 us.
  EXPECT_NEAR(time(CollectiveKind::kSendRecv, 50e6, {.size = 2, .per_node = 1, .nodes = 2}), 0.501e-3, 1e-15);
  ClusterProfile cluster = test::toy_cluster();
  cluster.scale_up.bytes_per_s.value = 200e9;
  cluster.scale_up.latency_s.value = 2e-6;
  EXPECT_NEAR(time(CollectiveKind::kSendRecv, 50e6, {.size = 2, .per_node = 2, .nodes = 1}, cluster),
              0.25e-3 + 2e-6, 1e-15);
}

TEST(Collectives, AloneThereIsNothingToExchange) {
  for (CollectiveKind kind :
       {CollectiveKind::kAllGather, CollectiveKind::kReduceScatter, CollectiveKind::kAllReduce}) {
    const CollectiveCost c = collective_cost(kind, Bytes{1e9}, EndpointGroup{}, test::toy_cluster());
    EXPECT_EQ(c.time.value, 0.0);
    EXPECT_EQ(c.scale_up_bytes.value + c.scale_out_bytes.value, 0.0);
  }
}

TEST(Collectives, EfficiencyAndOversubscriptionCutTheRate) {
  ClusterProfile cluster = test::toy_cluster();
  cluster.scale_up.efficiency.value = 0.8;
  cluster.scale_out.efficiency.value = 0.9;
  cluster.oversubscription.value = 2;
  EXPECT_DOUBLE_EQ(scale_up_rate(cluster).value, 80e9);
  EXPECT_DOUBLE_EQ(scale_out_rate(cluster).value, 45e9);  // oversubscription is between nodes only
}

TEST(Collectives, MoreBandwidthIsNeverSlowerAndMoreBytesNeverFaster) {
  for (CollectiveKind kind : kKinds) {
    for (const EndpointGroup& group : {kOneNode, kTwoTiers, kOnePerNode}) {
      double last = 0;
      for (double bytes : {0.0, 1e3, 1e6, 1e9, 1e11}) {
        const double now = time(kind, bytes, group);
        EXPECT_GE(now, last);
        last = now;
        for (double factor : {1.5, 4.0, 100.0}) {
          ClusterProfile up = test::toy_cluster();
          up.scale_up.bytes_per_s.value *= factor;
          EXPECT_LE(time(kind, bytes, group, up), now);
          ClusterProfile out = test::toy_cluster();
          out.scale_out.bytes_per_s.value *= factor;
          EXPECT_LE(time(kind, bytes, group, out), now);
        }
      }
    }
  }
}

TEST(Collectives, AnEmptyMessageCostsLatencyOnly) {
  EXPECT_DOUBLE_EQ(time(CollectiveKind::kAllGather, 0, kTwoTiers), 8e-6);  // 2 * log2 16 us
  EXPECT_DOUBLE_EQ(time(CollectiveKind::kSendRecv, 0, kOneNode), 1e-6);
  // Five endpoints need three rounds.
  EXPECT_DOUBLE_EQ(time(CollectiveKind::kAllGather, 0, {.size = 5, .per_node = 5, .nodes = 1}), 6e-6);
}

/// The toy cluster with measured all-gathers on 2 and 8 GPUs: 10 us and 50 GB/s, added.
ClusterProfile measured_cluster() {
  ClusterProfile c = test::toy_cluster();
  c.collectives = CollectiveCurves{.link_bytes_per_s = 100e9, .link_latency_s = 1e-6, .curves = {}};
  for (const char* operation : {"all-gather", "all-reduce", "send-recv"}) {
    for (const std::int64_t gpus : {2, 8}) {
      CollectiveCurve curve;
      curve.operation = operation;
      curve.gpus = gpus;
      curve.protocols = {{.latency_s = 10e-6, .bytes_per_s = 50e9, .overlap = 1},
                         {.from_bytes = 1e8, .latency_s = 50e-6, .bytes_per_s = 60e9, .overlap = 1}};
      c.collectives->curves.push_back(curve);
    }
  }
  return c;
}

TEST(MeasuredCollectives, InOneNodeTakeTheTimeOfTheCurve) {
  const ClusterProfile cluster = measured_cluster();
  // 10 MB on 4 of 8: 7.5 MB sent at 50 GB/s = 150 us, and 10 us. An all-reduce sends twice as much.
  EXPECT_NEAR(time(CollectiveKind::kAllGather, 1e7, kOneNode, cluster), 160e-6, 1e-12);
  EXPECT_NEAR(time(CollectiveKind::kAllReduce, 1e7, kOneNode, cluster), 310e-6, 1e-12);
  EXPECT_NEAR(time(CollectiveKind::kSendRecv, 1e7, {.size = 2, .per_node = 2, .nodes = 1}, cluster), 210e-6,
              1e-12);
  // Nobody measured reduce-scatter: from the tier, as before.
  EXPECT_EQ(time(CollectiveKind::kReduceScatter, 1e7, kOneNode, cluster),
            time(CollectiveKind::kReduceScatter, 1e7, kOneNode));
}

TEST(MeasuredCollectives, OverNodesJoinTheCurveWithTheNetwork) {
  ClusterProfile cluster = measured_cluster();
  // 16 MB on 2 nodes of 8: 14 MB sent inside, 280 + 10 us by the curve; through the NIC 1 MB, 10 us and 10
  // us; one round trip between two nodes, 2 us.
  EXPECT_NEAR(time(CollectiveKind::kAllGather, 16e6, kTwoTiers, cluster), 292e-6, 1e-12);
  cluster.scale_out.bytes_per_s.value = 1e9;  // 1 MB now takes 1 ms
  EXPECT_NEAR(time(CollectiveKind::kAllGather, 16e6, kTwoTiers, cluster), 1012e-6, 1e-12);
  EXPECT_EQ(time(CollectiveKind::kAllGather, 16e6, kOnePerNode, cluster),
            time(CollectiveKind::kAllGather, 16e6, kOnePerNode, [] {
              ClusterProfile plain = test::toy_cluster();
              plain.scale_out.bytes_per_s.value = 1e9;
              return plain;
            }()));
}

TEST(MeasuredCollectives, FollowTheLinksOfAScenario) {
  ClusterProfile cluster = measured_cluster();
  cluster.scale_up.bytes_per_s.value *= 2;
  // 7.5 MB at 2 x 50 GB/s = 75 us, and 10 us.
  EXPECT_NEAR(time(CollectiveKind::kAllGather, 1e7, kOneNode, cluster), 85e-6, 1e-12);
}

TEST(MeasuredCollectives, AreNeverSlowerWithMoreBandwidthNorFasterWithMoreBytes) {
  for (CollectiveKind kind : kKinds) {
    for (const EndpointGroup& group : {kOneNode, kTwoTiers, kOnePerNode}) {
      double last = 0;
      for (double bytes = 1; bytes < 1e12; bytes *= 1.7) {
        const double now = time(kind, bytes, group, measured_cluster());
        EXPECT_GE(now, last);
        last = now;
        ClusterProfile up = measured_cluster(), out = measured_cluster();
        up.scale_up.bytes_per_s.value *= 1.5;
        out.scale_out.bytes_per_s.value *= 1.5;
        EXPECT_LE(time(kind, bytes, group, up), now);
        EXPECT_LE(time(kind, bytes, group, out), now);
      }
    }
  }
}

}  // namespace
}  // namespace orrery
