#include "calibrate/measure.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "calibrate/journal.hpp"
#include "calibrate/probe/replay_probe.hpp"
#include "calibrate/probe/synthetic_probe.hpp"
#include "calibrate/sweep/collective_plan.hpp"
#include "calibrate/sweep/standard_plan.hpp"
#include "sim/base/check.hpp"
#include "sim/base/fields.hpp"
#include "sim/model/zoo.hpp"

namespace orrery {
namespace {

ModelSpec model(const char* name) {
  return load_model(name, ".").spec;
}

Case gemm(std::int64_t m) {
  return {.op_class = "gemm.bf16",
          .name = "cublaslt tn",
          .shape = {{"m", m}, {"n", 512}, {"k", 512}},
          .dtype = "bf16"};
}
Case collective() {
  return {.op_class = "collective.all-to-all",
          .name = "nccl",
          .shape = {{"bytes", 4096}, {"gpus", 8}},
          .dtype = "bf16"};
}

/// A folder of its own for each test.
class Measure : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ("measure_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    options_.output = folder_ / "samples.csv";
    options_.effort = {.relative_error = 0.01,
                       .min_samples = 5,
                       .max_samples = 10,
                       .max_seconds = 0.01,
                       .sustained_seconds = 0};
    options_.patience = {.start_s = 20, .case_s = 1.5};
    options_.date = "2026-11-25";
    options_.tool = "test";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  MeasureReport measure(const std::vector<Case>& plan, SyntheticFaults faults, double seconds_per_call = 0) {
    double now = 0;
    return measure_plan(
        plan, options_,
        [faults] {
          return ProbeOrReason{
              .probe = std::make_unique<SyntheticProbe>(SyntheticDevice{.memory_bytes = 1e10}, 1, faults),
              .reason = {}};
        },
        progress_, [&now, seconds_per_call] { return now += seconds_per_call; });
  }
  SampleFile written() { return parse_samples(read_file(options_.output), "samples.csv"); }
  std::filesystem::path journal() { return folder_ / "samples.csv.partial"; }

  std::filesystem::path folder_;
  MeasureOptions options_;
  std::ostringstream progress_;
};

TEST_F(Measure, EveryCaseEndsAsSamplesOrAsAFailure) {
  Case huge = gemm(std::int64_t{1} << 30);
  const std::vector<Case> plan{{.op_class = "bandwidth.l2", .shape = {{"bytes", 8}}},
                               {.op_class = "launch"},
                               gemm(64),
                               huge,
                               {.op_class = "memory.norm", .shape = {{"rows", 8}, {"width", 8}}},
                               collective(),
                               {.op_class = "unheard-of"},
                               gemm(128)};
  const MeasureReport report = measure(plan, {.wrong = {"memory.norm"},
                                              .hang = {"launch"},
                                              .crash = {"bandwidth.l2"},
                                              .rank = {"collective.all-to-all"}});
  EXPECT_EQ(report.measured, 2);
  EXPECT_EQ(report.failed, (std::map<std::string, int>{{"crashed", 1},
                                                       {"time-out", 1},
                                                       {"out-of-memory", 1},
                                                       {"wrong-result", 1},
                                                       {"rank-failed", 1},
                                                       {"unsupported", 1}}));
  EXPECT_EQ(report.exit_code(), 5);
  const SampleFile file = written();
  ASSERT_EQ(file.outcomes.size(), plan.size());
  for (std::size_t i = 0; i < plan.size(); ++i) EXPECT_EQ(file.outcomes[i].what, plan[i]);
  EXPECT_NE(
      to_text(report).find("rank-failed: collective.all-to-all nccl bf16 bytes=4096 gpus=8: rank 1 of 8"),
      std::string::npos)
      << to_text(report);
  EXPECT_FALSE(std::filesystem::exists(journal()));
}

TEST_F(Measure, ADeviceThatDisappearsEndsTheRunWithoutTryingTheRest) {
  // Lost after one case in each process; two losses in a row and the rest is not tried.
  const MeasureReport report = measure({gemm(1), gemm(2), gemm(3), gemm(4), gemm(5)}, {.lost_after = 0});
  EXPECT_EQ(report.failed, (std::map<std::string, int>{{"device-lost", 5}}));
  EXPECT_EQ(std::get<Failure>(written().outcomes[4].answer).message,
            "not tried: the synthetic device has fallen off its bus");
}

TEST_F(Measure, ADeviceThatComesBackIsUsedAgain) {
  // Each process measures one case and loses the device at the next one; a new process measures again.
  const MeasureReport report = measure({gemm(1), gemm(2), gemm(3)}, {.lost_after = 1});
  EXPECT_EQ(report.measured, 2);
  EXPECT_TRUE(std::holds_alternative<Failure>(written().outcomes[1].answer));
}

TEST_F(Measure, WhatTheBudgetDoesNotReachIsRecordedAndResumed) {
  // The clock moves 300 s at each look: 300 s before the first case, 600 s before the second.
  const std::vector<Case> plan{gemm(1), gemm(2), gemm(3)};
  options_.budget = Seconds{400};
  EXPECT_EQ(measure(plan, {}, 300).failed, (std::map<std::string, int>{{"not-reached", 2}}));
  const Answer first = written().outcomes[0].answer;

  options_.resume = true;
  const MeasureReport report = measure(plan, {});
  EXPECT_EQ(report.measured, 3);
  EXPECT_EQ(report.taken_over, 1);
  EXPECT_EQ(report.exit_code(), 0);
  EXPECT_EQ(written().outcomes[0].answer, first);
}

TEST_F(Measure, AKilledRunLosesOnlyTheCaseItWasAt) {
  const std::vector<Case> plan{gemm(1), gemm(2), gemm(3)};
  (void)measure(plan, {});
  const std::string whole = read_file(options_.output);
  // Half of the last line, as a crash leaves it.
  std::filesystem::remove(options_.output);
  std::ofstream(journal()) << whole.substr(0, whole.size() - 40);
  options_.resume = true;
  const MeasureReport report = measure(plan, {});
  EXPECT_EQ(report.taken_over, 2);
  EXPECT_EQ(read_file(options_.output), whole);
}

TEST_F(Measure, ResumingUnderOtherCircumstancesIsRefused) {
  (void)measure({gemm(1)}, {});
  options_.resume = true;
  options_.seed = 2;
  EXPECT_THROW((void)measure({gemm(1)}, {}), InputError);
  options_.seed = 1;
  options_.output = folder_ / "other.csv";
  EXPECT_THROW((void)measure({gemm(1)}, {}), InputError);
}

TEST_F(Measure, WithoutAGpuItNamesTheReasonAndTheImport) {
  try {
    (void)measure_plan(
        {gemm(1)}, options_, [] { return make_cuda_probe(99, 1); }, progress_, [] { return 0.0; });
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("orrery calibrate import"), std::string::npos);
  }
  EXPECT_FALSE(std::filesystem::exists(options_.output));
}

TEST_F(Measure, ReplayGivesTheSameBytes) {
  const std::vector<Case> plan{gemm(1), gemm(2), collective()};
  (void)measure(plan, {.wrong = {"collective.all-to-all"}});
  const SampleFile recorded = written();
  options_.output = folder_ / "again.csv";
  (void)measure_plan(
      plan, options_,
      [&] { return ProbeOrReason{.probe = std::make_unique<ReplayProbe>(recorded), .reason = {}}; },
      progress_, [] { return 0.0; });
  EXPECT_EQ(written().outcomes, recorded.outcomes);
}

TEST_F(Measure, UnknownClassesAreRefusedWithTheNearest) {
  options_.classes = {"atention"};
  std::ostringstream out;
  try {
    (void)run_measure(
        options_, [] { return ProbeOrReason{}; }, out, progress_);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("expected the beginning of one of attention-mla.backward"),
              std::string::npos)
        << error.what();
  }
}

TEST_F(Measure, TheStandardPlanRunsOnTheSyntheticDevice) {
  std::ostringstream out;
  options_.gpus = 8;
  const int code = run_measure(
      options_,
      [] {
        return ProbeOrReason{.probe = std::make_unique<SyntheticProbe>(SyntheticDevice{}, 1), .reason = {}};
      },
      out, progress_);
  EXPECT_EQ(code, 0) << out.str();
  for (const Outcome& outcome : written().outcomes) {
    EXPECT_TRUE(std::holds_alternative<Samples>(outcome.answer)) << to_text(outcome.what);
  }
}

// --- Plan ---

TEST(StandardPlan, FitsTenMinutesByItsOwnEstimate) {
  const Effort effort = MeasureOptions{}.effort;
  double seconds = 0;
  for (const Case& what : standard_plan({model("deepseek-v3"), model("llama-3-8b")}, {}))
    seconds += estimated_time(what, effort.max_seconds, effort.sustained_seconds).value;
  EXPECT_LT(seconds, 600);
  EXPECT_GT(seconds, 200);
}

TEST(StandardPlan, HasTheShapesOfDeepSeekV3) {
  // The six shapes of DeepGEMM's published table, n x k.
  const std::vector<LinearShape> shapes = linear_shapes(model("deepseek-v3"));
  for (const LinearShape& shape :
       {LinearShape{24576, 1536}, LinearShape{32768, 512}, LinearShape{7168, 16384}, LinearShape{4096, 7168},
        LinearShape{7168, 2048}}) {
    EXPECT_NE(std::find(shapes.begin(), shapes.end(), shape), shapes.end()) << shape.n << " x " << shape.k;
  }
  EXPECT_EQ(expert_shapes(model("deepseek-v3")), (std::vector<LinearShape>{{4096, 7168}, {7168, 2048}}));
  // Llama 3 8B: 32 heads and 8 key-value heads of 128: 6144 x 4096.
  EXPECT_EQ(linear_shapes(model("llama-3-8b")).front(), (LinearShape{6144, 4096}));
}

TEST(StandardPlan, HasNoCaseTwiceAndCollectivesOnlyWithSeveralGpus) {
  const std::vector<Case> one = standard_plan({model("deepseek-v3")}, {});
  const std::vector<Case> eight = standard_plan({model("deepseek-v3")}, {.gpus = 8});
  EXPECT_EQ(std::set<Case>(one.begin(), one.end()).size(), one.size());
  const auto is_collective = [](const Case& c) { return size_of(c.shape, "gpus") > 0; };
  EXPECT_EQ(std::count_if(one.begin(), one.end(), is_collective), 0);
  // 18 sizes each of 4 kinds on 2, 4 and 8 GPUs, and of messages between 2.
  EXPECT_EQ(std::count_if(eight.begin(), eight.end(), is_collective), 18 * (4 * 3 + 1));
}

TEST(CollectivePlan, GoesOverTheGpusOfANodeAndOverNodes) {
  // Four hosts of eight: 2, 4, 8 GPUs of one; one GPU on each of two; all of two and of four hosts.
  std::set<std::pair<std::int64_t, std::int64_t>> arrangements;
  const std::vector<Case> plan = collective_plan({8, 8, 8, 8});
  for (const Case& what : plan)
    arrangements.emplace(size_of(what.shape, "nodes"), size_of(what.shape, "gpus"));
  EXPECT_EQ(arrangements, (std::set<std::pair<std::int64_t, std::int64_t>>{
                              {0, 2}, {0, 4}, {0, 8}, {2, 2}, {2, 16}, {4, 32}}));
  EXPECT_EQ(plan.size(), 6U * 5 * 7);
  EXPECT_EQ(std::set<Case>(plan.begin(), plan.end()).size(), plan.size());
  EXPECT_TRUE(collective_plan({1}).empty());
  EXPECT_EQ(collective_plan({1, 1}).front().shape, (Shape{{"bytes", 1 << 18}, {"gpus", 2}, {"nodes", 2}}));
}

TEST(StandardPlan, BeginsWithOneCaseOfEveryClass) {
  const std::vector<Case> plan = standard_plan({model("deepseek-v3")}, {});
  std::set<std::string> all;
  std::set<std::string> early;
  for (const Case& what : plan) all.insert(what.op_class);
  for (std::size_t i = 0; i < all.size() + 10; ++i) early.insert(plan[i].op_class);
  EXPECT_EQ(early, all);
}

}  // namespace
}  // namespace orrery
