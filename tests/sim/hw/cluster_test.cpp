#include "sim/hw/cluster.hpp"

#include "tests/sim/hw/profile_files.hpp"

namespace orrery::test {
namespace {

/// The complaint about an H800 cluster after `change`.
template <class Change>
std::string complaint(Change change) {
  Json json = shipped_json("cluster", "h800-sxm-ib400");
  change(json);
  const ScratchProfiles scratch;
  scratch.write("gpu", "h800-sxm", shipped_json("gpu", "h800-sxm").dump());
  scratch.write("cluster", "changed", json.dump());
  return input_error([&] { (void)load_cluster("changed", scratch.folders()); });
}

TEST(Cluster, WritesWhatItReads) {
  const ScratchProfiles scratch;
  for (const char* name : {"h800-sxm-ib400", "h100-sxm-ib400", "a100-sxm-ib200"}) {
    const ClusterProfile first = load_cluster(name, shipped_folders());
    scratch.write("gpu", first.gpu_name, to_json_text(first.gpu));
    scratch.write("cluster", name, to_json_text(first));
    const ClusterProfile second = load_cluster(name, scratch.folders());
    EXPECT_EQ(to_json_text(first), to_json_text(second)) << name;
    EXPECT_EQ(first.expert_all_to_all.dispatch_bytes_per_s.points(),
              second.expert_all_to_all.dispatch_bytes_per_s.points());
    EXPECT_EQ(first.scale_out.bytes_per_s.value, second.scale_out.bytes_per_s.value);
    EXPECT_EQ(to_json_text(first.gpu), to_json_text(second.gpu)) << name;
  }
}

TEST(Cluster, OfH800HasCutNvLinkAndOneNicPerGpu) {
  const ClusterProfile cluster = load_cluster("h800-sxm-ib400", shipped_folders());
  // 400 GB/s both ways, about 160 of 200 GB/s reached; a 400 Gbit/s NIC carries 50 GB/s.
  EXPECT_DOUBLE_EQ(cluster.scale_up.bytes_per_s.value, 200e9);
  EXPECT_DOUBLE_EQ(cluster.scale_up.bytes_per_s.value * cluster.scale_up.efficiency.value, 160e9);
  EXPECT_DOUBLE_EQ(cluster.scale_out.bytes_per_s.value, 400e9 / 8);
  EXPECT_DOUBLE_EQ(cluster.expert_all_to_all.dispatch_bytes_per_s.at(64), 46e9);
  EXPECT_DOUBLE_EQ(cluster.expert_all_to_all.combine_bytes_per_s.at(64), 45e9);
  EXPECT_DOUBLE_EQ(cluster.gpu.sm_count.value, 132);
}

TEST(Cluster, IsFoundByPathToo) {
  const std::string path = (shipped_root() / "cluster" / "a100-sxm-ib200.json").string();
  EXPECT_EQ(load_cluster(path, ProfileFolders{}).gpu.name, "a100-sxm");
}

TEST(Cluster, ComesFromTheFirstFolderThatHoldsIt) {
  const ScratchProfiles scratch;
  Json mine = shipped_json("cluster", "h800-sxm-ib400");
  mine["gpus_per_node"] = 4;
  scratch.write("cluster", "h800-sxm-ib400", mine.dump());
  // The GPU is not in the scratch folder, so the second root supplies it.
  const ProfileFolders both{.roots = {scratch.folders().roots[0], shipped_root()}};
  const ClusterProfile cluster = load_cluster("h800-sxm-ib400", both);
  EXPECT_EQ(cluster.gpus_per_node, 4);
  EXPECT_EQ(cluster.gpu.name, "h800-sxm");
}

TEST(Cluster, NamesTheNearestProfileForAnUnknownOne) {
  const std::string text = input_error([] { (void)load_cluster("h800-sxm-ib40", shipped_folders()); });
  expect_has(text, "found cluster profile 'h800-sxm-ib40'");
  expect_has(text, "a100-sxm-ib200");
  expect_has(text, "did you mean 'h800-sxm-ib400'");
}

TEST(Cluster, NamesTheNearestGpuForAnUnknownOne) {
  const std::string text = complaint([](Json& j) { j["gpu"] = "h880-sxm"; });
  expect_has(text, "#/gpu");
  expect_has(text, "did you mean 'h800-sxm'");
}

TEST(Cluster, RefusesAnEfficiencyAboveOne) {
  const std::string text = complaint([](Json& j) { j["scale_up"]["efficiency"]["value"] = 80; });
  expect_has(text, "#/scale_up/efficiency/value: found 80, expected a share above 0, at most 1");
}

TEST(Cluster, RefusesAnOversubscriptionBelowOne) {
  const std::string text = complaint([](Json& j) { j["oversubscription"]["value"] = 0.5; });
  expect_has(text, "#/oversubscription/value: found 0.5, expected a ratio of at least 1");
}

TEST(Cluster, RefusesAHostLinkWithoutBandwidth) {
  expect_has(complaint([](Json& j) { j["host_link_bytes_per_s"]["value"] = 0; }),
             "#/host_link_bytes_per_s/value: found 0, expected a positive number");
  expect_has(complaint([](Json& j) { j["node_overhead_w"]["value"] = -1; }), "#/node_overhead_w/value");
  expect_has(complaint([](Json& j) { j["switch_radix"]["value"] = 1; }), "#/switch_radix/value");
}

TEST(Cluster, RefusesAllToAllRatesOutOfOrder) {
  const std::string text = complaint([](Json& j) {
    j["expert_all_to_all"]["dispatch_bytes_per_s"] = Json::parse("[[64, 4.6e10], [32, 4.4e10]]");
  });
  expect_has(text, "#/expert_all_to_all/dispatch_bytes_per_s: expected [x, y] points with growing x");
}

TEST(Cluster, RefusesANodeWithoutGpus) {
  expect_has(complaint([](Json& j) { j["gpus_per_node"] = 0; }), "#/gpus_per_node");
}

}  // namespace
}  // namespace orrery::test
