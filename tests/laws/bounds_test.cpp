// No step is faster than its longest chain of tasks alone, none slower than all its tasks in a row.
#include <gtest/gtest.h>

#include "sim/engine/graph_checks.hpp"
#include "sim/engine/timeline.hpp"
#include "tests/laws/real_scenarios.hpp"
#include "tests/support/toy_scenario.hpp"

namespace orrery {
namespace {

std::vector<Scenario> all_scenarios() {
  std::vector<Scenario> all = test::real_scenarios();
  for (Scenario s : test::toy_scenarios()) {
    all.push_back(s);
    s.cluster.gpu.contention = {{.op_class = "gemm", .slowdown = test::toy_number(1.4)},
                                {.op_class = "communication", .slowdown = test::toy_number(1.8)}};
    all.push_back(s);
  }
  return all;
}

TEST(Bounds, TheStepLiesBetweenItsLongestChainAndAllItsWork) {
  for (const Scenario& s : all_scenarios()) {
    const SimResult r = simulate(s);
    ASSERT_FALSE(r.metrics.infeasible) << test::label(s);
    const Timeline& t = *r.timeline;
    SimTime work;
    for (std::size_t i = 0; i < t.start.size(); ++i) work += t.end[i] - t.start[i];
    EXPECT_LE(longest_path_length(t.graph), t.makespan) << test::label(s);
    EXPECT_LE(t.makespan, work) << test::label(s);
  }
}

TEST(Bounds, WithoutContentionTheStepIsItsLongestChain) {
  for (const Scenario& s : test::toy_scenarios()) {
    const SimResult r = simulate(s);
    ASSERT_FALSE(r.metrics.infeasible) << test::label(s);
    EXPECT_EQ(longest_path_length(r.timeline->graph), r.timeline->makespan) << test::label(s);
  }
}

TEST(Bounds, NoRankIsBusierThanTheStepIsLong) {
  for (const Scenario& s : all_scenarios()) {
    const SimResult r = simulate(s);
    ASSERT_FALSE(r.metrics.infeasible) << test::label(s);
    for (std::size_t lane = 0; lane < r.timeline->graph.lane_count(); ++lane)
      EXPECT_LE(r.timeline->busy(ResourceId{lane}), r.timeline->makespan) << test::label(s);
  }
}

}  // namespace
}  // namespace orrery
