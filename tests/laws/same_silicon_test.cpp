// H800 is an H100 with less NVLink. A run on H100 must not come out slower because the two profiles rest on
// measurements of different kernels.
#include <gtest/gtest.h>

#include "tests/laws/real_scenarios.hpp"

namespace orrery {
namespace {

/// Rounding to picoseconds, one per task on the critical path.
constexpr double kRounding = 1e-9;

Scenario moved_to(Scenario s, const char* cluster) {
  s.cluster_ref = cluster;
  s.cluster = load_cluster(cluster, {{std::filesystem::path(ORRERY_SOURCE_DIR) / "hwprofiles"}});
  return s;
}

/// Layouts that lean on different parts of a profile: overlapped pairs on 112 SMs, no overlap on 132, tensor
/// parallelism over NVLink, and every precision that both have.
std::vector<Scenario> hopper_scenarios() {
  std::vector<Scenario> all;
  for (const Scenario& s : test::real_scenarios()) all.push_back(moved_to(s, "h800-sxm-ib400"));
  Scenario lone = all.front();  // V3 without overlapped pairs
  lone.layout.schedule = "1f1b";
  lone.layout.stage_layers.clear();
  all.push_back(lone);
  for (const Precision p : {Precision::kBf16, Precision::kFp8Block, Precision::kFp8Tensor}) {
    Scenario wide = moved_to(test::on_cluster("llama-3-70b", "h800-sxm-ib400", 64), "h800-sxm-ib400");
    wide.layout.tp = 8;
    wide.layout.pp = 4;
    wide.layout.sequence_parallel = true;
    wide.training.global_batch_size = 64;
    wide.training.precision = p;
    all.push_back(wide);
  }
  return all;
}

std::string label(const Scenario& s) {
  return test::name_of(s) + " " + to_text(s.training.precision);
}

TEST(SameSilicon, H100IsNeverSlowerThanH800WithTheSameHostsAndNetwork) {
  for (const Scenario& s : hopper_scenarios()) {
    const Scenario h100 = moved_to(s, "h100-sxm-ib400");
    Scenario same_network = s;
    same_network.cluster.gpu = h100.cluster.gpu;
    same_network.cluster.scale_up = h100.cluster.scale_up;
    EXPECT_LE(test::measured(same_network).step_time_s, test::measured(s).step_time_s * (1 + kRounding))
        << label(s);
  }
}

TEST(SameSilicon, TheShippedH100ClusterIsNeverSlowerThanTheShippedH800Cluster) {
  for (const Scenario& s : hopper_scenarios())
    EXPECT_LE(test::measured(moved_to(s, "h100-sxm-ib400")).step_time_s,
              test::measured(s).step_time_s * (1 + kRounding))
        << label(s);
}

// H200 is an H100 with more and faster memory; its products are measured on itself, with other kernels.
TEST(SameSilicon, V3OnH200IsNotSlowerThanOnH100) {
  for (const Scenario& s : {test::real_scenarios()[0], test::real_scenarios()[1]})
    EXPECT_LE(test::measured(moved_to(s, "h200-sxm-ib400")).step_time_s,
              test::measured(moved_to(s, "h100-sxm-ib400")).step_time_s)
        << label(s);
}

/// What DeepSeek-V3 spends its time in.
TEST(SameSilicon, H100AndH800NameTheSameKernels) {
  const GpuProfile h100 = moved_to({}, "h100-sxm-ib400").cluster.gpu;
  const GpuProfile h800 = moved_to({}, "h800-sxm-ib400").cluster.gpu;
  for (const char* name : {"gemm.fp8-block", "grouped-gemm.fp8-block", "wgrad.fp8-block", "memory.quantize",
                           "grouped-wgrad.fp8-block", "attention-mla.forward", "attention-mla.backward"}) {
    ASSERT_NE(h100.find(name), nullptr) << name;
    ASSERT_NE(h800.find(name), nullptr) << name;
    EXPECT_FALSE(h100.find(name)->kernels.empty()) << name;
    EXPECT_EQ(h100.find(name)->kernels, h800.find(name)->kernels) << name;
  }
}

}  // namespace
}  // namespace orrery
