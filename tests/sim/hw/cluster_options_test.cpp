// What a buyer changes of a cluster, and that it changes what it should.
#include "sim/hw/cluster_options.hpp"

#include <gtest/gtest.h>

#include "sim/base/check.hpp"
#include "sim/network/collectives.hpp"
#include "sim/network/fabric.hpp"

namespace orrery {
namespace {

ClusterProfile h800() {
  return load_cluster("h800-sxm-ib400", {.roots = {ORRERY_SOURCE_DIR "/hwprofiles"}});
}

ClusterProfile with(const ClusterOptions& options) {
  ClusterProfile c = h800();
  apply_options(c, options, "cluster");
  return c;
}

TEST(ClusterOptions, NothingChosenChangesNothing) {
  EXPECT_EQ(to_json_text(with({})), to_json_text(h800()));
  const ClusterOptions same{.gpus_per_node = 8, .nics_per_gpu = 1, .oversubscription = 1, .power_cap_w = 700};
  EXPECT_EQ(to_json_text(with(same)), to_json_text(h800()));
  EXPECT_EQ(with(same).gpu.power.board_cap_w, 0);
}

TEST(ClusterOptions, NicsMultiplyTheRatesBetweenNodesAndThePorts) {
  const ClusterProfile two = with({.nics_per_gpu = 2});
  EXPECT_DOUBLE_EQ(two.scale_out.bytes_per_s.value, 100e9);
  EXPECT_DOUBLE_EQ(two.expert_all_to_all.dispatch_bytes_per_s.at(64),
                   2 * h800().expert_all_to_all.dispatch_bytes_per_s.at(64));
  EXPECT_DOUBLE_EQ(two.expert_all_to_all.nvlink_dispatch_bytes_per_s,
                   h800().expert_all_to_all.nvlink_dispatch_bytes_per_s);
  // 8 planes of 512 endpoints instead of 256: 8 of 64 ports need 24 switches a plane instead of 12.
  EXPECT_EQ(fabric_of(h800(), 2048).switches, 96);
  EXPECT_EQ(fabric_of(two, 2048).switches, 192);
  EXPECT_EQ(two.scale_out.bytes_per_s.origin, Origin::kAssumed);
}

TEST(ClusterOptions, OversubscriptionDividesWhatAllNodesGetAtOnce) {
  const ClusterProfile four = with({.oversubscription = 4});
  EXPECT_DOUBLE_EQ(scale_out_rate(four).value, scale_out_rate(h800()).value / 4);
  EXPECT_DOUBLE_EQ(four.expert_all_to_all.combine_bytes_per_s.at(64),
                   h800().expert_all_to_all.combine_bytes_per_s.at(64) / 4);
  EXPECT_LT(fabric_of(four, 2048).switches, fabric_of(h800(), 2048).switches);
}

TEST(ClusterOptions, ALargerNodeHasTheOverheadOfAllItsGpus) {
  const ClusterProfile c = with({.gpus_per_node = 72});
  EXPECT_EQ(c.gpus_per_node, 72);
  EXPECT_DOUBLE_EQ(c.node_overhead_w.value, 9 * h800().node_overhead_w.value);
}

TEST(ClusterOptions, CapsOutsideTheBoardAreRefused) {
  for (const double watts : {0.5, 701.0, 1e6}) {
    try {
      (void)with({.power_cap_w = watts});
      FAIL() << watts;
    } catch (const InputError& error) {
      EXPECT_EQ(error.place(), "cluster/power_cap_w");
      EXPECT_NE(error.problem().find("at most 700 W"), std::string::npos) << error.problem();
    }
  }
}

TEST(ClusterOptions, Text) {
  EXPECT_EQ(to_text(ClusterOptions{}), "");
  EXPECT_EQ(to_text(ClusterOptions{.gpus_per_node = 72, .nics_per_gpu = 0.5}),
            "72 GPUs per node, 0.5 NICs per GPU");
}

}  // namespace
}  // namespace orrery
