#include "planner/sweep/sweep_spec.hpp"

#include <gtest/gtest.h>

#include <set>

#include "planner/stable_hash.hpp"
#include "planner/sweep/run_sweep.hpp"
#include "planner/sweep/sweep_points.hpp"
#include "sim/base/check.hpp"

namespace orrery {
namespace {

std::string error_of(const std::string& body) {
  try {
    const SweepSpec spec = parse_sweep("{\"schema\": \"orrery.sweep/1\", " + body + "}", "s.json", {});
    (void)SweepPoints(spec);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

SweepSpec spec_of(const std::string& body) {
  return parse_sweep("{\"schema\": \"orrery.sweep/1\", " + body + "}", "s.json", {});
}

std::string point(const SweepSpec& spec, std::uint64_t item) {
  const SweepPoints points(spec);
  std::string out;
  for (const Override& change : points.overrides(item)) out += change.key + "=" + change.value + " ";
  return out;
}

TEST(StableHash, GivesThePublishedValuesOfFnv1a) {
  // Vectors of draft-eastlake-fnv, appendix C.
  EXPECT_EQ(checksum(""), "cbf29ce484222325");
  EXPECT_EQ(checksum("a"), "af63dc4c8601ec8c");
  EXPECT_EQ(checksum("foobar"), "85944171f73967e8");
  EXPECT_EQ(stable_hash(""), "6c62272e07bb014262b821756295c58d");
  EXPECT_EQ(stable_hash("a"), "d228cb696f1a8caf78912b704e4a8964");
  EXPECT_EQ(stable_hash("foobar"), "343e1662793c64bf6f0d3597ba446f18");
}

TEST(SweepPoints, LastAxisChangesFastestAndZippedKeysMoveTogether) {
  const SweepSpec spec = spec_of(R"("axes": {"layout.tp": [1, 2], "layout.pp": [4, 8]},
      "zip": [{"cluster.gpus": [64, 128], "training.global_batch_size": [256, 512]}])");
  EXPECT_EQ(SweepPoints(spec).count(), 8U);  // 2 * 2 * 2
  EXPECT_EQ(point(spec, 0), "layout.tp=1 layout.pp=4 cluster.gpus=64 training.global_batch_size=256 ");
  EXPECT_EQ(point(spec, 1), "layout.tp=1 layout.pp=4 cluster.gpus=128 training.global_batch_size=512 ");
  EXPECT_EQ(point(spec, 2), "layout.tp=1 layout.pp=8 cluster.gpus=64 training.global_batch_size=256 ");
  EXPECT_EQ(point(spec, 7), "layout.tp=2 layout.pp=8 cluster.gpus=128 training.global_batch_size=512 ");
}

TEST(SweepPoints, RangesIncludeTheirEnd) {
  const SweepSpec spec = spec_of(R"("axes": {"layout.tp": {"from": 1, "to": 8, "factor": 2},
      "routing.max_over_mean": {"from": 1.1, "to": 1.3, "step": 0.1}})");
  EXPECT_EQ(spec.axes[0].points, (std::vector<std::vector<std::string>>{{"1"}, {"2"}, {"4"}, {"8"}}));
  EXPECT_EQ(spec.axes[1].points, (std::vector<std::vector<std::string>>{{"1.1"}, {"1.2"}, {"1.3"}}));
}

TEST(SweepPoints, SampleOfAGridDrawsWithoutRepetitionAndDependsOnItsSeedAlone) {
  const std::string axes = R"("axes": {"layout.tp": [1, 2, 3, 4, 5], "layout.pp": [1, 2, 3, 4, 5]}, )";
  const auto all = [&](const std::string& sample) {
    const SweepSpec spec = spec_of(axes + sample);
    std::vector<std::string> out;
    for (std::uint64_t i = 0; i < SweepPoints(spec).count(); ++i) out.push_back(point(spec, i));
    return out;
  };
  const auto whole = all(R"("sample": {"count": 25, "seed": 3})");
  EXPECT_EQ(std::set<std::string>(whole.begin(), whole.end()).size(), 25U);
  const auto some = all(R"("sample": {"count": 10, "seed": 3})");
  EXPECT_EQ(some, std::vector<std::string>(whole.begin(), whole.begin() + 10));
  EXPECT_NE(some, all(R"("sample": {"count": 10, "seed": 4})"));
}

TEST(SweepPoints, IntervalsStayInsideAndALogarithmicOneHasItsMedianAtTheGeometricMean) {
  const SweepSpec spec =
      spec_of(R"("axes": {"economics.usd_per_gpu_hour": {"low": 1, "high": 100, "scale": "log"}},
      "sample": {"count": 2000})");
  int below = 0;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const double value = std::stod(SweepPoints(spec).overrides(i).at(0).value);
    ASSERT_GE(value, 1);
    ASSERT_LE(value, 100);
    below += value < 10 ? 1 : 0;  // sqrt(1 * 100)
  }
  EXPECT_NEAR(below, 1000, 100);  // four standard deviations of 2000 throws of a coin are 89
}

TEST(SweepSpec, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(error_of(R"("axes": {"layout.shedule": ["1f1b"]})")
                .find("s.json#/axes/layout.shedule: 'layout.shedule' is no key of a scenario; did you mean "
                      "'layout.schedule'?"),
            0U);
  EXPECT_NE(error_of(R"("axis": {"layout.pp": [1]})").find("unknown key 'axis'; did you mean 'axes'?"),
            std::string::npos);
  EXPECT_NE(error_of(R"("axes": {"layout.pp": []})").find("has no values"), std::string::npos);
  EXPECT_NE(error_of(R"("axes": {})").find("has no axis"), std::string::npos);
  EXPECT_NE(error_of(R"("axes": {"layout.pp": 8})").find("found 8, expected a list"), std::string::npos);
  EXPECT_NE(error_of(R"("axes": {"layout.pp": {"low": 1, "high": 8}})").find("add \"sample\""),
            std::string::npos);
  EXPECT_NE(error_of(R"("axes": {"layout.pp": {"from": 1, "to": 8}})").find("one of step and factor"),
            std::string::npos);
  EXPECT_NE(error_of(R"("axes": {"layout.pp": {"from": 8, "to": 1, "step": 1}})").find("below from"),
            std::string::npos);
  EXPECT_NE(error_of(R"("zip": [{"layout.pp": [1, 2], "layout.tp": [1]}])").find("equally long"),
            std::string::npos);
  EXPECT_NE(error_of(R"("axes": {"layout.pp": [1]}, "zip": [{"layout.pp": [1]}])").find("is an axis twice"),
            std::string::npos);
  EXPECT_NE(error_of(R"("axes": {"layout.pp": [1, 2]}, "sample": {"count": 3})").find("the grid has 2 items"),
            std::string::npos);
  EXPECT_NE(error_of(R"("axes": {"layout.pp": [1]}, "objective": "usdd")").find("did you mean 'usd'?"),
            std::string::npos);
  EXPECT_NE(error_of(R"("axes": {"layout.pp": [1]}, "mode": "simulat")").find("did you mean 'simulate'?"),
            std::string::npos);
  EXPECT_NE(
      error_of(
          R"("axes": {"layout.pp": {"from": 1, "to": 1e5, "step": 1}, "layout.tp": {"from": 1, "to": 1e5, "step": 1}})")
          .find("more than 10000000 items"),
      std::string::npos);
}

TEST(SweepSpec, OrderOfKeysDoesNotChangeItsHash) {
  const std::string axes = R"("axes": {"layout.pp": [1, 2]}, )";
  const auto hash = [&](const std::string& base) { return sweep_hash(spec_of(axes + "\"base\": " + base)); };
  const std::string one =
      hash(R"({"model": "llama-3-8b", "cluster": {"gpus": 8, "profile": "h100-sxm-ib400"}})");
  EXPECT_EQ(one, hash(R"({"cluster": {"profile": "h100-sxm-ib400", "gpus": 8}, "model": "llama-3-8b"})"));
  EXPECT_NE(one, hash(R"({"cluster": {"profile": "h100-sxm-ib400", "gpus": 16}, "model": "llama-3-8b"})"));
  EXPECT_EQ(one.size(), 32U);
}

SweepItems items() {
  return {SweepMode::kSimulate,
          {},
          {.roots = {ORRERY_SOURCE_DIR "/hwprofiles"}},
          {.version = "1", .commit = "c"}};
}

TEST(SweepItems, SameScenarioHasTheSameKeyHoweverItIsWritten) {
  auto make = items();
  const auto key = [&](const std::string& base) {
    SweepSpec spec = spec_of(R"("axes": {"layout.pp": [1]}, "base": )" + base);
    return make.key(make.resolve(spec, SweepPoints(spec).overrides(0)));
  };
  const std::string plain = key(R"({"schema": "orrery.scenario/1", "model": "llama-3-8b",
      "cluster": {"profile": "h100-sxm-ib400", "gpus": 8}, "training": {"global_batch_size": 64}})");
  EXPECT_EQ(plain,
            key(R"({"training": {"sequence_length": 4096, "global_batch_size": 64}, "layout": {"tp": 1},
      "cluster": {"gpus": 8, "profile": "h100-sxm-ib400"}, "schema": "orrery.scenario/1", "model": "llama-3-8b"})"));
  EXPECT_NE(plain, key(R"({"schema": "orrery.scenario/1", "model": "llama-3-8b",
      "cluster": {"profile": "h100-sxm-ib400", "gpus": 8}, "training": {"global_batch_size": 128}})"));
  EXPECT_NE(plain, key(R"({"schema": "orrery.scenario/1", "model": "llama-3-8b",
      "cluster": {"profile": "h800-sxm-ib400", "gpus": 8}, "training": {"global_batch_size": 64}})"));
}

TEST(SweepItems, AnotherProcessWithOtherProfilesIsToldApart) {
  auto make = items();
  SweepSpec spec =
      spec_of(R"("axes": {"layout.pp": [1]}, "base": {"schema": "orrery.scenario/1", "model": "llama-3-8b",
      "cluster": {"profile": "h100-sxm-ib400", "gpus": 16}, "layout": {"recompute": "full"}, "training": {"global_batch_size": 64}})");
  const Scenario scenario = make.resolve(spec, SweepPoints(spec).overrides(0));
  const SweepRow right = parse_row(make.work(SweepItems::job(make.key(scenario), scenario)));
  EXPECT_EQ(right.status, "ok");
  const SweepRow wrong = parse_row(make.work(SweepItems::job(std::string(32, '0'), scenario)));
  EXPECT_EQ(wrong.status, "error");
  EXPECT_NE(wrong.reason.find("reads other profiles"), std::string::npos);
}

}  // namespace
}  // namespace orrery
