#include "sim/hw/shape_correction.hpp"

#include "sim/hw/gpu_profile.hpp"
#include "tests/sim/hw/profile_files.hpp"

namespace orrery::test {
namespace {

double at(const ShapeCorrection& c, std::vector<double> sizes) {
  return c.factor(sizes);
}

// Nodes at m = 16, 64 and n = 8, 32, 128.
ShapeCorrection small_grid() {
  return {.sizes = {"heads", "sequence"},
          .log2_first = {4, 3},
          .log2_step = {2, 2},
          .nodes = {2, 3},
          .log_ratio = {0.1, 0.2, 0.3, -0.1, -0.2, 0}};
}

TEST(ShapeCorrection, IsTheNodesValueThereAndInterpolatesBetween) {
  const ShapeCorrection c = small_grid();
  EXPECT_NEAR(at(c, {16, 8}), std::exp(0.1), 1e-12);
  EXPECT_NEAR(at(c, {16, 32}), std::exp(0.2), 1e-12);
  EXPECT_NEAR(at(c, {64, 32}), std::exp(-0.2), 1e-12);
  EXPECT_NEAR(at(c, {64, 128}), 1, 1e-12);
  // Half way in log2: 32 lies between 16 and 64, 16 between 8 and 32.
  EXPECT_NEAR(at(c, {32, 8}), std::exp(0.0), 1e-12);
  EXPECT_NEAR(at(c, {16, 16}), std::exp(0.15), 1e-12);
  EXPECT_NEAR(at(c, {32, 16}), std::exp((0.1 + 0.2 - 0.1 - 0.2) / 4), 1e-12);
}

TEST(ShapeCorrection, KeepsTheEdgesValueOutside) {
  const ShapeCorrection c = small_grid();
  EXPECT_EQ(at(c, {1, 1}), at(c, {16, 8}));
  EXPECT_EQ(at(c, {1e6, 8}), at(c, {64, 8}));
  EXPECT_EQ(at(c, {16, 1e9}), at(c, {16, 128}));
  EXPECT_EQ(at(ShapeCorrection{}, {1, 2, 3}), 1);
}

/// The complaint about H200 with its BF16 products' correction after `change`.
template <class Change>
std::string complaint(Change change) {
  Json json = shipped_json("gpu", "h200-sxm");
  for (Json& curve : json["operators"])
    if (curve["class"] == Json("gemm.bf16")) change(curve["correction"]);
  const ScratchProfiles scratch;
  const std::filesystem::path path = scratch.write("gpu", "changed", json.dump());
  return input_error([&] { (void)load_gpu_profile(path); });
}

TEST(ShapeCorrection, IsRefusedWithPlaceAndWhatWasExpected) {
  EXPECT_EQ(complaint([](Json&) {}), "");
  std::string text = complaint([](Json& c) { c["log_ratio"].erase(0); });
  expect_has(text, "/correction/log_ratio");
  expect_has(text, "one for each node");
  text = complaint([](Json& c) { c["sizes"] = {"m", "k", "n"}; });
  expect_has(text, "/correction/sizes");
  expect_has(text, "m, n, k");
  text = complaint([](Json& c) { c["log2_step"].erase(0); });
  expect_has(text, "one for each size");
  text = complaint([](Json& c) { c["log_ratio"][5] = 1.5; });
  expect_has(text, "/correction/log_ratio/5");
  text = complaint([](Json& c) { c["nodes"][0] = 0; });
  expect_has(text, "/correction/nodes/0");
  text = complaint([](Json& c) { c["log2_steps"] = c["log2_step"]; });
  expect_has(text, "log2_steps");
}

// A relative's kernels were not measured: what H200's plain products miss says nothing of grouped ones.
TEST(ShapeCorrection, StaysWithTheKernelsThatWereMeasured) {
  const GpuProfile gpu = load_gpu_profile(shipped_root() / "gpu" / "h200-sxm.json");
  EXPECT_FALSE(gpu.find("gemm.bf16")->correction.empty());
  EXPECT_TRUE(gpu.find("wgrad.bf16")->correction.empty());
  EXPECT_TRUE(gpu.find("grouped-gemm.bf16")->correction.empty());
  EXPECT_TRUE(gpu.find("attention.backward")->correction.empty());
}

}  // namespace
}  // namespace orrery::test
