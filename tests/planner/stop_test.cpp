// Work that is told to stop ends soon, wherever it is, and leaves nothing behind.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <thread>

#include "planner/parallel_for.hpp"
#include "planner/plan.hpp"
#include "planner/report_runs.hpp"
#include "sim/base/work_control.hpp"
#include "sim/simulate.hpp"
#include "tests/planner/v3_scenario.hpp"

namespace orrery {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point from) {
  return std::chrono::duration<double>(Clock::now() - from).count();
}

/// Runs work in a thread, stops it after a while and returns how long it then took; below 0: it was done
/// before.
double seconds_to_stop(const std::function<void()>& work, double after_s) {
  WorkControl control;
  std::atomic<bool> finished{false}, stopped{false};
  std::thread worker([&] {
    const ControlScope scope(&control);
    try {
      work();
      finished = true;
    } catch (const Stopped&) {
      stopped = true;
    }
  });
  const auto begin = Clock::now();
  while (seconds_since(begin) < after_s && !finished)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const auto asked = Clock::now();
  control.stop();
  worker.join();
  const double took = seconds_since(asked);
  EXPECT_NE(finished, stopped);
  return finished ? -1 : took;
}

/// The longest of some stops, each a little later than the one before. Sanitizers and busy machines slow work
/// down by more than ten times, so the limit is wide; what it takes is printed.
void expect_soon(const char* what, const std::function<void()>& work, double until_s, int times,
                 double limit_s = 1) {
  double longest = 0;
  int stopped = 0;
  for (int i = 0; i < times; ++i) {
    const double took = seconds_to_stop(work, until_s * i / times);
    if (took >= 0) ++stopped;
    longest = std::max(longest, took);
  }
  EXPECT_GT(stopped, 0) << what;
  EXPECT_LT(longest, limit_s) << what;
  std::printf("%s: stopped %d of %d times, at most %.0f ms\n", what, stopped, times, 1e3 * longest);
}

TEST(Stop, ASimulationEndsSoonAtAnyInstant) {
  Scenario s = test::v3_scenario();
  s.training.global_batch_size *= 4;  // 3.6 million tasks
  expect_soon(
      "simulation", [&] { (void)simulate(s); }, 0.4, 12);
}

TEST(Stop, ASearchForAScheduleEndsSoon) {
  Scenario s = test::v3_scenario();
  s.layout.schedule = "auto";
  expect_soon(
      "schedule search", [&] { (void)simulate(s); }, 2, 6);
}

TEST(Stop, WhatIsSimulatedAfterwardsIsTheSame) {
  const Scenario s = test::v3_scenario();
  const double before = simulate(s).metrics.step_time_s;
  (void)seconds_to_stop([&] { (void)simulate(s); }, 0.03);
  WorkControl control;
  const ControlScope scope(&control);
  EXPECT_EQ(simulate(s).metrics.step_time_s, before);
}

TEST(Stop, EveryThreadOfParallelWorkHears) {
  WorkControl control;
  control.stop();
  const ControlScope scope(&control);
  EXPECT_THROW(parallel_for(3, 100, [](std::size_t, std::size_t) { FAIL() << "work was begun"; }), Stopped);
}

TEST(Stop, TheRunsOfAReportEndSoon) {
  const Scenario s = test::v3_scenario();
  const Metrics m = simulate(s).metrics;
  expect_soon(
      "runs of a report", [&] { (void)report_runs(s, m, true); }, 2, 6);
}

PlanRequest whole_space() {
  PlanRequest r;
  r.scenario = test::v3_scenario();
  r.space = default_space(r.scenario);
  r.objective = parse_objective("step", "test");
  r.front = {Metric::kStep, Metric::kMemory};
  r.top = 20;
  r.threads = 2;
  return r;
}

TEST(Stop, AWholeSpaceEndsSoonWithTheBestSoFar) {
  double longest = 0;
  for (const double after_s : {0.0, 0.2, 1.0, 2.5}) {
    WorkControl control;
    PlanRequest r = whole_space();
    r.stop = [&] { return control.stopped(); };
    PlanReport report;
    bool threw = false;
    std::thread worker([&] {
      const ControlScope scope(&control);
      try {
        report = plan_layouts(r);
      } catch (const Stopped&) {
        threw = true;
      }
    });
    std::this_thread::sleep_for(std::chrono::duration<double>(after_s));
    const auto asked = Clock::now();
    control.stop();
    worker.join();
    longest = std::max(longest, seconds_since(asked));
    EXPECT_FALSE(threw);
    EXPECT_FALSE(report.search.complete);
    EXPECT_LE(report.metrics.size(), report.search.best.size());
    for (const Found& f : report.search.best) {
      EXPECT_GE(f.objective, report.search.lower_bound);
      EXPECT_GT(f.figures.step_s, 0);
    }
  }
  EXPECT_LT(longest, 1);
  std::printf("whole space: stopped within %.0f ms\n", 1e3 * longest);
}

TEST(Stop, ASearchThatDoesNotAskLeavesNothing) {
  PlanRequest r = whole_space();
  EXPECT_GE(seconds_to_stop([&] { (void)plan_layouts(r); }, 0.3), 0);
}

TEST(Stop, APausedSearchGoesOnWhereItWas) {
  PlanRequest r = whole_space();
  restrict_space(r.space, "schedule", "dualpipe,1f1b", "test");
  restrict_space(r.space, "tp", "1", "test");
  restrict_space(r.space, "pp", "8,16", "test");
  restrict_space(r.space, "ep", "64", "test");
  restrict_space(r.space, "recompute", "deepseek-v3,full", "test");
  restrict_space(r.space, "mbs", "1", "test");
  r.front.clear();
  r.top = 2;
  r.auto_schedule = r.sensitivity = false;
  const PlanReport whole = plan_layouts(r);
  WorkControl control;
  PlanReport paused;
  std::atomic<bool> done{false};
  std::thread worker([&] {
    const ControlScope scope(&control);
    paused = plan_layouts(r);
    done = true;
  });
  control.pause();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_FALSE(done);
  control.resume();
  worker.join();
  EXPECT_EQ(paused.search.candidates, whole.search.candidates);
  EXPECT_EQ(paused.search.evaluated, whole.search.evaluated);
  ASSERT_EQ(paused.search.best.size(), whole.search.best.size());
  for (std::size_t i = 0; i < whole.search.best.size(); ++i)
    EXPECT_EQ(paused.search.best[i].objective, whole.search.best[i].objective);
}

}  // namespace
}  // namespace orrery
