// What is proportional stays proportional.
#include <gtest/gtest.h>

#include "sim/report/step_accounts.hpp"
#include "tests/laws/real_scenarios.hpp"
#include "tests/laws/speeds.hpp"
#include "tests/support/toy_scenario.hpp"

namespace orrery {
namespace {

std::vector<Scenario> all_scenarios() {
  std::vector<Scenario> all = test::toy_scenarios();
  for (Scenario& s : test::real_scenarios()) all.push_back(std::move(s));
  return all;
}

TEST(Scaling, TwiceTheTokensTakeTwiceTheDaysAndTheSameStep) {
  for (Scenario s : all_scenarios()) {
    s.economics.usd_per_gpu_hour = 2;
    const Metrics once = test::measured(s);
    s.training.tokens *= 2;
    const Metrics twice = test::measured(s);
    EXPECT_EQ(twice.step_time_s, once.step_time_s);
    EXPECT_DOUBLE_EQ(*twice.run.days, 2 * *once.run.days) << test::label(s);
    EXPECT_DOUBLE_EQ(*twice.run.gpu_hours, 2 * *once.run.gpu_hours);
    EXPECT_DOUBLE_EQ(*twice.run.usd, 2 * *once.run.usd);
    EXPECT_DOUBLE_EQ(*twice.run.gpu_hours_per_trillion_tokens, *once.run.gpu_hours_per_trillion_tokens);
  }
}

TEST(Scaling, KernelsKTimesAsLongMakeTheComputePartKTimesAsLong) {
  for (const Scenario& s : all_scenarios()) {
    Scenario slow = s;
    slow.cluster = test::slower_kernels(s.cluster, 3);
    const SimResult a = simulate(s);
    const SimResult b = simulate(slow);
    ASSERT_FALSE(a.metrics.infeasible || b.metrics.infeasible) << test::label(s);
    const std::vector<RankAccount> fast = account_ranks(*a.step, *a.timeline);
    const std::vector<RankAccount> slowed = account_ranks(*b.step, *b.timeline);
    for (std::size_t r = 0; r < fast.size(); ++r) {
      // Durations are whole picoseconds: 1e-6 of a 1 us kernel.
      const double compute = fast[r].waterfall.compute + fast[r].waterfall.recompute;
      EXPECT_NEAR(slowed[r].waterfall.compute + slowed[r].waterfall.recompute, 3 * compute, 3e-6 * compute)
          << test::label(s) << " rank " << r;
    }
    EXPECT_GT(b.metrics.step_time_s, a.metrics.step_time_s);
    EXPECT_LE(b.metrics.step_time_s, 3 * a.metrics.step_time_s * (1 + 1e-6)) << test::label(s);
  }
}

TEST(Scaling, AMachineKTimesSlowerInEverythingTakesKTimesAsLong) {
  for (const Scenario& s : test::toy_scenarios()) {
    Scenario slow = s;
    slow.cluster = test::links(test::slower_kernels(s.cluster, 2), 0.5);
    for (Sourced* fixed :
         {&slow.cluster.scale_up.latency_s, &slow.cluster.scale_out.latency_s,
          &slow.cluster.expert_all_to_all.notify_dispatch_s, &slow.cluster.expert_all_to_all.notify_cached_s,
          &slow.cluster.expert_all_to_all.notify_combine_s})
      fixed->value *= 2;
    EXPECT_NEAR(test::measured(slow).step_time_s / test::measured(s).step_time_s, 2, 1e-6) << test::label(s);
  }
}

TEST(Scaling, EveryMoreMicrobatchAddsTheSameTimeOnceThePipelineIsFull) {
  // Equal stages: each further microbatch adds one F and one B of the busiest rank.
  for (const char* schedule : {"gpipe", "1f1b", "zb-h1"}) {
    const auto time = [&](std::int64_t n) {
      return test::measured(test::toy_scenario(test::toy_dense(), {schedule}, n)).step_time_s;
    };
    EXPECT_NEAR(time(40) - time(32), time(32) - time(24), 1e-9 * time(24)) << schedule;
  }
}

}  // namespace
}  // namespace orrery
