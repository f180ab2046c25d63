#include "sim/hw/gpu_profile.hpp"

#include "tests/sim/hw/profile_files.hpp"

namespace orrery::test {
namespace {

Json h800() {
  return shipped_json("gpu", "h800-sxm");
}

/// The complaint about an H800 profile after `change`.
template <class Change>
std::string complaint(Change change) {
  Json json = h800();
  change(json);
  const ScratchProfiles scratch;
  const std::filesystem::path path = scratch.write("gpu", "changed", json.dump());
  return input_error([&] { (void)load_gpu_profile(path); });
}

TEST(GpuProfile, WritesWhatItReads) {
  const ScratchProfiles scratch;
  for (const char* name : {"h800-sxm", "h100-sxm", "a100-sxm"}) {
    const GpuProfile first = load_gpu_profile(shipped_root() / "gpu" / (std::string(name) + ".json"));
    const std::filesystem::path copy = scratch.write("gpu", name, to_json_text(first));
    const GpuProfile second = load_gpu_profile(copy);
    EXPECT_EQ(to_json_text(first), to_json_text(second)) << name;
    ASSERT_EQ(first.operators.size(), second.operators.size());
    for (std::size_t i = 0; i < first.operators.size(); ++i) {
      const OperatorCurve& a = first.operators[i];
      const OperatorCurve& b = second.operators[i];
      EXPECT_EQ(a.flops_per_s, b.flops_per_s) << a.op_class;
      EXPECT_EQ(a.tiles, b.tiles) << a.op_class;
      EXPECT_EQ(a.bytes_per_s, b.bytes_per_s) << a.op_class;
      EXPECT_EQ(a.flops_per_s_by_sequence.points(), b.flops_per_s_by_sequence.points()) << a.op_class;
      EXPECT_EQ(a.median_error, b.median_error) << a.op_class;
      EXPECT_EQ(a.origin, b.origin) << a.op_class;
    }
  }
}

TEST(GpuProfile, FindsAClassByItsFullNameOnly) {
  const GpuProfile gpu = load_gpu_profile(shipped_root() / "gpu" / "h800-sxm.json");
  ASSERT_NE(gpu.find("gemm.fp8-block"), nullptr);
  EXPECT_EQ(gpu.find("gemm.fp8-block")->op_class, "gemm.fp8-block");
  EXPECT_EQ(gpu.find("gemm"), nullptr);
  EXPECT_EQ(gpu.find("gemm.mxfp8"), nullptr);
}

Contention slowdown(const std::string& op_class, double factor) {
  Contention entry;
  entry.op_class = op_class;
  entry.slowdown.value = factor;
  return entry;
}

TEST(GpuProfile, TakesTheLongestPrefixForContention) {
  GpuProfile gpu;
  gpu.contention = {slowdown("communication.dispatch", 1.8), slowdown("communication.dispatch-cached", 1.4),
                    slowdown("gemm", 1.1)};
  EXPECT_EQ(gpu.contention_factor("communication.dispatch"), 1.8);
  EXPECT_EQ(gpu.contention_factor("communication.dispatch-cached"), 1.4);
  EXPECT_EQ(gpu.contention_factor("gemm.bf16"), 1.1);
  EXPECT_EQ(gpu.contention_factor("grouped-gemm.bf16"), 1.0);  // "gemm" does not stand at its start
}

TEST(GpuProfile, RefusesAMisspeltKeyAndNamesTheNearest) {
  const std::string text = complaint([](Json& j) {
    j["hbm_byte_per_s"] = j["hbm_bytes_per_s"];
    j.erase("hbm_bytes_per_s");
  });
  expect_has(text, "hbm_bytes_per_s");
  expect_has(text, "hbm_byte_per_s");
}

TEST(GpuProfile, RefusesAFieldOfAnotherForm) {
  const std::string text = complaint([](Json& j) { j["operators"][0]["bytes_per_s"] = 1e12; });
  expect_has(text, "/operators/0/bytes_per_s");
  expect_has(text, "unknown key 'bytes_per_s'");
  expect_has(text, "output_bytes_per_s");
}

TEST(GpuProfile, RefusesAnUnknownFormAndOffersTheKnownOnes) {
  const std::string text = complaint([](Json& j) { j["operators"][0]["form"] = "gemm-tiles"; });
  expect_has(text, "/operators/0/form");
  expect_has(text, "found 'gemm-tiles'");
  expect_has(text, "bandwidth");
  expect_has(text, "did you mean 'gemm-tile'");
}

TEST(GpuProfile, RefusesAnOriginItDoesNotKnow) {
  const std::string text = complaint([](Json& j) { j["launch_s"]["origin"] = "guessed"; });
  expect_has(text, "/launch_s/origin");
  expect_has(text, "found 'guessed'");
  expect_has(text, "assumed");
}

TEST(GpuProfile, RefusesANumberWithoutADate) {
  const std::string text = complaint([](Json& j) { j["sm_count"].erase("date"); });
  expect_has(text, "/sm_count");
  expect_has(text, "'date' is missing");
}

TEST(GpuProfile, RefusesRatesThatAreNotPositive) {
  expect_has(complaint([](Json& j) { j["operators"][0]["flops_per_s"] = 0; }), "/operators/0/flops_per_s");
  expect_has(complaint([](Json& j) { j["hbm_bytes_per_s"]["value"] = -1; }),
             "/hbm_bytes_per_s/value: found -1, expected a positive number");
  expect_has(complaint([](Json& j) { j["peak_flops_per_s"]["fp8"]["value"] = 0; }),
             "/peak_flops_per_s/fp8/value: found 0, expected a positive number");
}

TEST(GpuProfile, RefusesTimesAndWattsBelowZero) {
  expect_has(complaint([](Json& j) { j["launch_s"]["value"] = -1e-6; }),
             "/launch_s/value: found -1e-06, expected a number of at least 0");
  expect_has(complaint([](Json& j) { j["host_launch_s"]["value"] = -1e-6; }), "/host_launch_s/value");
  expect_has(complaint([](Json& j) { j["power"]["idle_w"]["value"] = -5; }), "/power/idle_w/value");
  expect_has(complaint([](Json& j) { j["power"]["joules_per_flop"]["fp8"]["value"] = -1; }),
             "/power/joules_per_flop/fp8/value");
  expect_has(complaint([](Json& j) { j["operators"][0]["overhead_s"] = -1; }), "/operators/0/overhead_s");
}

TEST(GpuProfile, RefusesAClassGivenTwice) {
  const std::string text = complaint([](Json& j) { j["operators"].push_back(j["operators"][0]); });
  expect_has(text, "class 'gemm.bf16' is given twice");
}

TEST(GpuProfile, RefusesTilesThatAreNotPairs) {
  expect_has(complaint([](Json& j) { j["operators"][0]["tiles"] = Json::parse("[[128, 128, 64]]"); }),
             "/operators/0/tiles: expected tiles of two numbers");
  expect_has(complaint([](Json& j) { j["operators"][0]["tiles"] = Json::array(); }),
             "/operators/0/tiles: expected at least one tile");
}

TEST(GpuProfile, RefusesASequenceCurveThatGoesBack) {
  const std::string text = complaint([](Json& j) {
    for (Json& op : j["operators"]) {
      if (op["form"] == "sequence")
        op["flops_per_s_by_sequence"] = Json::parse("[[4096, 5e14], [2048, 4e14]]");
    }
  });
  expect_has(text, "flops_per_s_by_sequence");
  expect_has(text, "growing x");
}

TEST(GpuProfile, RefusesASlowdownBelowOne) {
  const std::string text = complaint([](Json& j) { j["contention"][0]["slowdown"]["value"] = 0.9; });
  expect_has(text, "/contention/0/slowdown/value: found 0.9, expected a factor of at least 1");
}

TEST(GpuProfile, RefusesAnotherSchema) {
  const std::string text = complaint([](Json& j) { j["schema"] = "orrery.gpu/2"; });
  expect_has(text, "found 'orrery.gpu/2', expected 'orrery.gpu/1'");
}

TEST(GpuProfile, NamesAFileThatIsNotThere) {
  const std::string text = input_error([] { (void)load_gpu_profile("no-such-profile.json"); });
  expect_has(text, "no-such-profile.json");
}

}  // namespace
}  // namespace orrery::test
