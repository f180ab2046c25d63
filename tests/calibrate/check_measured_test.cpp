// `check` without samples: measures what the fit never saw, here on a synthetic device.
#include "calibrate/check_measured.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "calibrate/probe/work.hpp"
#include "calibrate/sweep/held_out_plan.hpp"
#include "sim/base/check.hpp"
#include "sim/base/fields.hpp"
#include "sim/model/zoo.hpp"
#include "tests/calibrate/synthetic_profile.hpp"

namespace orrery {
namespace {

std::vector<ModelSpec> deepseek() {
  return {load_model("deepseek-v3", ".").spec};
}

class CheckMeasured : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ("check_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    options_.profile = (folder_ / "gpu.json").string();
    options_.count = 30;
    write_file(options_.profile, to_json_text(profile_of(device_)));
    measure_.command = "check";
    measure_.without_gpu = "name measured cases with --samples";
    measure_.models = {"deepseek-v3"};
    measure_.output = folder_ / "check.csv";
    measure_.effort.max_samples = 20;
    measure_.patience = {.start_s = 20, .case_s = 2};
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  int check(const SyntheticDevice& device, const SyntheticFaults& faults = {}) {
    out_.str("");
    return run_check_measuring(
        options_, measure_,
        [&] {
          return ProbeOrReason{.probe = std::make_unique<SyntheticProbe>(device, 1, faults), .reason = {}};
        },
        out_, progress_);
  }

  SyntheticDevice device_{.memory_bytes = 1e12};
  std::filesystem::path folder_;
  CheckOptions options_;
  MeasureOptions measure_;
  std::ostringstream out_, progress_;
};

TEST_F(CheckMeasured, HeldOutSizesAreNeverThoseOfTheStandardPlan) {
  const std::vector<Case> standard = standard_plan(deepseek(), {});
  const std::set<Case> known(standard.begin(), standard.end());
  const std::vector<Case> held_out = held_out_plan(deepseek(), {}, 5);
  EXPECT_GT(held_out.size(), 200U);
  for (const Case& what : held_out) {
    EXPECT_FALSE(known.contains(what)) << to_text(what);
    EXPECT_EQ(size_of(what.shape, "heads") % 32, 0) << to_text(what);  // of the model: 128, a quarter or none
  }
  EXPECT_EQ(held_out, held_out_plan(deepseek(), {}, 5));
  EXPECT_NE(held_out, held_out_plan(deepseek(), {}, 6));
}

TEST_F(CheckMeasured, WithoutTheSamplesOfTheFitTheStandardPlanIsNotUsed) {
  const std::vector<Case> standard = standard_plan(deepseek(), {});
  std::map<std::string, std::int64_t> left_out;
  options_.count = 10000;
  const std::vector<Case> plan = plan_of_check(profile_of(device_), options_, deepseek(), {}, left_out);
  for (const Case& what : plan)
    EXPECT_EQ(std::count(standard.begin(), standard.end(), what), 0) << to_text(what);
}

TEST_F(CheckMeasured, WhatTheFitSawIsNotMeasuredWhicheverKernelServedIt) {
  // The fit saw the attention cases of the standard plan by one kernel; the other one must not come back.
  SampleFile seen;
  for (Case what : standard_plan(deepseek(), {})) {
    if (what.op_class != "attention-mla.forward") continue;
    what.name = "own";
    seen.outcomes.push_back({.what = what, .answer = Failure{}});
  }
  ASSERT_FALSE(seen.outcomes.empty());
  options_.exclude = {(folder_ / "seen.csv").string()};
  write_file(options_.exclude.front(), to_csv(seen));
  options_.count = 10000;
  std::map<std::string, std::int64_t> left_out;
  const std::vector<Case> plan =
      plan_of_check(profile_of(device_), options_, deepseek(), {"attention-mla.forward"}, left_out);
  for (const Case& what : plan) {
    for (const Outcome& o : seen.outcomes)
      EXPECT_FALSE(what.shape == o.what.shape && what.sustained == o.what.sustained) << to_text(what);
  }
  EXPECT_GT(left_out["used for the fit (--exclude)"], 0);
  // Its other classes are there again, since the files say what the fit saw of them: nothing.
  const std::vector<Case> all = plan_of_check(profile_of(device_), options_, deepseek(), {}, left_out);
  const std::vector<Case> standard = standard_plan(deepseek(), {});
  EXPECT_GT(std::count_if(all.begin(), all.end(),
                          [&](const Case& c) {
                            return std::find(standard.begin(), standard.end(), c) != standard.end();
                          }),
            100);
}

TEST_F(CheckMeasured, ATrueProfileAgreesAndAFasterDeviceShowsAsBias) {
  ASSERT_EQ(check(device_), 0) << out_.str();
  const SampleFile file = parse_samples(read_file(measure_.output), "check.csv");
  EXPECT_EQ(file.outcomes.size(), 30U);
  // On a memory twice as fast as the profile says the one norm among the cases takes 4 us + bytes / 8 TB/s
  // where 4 us + bytes / 4 TB/s are predicted.
  double bytes = 0;
  for (const Outcome& o : file.outcomes)
    if (o.what.op_class == "memory.norm") bytes = work_of(o.what).bytes;
  ASSERT_GT(bytes, 0);
  const double expected = 100 * ((4e-6 + bytes / 4e12) / (4e-6 + bytes / 8e12) - 1);
  const auto bias = [&](const std::string& text) {
    const std::string name = "memory.norm (own rmsnorm)";
    const std::size_t row = text.rfind(name);
    EXPECT_NE(row, std::string::npos) << text;
    std::istringstream fields(text.substr(row + name.size()));
    double cases = 0, median = 0, p90 = 0, value = 0;
    fields >> cases >> median >> p90 >> value;
    return value;
  };
  EXPECT_NEAR(bias(out_.str()), 0, 1.5);
  SyntheticDevice faster = device_;
  faster.hbm_bytes_per_s *= 2;
  ASSERT_EQ(check(faster), 0);
  EXPECT_GT(expected, 5);
  EXPECT_NEAR(bias(out_.str()), expected, 1.5) << out_.str();
  EXPECT_NE(out_.str().find("measured on synthetic"), std::string::npos);
}

TEST_F(CheckMeasured, FailuresAreRecordedAndNamed) {
  measure_.classes = {"memory.norm", "memory.quantize", "memory.rotary", "memory.copy"};
  options_.count = 8;
  EXPECT_EQ(
      check(device_, {.wrong = {"memory.norm"}, .hang = {"memory.rotary"}, .crash = {"memory.quantize"}}), 5);
  EXPECT_NE(out_.str().find("2 cases measured, 2 crashed, 2 time-out, 2 wrong-result"), std::string::npos)
      << out_.str();
}

TEST_F(CheckMeasured, WhatTheBudgetDidNotReachIsMeasuredOnResume) {
  options_.count = 6;
  measure_.budget = Seconds{0};
  EXPECT_EQ(check(device_), 5);
  EXPECT_NE(out_.str().find("6 not-reached"), std::string::npos) << out_.str();
  measure_.budget = Seconds{600};
  measure_.resume = true;
  EXPECT_EQ(check(device_), 0) << out_.str();
  // Another choice of cases is not a continuation.
  measure_.seed = options_.seed = 99;
  EXPECT_THROW((void)check(device_), InputError);
}

TEST_F(CheckMeasured, WithoutAGpuItNamesTheOption) {
  try {
    (void)run_check_measuring(
        options_, measure_, [] { return ProbeOrReason{.probe = nullptr, .reason = "no GPU: none"}; }, out_,
        progress_);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("no GPU: none; without one, name measured cases with --samples"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace orrery
