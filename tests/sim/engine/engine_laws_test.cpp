#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "sim/engine/engine.hpp"
#include "sim/engine/graph_checks.hpp"
#include "tests/sim/engine/naive_engine.hpp"
#include "tests/sim/engine/random_graph.hpp"

namespace orrery {
namespace {

using test::make_random_graph;

constexpr std::uint64_t kSeeds = 40;

class Silent : public Observer {
 public:
  void started(TaskId, SimTime now) override { see(now); }
  void finished(TaskId, SimTime now) override { see(now); }
  std::size_t calls = 0;
  bool in_order = true;

 private:
  void see(SimTime now) {
    in_order = in_order && now >= last_;
    last_ = now;
    ++calls;
  }
  SimTime last_;
};

TEST(EngineLaws, LongestPathIsAtMostTheMakespanAndThatAtMostTheSumOfStretchedWork) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const TaskGraph graph = make_random_graph({.seed = seed, .coupled = seed % 2 == 0});
    const Timeline timeline = run(graph);
    ASSERT_EQ(timeline.stop, StopReason::kDone);
    SimTime sum;
    for (std::size_t t = 0; t < graph.task_count(); ++t) {
      ASSERT_GE(timeline.extra(TaskId{t}), SimTime{0});
      sum += timeline.end[t] - timeline.start[t];
    }
    EXPECT_LE(longest_path_length(graph), timeline.makespan);
    EXPECT_LE(timeline.makespan, sum);
    EXPECT_EQ(timeline.makespan, *std::ranges::max_element(timeline.end));
  }
}

TEST(EngineLaws, WithoutCouplingTheLongestPathIsTheMakespan) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const TaskGraph graph = make_random_graph({.seed = seed});
    EXPECT_EQ(longest_path_length(graph), run(graph).makespan);
  }
}

TEST(EngineLaws, ADependencyMoreNeverEndsAnythingEarlierWithoutCoupling) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Timeline fewer = run(make_random_graph({.seed = seed}));
    const Timeline more = run(make_random_graph({.seed = seed, .extra_dependencies = 10}));
    for (std::size_t t = 0; t < fewer.end.size(); ++t) ASSERT_LE(fewer.end[t], more.end[t]);
  }
}

TEST(EngineLaws, RelaxationAndEventsAgreeToThePicosecond) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const TaskGraph graph = make_random_graph({.seed = seed, .tasks = 500, .groups = 5});
    ASSERT_FALSE(graph.coupled());
    const Timeline relaxed = run(graph);
    const Timeline events = run(graph, {.path = RunPath::kEvents});
    ASSERT_EQ(relaxed.start, events.start);
    ASSERT_EQ(relaxed.end, events.end);
    ASSERT_EQ(relaxed.makespan, events.makespan);
  }
}

TEST(EngineLaws, AnObserverSeesEveryTaskInOrderAndChangesNothing) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const TaskGraph graph = make_random_graph({.seed = seed, .coupled = seed % 2 == 0});
    Silent observer;
    const Timeline watched = run(graph, {.observer = &observer});
    const Timeline alone = run(graph);
    EXPECT_EQ(observer.calls, 2 * graph.task_count());
    EXPECT_TRUE(observer.in_order);
    ASSERT_EQ(watched.start, alone.start);
    ASSERT_EQ(watched.end, alone.end);
  }
}

TEST(EngineLaws, TheSameGraphTwiceGivesTheSameTimes) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Timeline first = run(make_random_graph({.seed = seed, .coupled = true}));
    const Timeline second = run(make_random_graph({.seed = seed, .coupled = true}));
    ASSERT_EQ(first.start, second.start);
    ASSERT_EQ(first.end, second.end);
    ASSERT_EQ(first.makespan, second.makespan);
  }
}

TEST(EngineLaws, AgreesExactlyWithASimulationThatLooksAtEveryTaskAtEveryInstant) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const TaskGraph graph =
        make_random_graph({.seed = seed, .lanes_per_group = 1 + static_cast<int>(seed % 8), .coupled = true});
    const Timeline timeline = run(graph);
    const auto naive = test::run_naive<std::int64_t>(graph);
    for (std::size_t t = 0; t < graph.task_count(); ++t) {
      ASSERT_EQ(timeline.start[t].ps, naive.start[t]) << "seed " << seed << " task " << t;
      ASSERT_EQ(timeline.end[t].ps, naive.end[t]) << "seed " << seed << " task " << t;
    }
  }
}

TEST(EngineLaws, StaysWithinTheRoundingOfExactArithmetic) {
  // Factors are below 3, so a change of factor delays a task by less than 3 ps; such delays add up along a
  // path. Makespans are above 100,000 ps.
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const TaskGraph graph = make_random_graph({.seed = seed, .coupled = true});
    const Timeline timeline = run(graph);
    ASSERT_GT(timeline.makespan, SimTime{100'000});
    const auto exact = test::run_naive<long double>(graph);
    for (std::size_t t = 0; t < graph.task_count(); ++t) {
      ASSERT_NEAR(static_cast<double>(timeline.end[t].ps), static_cast<double>(exact.end[t]), 100.0)
          << "seed " << seed << " task " << t;
    }
  }
}

TEST(EngineLaws, TheCriticalPathTouchesFromZeroToTheMakespan) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const TaskGraph graph = make_random_graph({.seed = seed, .coupled = true});
    const Timeline timeline = run(graph);
    const CriticalPath path = critical_path(graph, timeline);
    ASSERT_FALSE(path.tasks.empty());
    EXPECT_EQ(timeline.start[path.tasks.front().at()], SimTime{0});
    EXPECT_EQ(timeline.end[path.tasks.back().at()], timeline.makespan);
    for (std::size_t i = 1; i < path.tasks.size(); ++i) {
      const TaskId before = path.tasks[i - 1];
      const TaskId task = path.tasks[i];
      ASSERT_EQ(timeline.end[before.at()], timeline.start[task.at()]);
      const auto on = graph.predecessors(task);
      ASSERT_TRUE(graph.previous_in_lane(task) == before || std::ranges::find(on, before) != on.end());
    }
  }
}

TEST(EngineLaws, AGraphDeadlocksExactlyWhenItHasACycle) {
  // Dependencies between random tasks in any direction: some graphs have cycles, some do not.
  int deadlocks = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    TaskGraphBuilder builder;
    for (const char* name : {"0", "1", "2"}) builder.add_lane(name);
    for (int t = 0; t < 12; ++t) builder.add_task({.lane = ResourceId{t % 3}, .duration = SimTime{1 + t}});
    std::uint64_t state = seed * 7919 + 1;
    for (int i = 0; i < 4; ++i) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      const TaskId before{static_cast<std::int32_t>((state >> 33) % 12)};
      const TaskId after{static_cast<std::int32_t>((state >> 45) % 12)};
      if (before != after) builder.add_dependency(before, after);
    }
    const TaskGraph graph = std::move(builder).freeze();
    const bool deadlock = run(graph).stop == StopReason::kDeadlock;
    ASSERT_EQ(deadlock, !find_cycle(graph).empty()) << "seed " << seed;
    ASSERT_EQ(run(graph).end, run(graph, {.path = RunPath::kEvents}).end);
    deadlocks += deadlock ? 1 : 0;
  }
  EXPECT_GT(deadlocks, 10);
  EXPECT_LT(deadlocks, 90);
}

}  // namespace
}  // namespace orrery
