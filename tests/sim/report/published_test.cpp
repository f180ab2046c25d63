#include "sim/report/published.hpp"

#include <gtest/gtest.h>

#include "sim/base/check.hpp"
#include "tests/sim/report/scenarios.hpp"

namespace orrery {
namespace {

Scenario main_case() {
  return load_scenario(std::string(ORRERY_SOURCE_DIR) + "/docs/examples/deepseek-v3-2048-h800.json", {},
                       test::profiles());
}

const PublishedRun& step_run(const std::vector<PublishedRun>& runs) {
  for (const PublishedRun& run : runs) {
    if (run.values.front().key == "step.time_s") return run;
  }
  throw std::runtime_error("no published step");
}

TEST(Published, MainExampleIsAboutTheShippedRuns) {
  const std::vector<PublishedRun> runs = load_published(test::profiles());
  ASSERT_EQ(runs.size(), 4u);  // by file name: two of DeepSeek-V3, two of Llama 3.1 405B
  EXPECT_TRUE(is_about(runs[0], main_case()));
  EXPECT_TRUE(is_about(runs[1], main_case()));
  EXPECT_FALSE(is_about(runs[2], main_case()));
  EXPECT_FALSE(is_about(runs[3], main_case()));
}

TEST(Published, AnotherLayoutIsNotTheSameRun) {
  const std::vector<PublishedRun> runs = load_published(test::profiles());
  Scenario other = main_case();
  other.layout.pp = 8;
  EXPECT_FALSE(is_about(step_run(runs), other));
  other = main_case();
  other.training.precision = Precision::kBf16;
  EXPECT_FALSE(is_about(step_run(runs), other));
}

TEST(Published, ComparesInThePublishedUnit) {
  Metrics m;
  m.step_time_s = 21.9186;  // 19.926 s and 10 %
  m.breakdown.bubble = 1.03;
  m.mean_breakdown.bubble = 4.12;
  m.throughput.mfu_causal = 0.3894;
  const std::vector<PublishedRun> runs = load_published(test::profiles());
  int seen = 0;
  for (const ComparisonRow& row : compare(step_run(runs), m, main_case())) {
    if (row.published.key == "step.time_s") {
      EXPECT_NEAR(row.error(), 0.10, 1e-12);
      EXPECT_FALSE(row.mean);
    } else if (row.published.key == "step.breakdown_s.bubble") {
      EXPECT_NEAR(row.error(), -0.5, 1e-12);       // 1.03 of 2.06
      EXPECT_NEAR(*row.mean_error(), 1.0, 1e-12);  // 4.12 of 2.06
    } else if (row.published.key == "throughput.mfu_causal") {
      EXPECT_NEAR(row.computed, 38.94, 1e-9);  // in per cent
    } else {
      continue;
    }
    ++seen;
  }
  EXPECT_EQ(seen, 3);
}

TEST(Published, ValuesNotComputedAreLeftOut) {
  const Metrics m;  // no run: no prices, no tokens
  for (const PublishedRun& run : load_published(test::profiles())) {
    if (!run.values.front().key.starts_with("run.")) continue;
    EXPECT_TRUE(compare(run, m, main_case()).empty());
  }
}

TEST(Published, AKeyNoResultHasIsAnError) {
  PublishedRun run;
  run.values.push_back({.key = "step.time", .label = "t", .value = 1, .unit = "s"});
  EXPECT_THROW((void)compare(run, Metrics{}, main_case()), InputError);
}

TEST(Published, PartsOfTheStepSumToItsTimeWithinRounding) {
  // 1.13 + 2.06 + 1.99 + 0.48 + 13.95 + 0.29 = 19.90 s of 19.926 s.
  double sum = 0;
  const std::vector<PublishedRun> runs = load_published(test::profiles());
  for (const PublishedValue& value : step_run(runs).values) {
    if (value.key.starts_with("step.breakdown_s.")) sum += value.value;
  }
  EXPECT_NEAR(sum, 19.90, 1e-9);
}

}  // namespace
}  // namespace orrery
