#include "sim/network/fabric.hpp"

#include <gtest/gtest.h>

#include "tests/support/toy.hpp"

namespace orrery {
namespace {

TEST(Fabric, OneSwitchServesAsManyEndpointsAsItHasPorts) {
  const Fabric f = fat_tree(64, 64, 1);
  EXPECT_EQ(f.switches, 1);
  EXPECT_EQ(f.links, 64);
}

// "Insights into DeepSeek-V3", arXiv 2505.09343, table 3: two layers 2,048 endpoints 96 switches; three
// layers 65,536 endpoints 5,120 switches. NVIDIA's SuperPOD of 1,024 GPUs: 32 leaves and 16 spines.
TEST(Fabric, SwitchesAreThoseOfPublishedNetworks) {
  EXPECT_EQ(fat_tree(2048, 64, 1).switches, 96);
  EXPECT_EQ(fat_tree(65536, 64, 1).switches, 5120);
  EXPECT_EQ(fat_tree(1024, 64, 1).switches, 48);
  EXPECT_EQ(fat_tree(1024, 64, 1).links, 2048);
}

// The same table: 16,384 endpoints in eight planes of two layers have 768 switches.
TEST(Fabric, PlanesAreTreesOfTheirOwn) {
  ClusterProfile c = test::toy_cluster();
  c.topology = "multi-plane-fat-tree";
  EXPECT_EQ(fabric_of(c, 16384).switches, 768);
  c.topology = "fat-tree";
  EXPECT_EQ(fabric_of(c, 16384).layers, 3);
  EXPECT_EQ(fabric_of(c, 16384).switches, 512 + 512 + 256);
}

TEST(Fabric, OneNodeNeedsNone) {
  EXPECT_EQ(fabric_of(test::toy_cluster(), 8).switches, 0);
}

// 3:1: 48 ports down and 16 up; 480 endpoints are 10 leaves and 160 uplinks, 2.5 -> 3 spines.
TEST(Fabric, OversubscriptionSavesSpines) {
  const Fabric f = fat_tree(480, 64, 3);
  EXPECT_EQ(f.switches, 13);
  EXPECT_EQ(f.links, 480 + 160);
}

}  // namespace
}  // namespace orrery
