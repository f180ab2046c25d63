#include "sim/engine/graph_checks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "sim/base/check.hpp"
#include "sim/engine/engine.hpp"
#include "sim/engine/task_graph_builder.hpp"

namespace orrery {
namespace {

TEST(GraphChecks, FindNoCycleWhereThereIsNone) {
  EXPECT_TRUE(find_cycle(TaskGraph{}).empty());
  TaskGraphBuilder builder;
  const ResourceId lane = builder.add_lane("lane");
  const TaskId a = builder.add_task({.lane = lane, .duration = SimTime{1}});
  const TaskId b = builder.add_task({.lane = lane, .duration = SimTime{1}});
  builder.add_dependency(a, b);  // says what the lane says already
  EXPECT_TRUE(find_cycle(std::move(builder).freeze()).empty());
}

TEST(GraphChecks, FindTheCycleBetweenLaneOrderAndDependencies) {
  // a1 -> a2 by the lane, a2 -> b1 by dependency, b1 -> b2 by the lane, b2 -> a1 by dependency. `lead` leads
  // into the cycle and `out` out of it; neither is on it.
  TaskGraphBuilder builder;
  const ResourceId lane_a = builder.add_lane("a");
  const ResourceId lane_b = builder.add_lane("b");
  const ResourceId lane_c = builder.add_lane("c");
  const TaskId lead = builder.add_task({.lane = lane_c, .duration = SimTime{1}});
  const TaskId a1 = builder.add_task({.lane = lane_a, .duration = SimTime{1}});
  const TaskId a2 = builder.add_task({.lane = lane_a, .duration = SimTime{1}});
  const TaskId b1 = builder.add_task({.lane = lane_b, .duration = SimTime{1}});
  const TaskId b2 = builder.add_task({.lane = lane_b, .duration = SimTime{1}});
  const TaskId out = builder.add_task({.lane = lane_c, .duration = SimTime{1}});
  builder.add_dependency(lead, b1);
  builder.add_dependency(a2, b1);
  builder.add_dependency(b2, a1);
  builder.add_dependency(b2, out);
  const TaskGraph graph = std::move(builder).freeze();
  std::vector<TaskId> cycle = find_cycle(graph);
  std::rotate(cycle.begin(), std::ranges::find(cycle, a1), cycle.end());
  EXPECT_EQ(cycle, (std::vector{a1, a2, b1, b2}));
  EXPECT_EQ(run(graph).stop, StopReason::kDeadlock);
  EXPECT_THROW((void)longest_path_length(graph), InternalError);
  EXPECT_THROW((void)critical_path(graph, run(graph)), InternalError);
}

TEST(GraphChecks, CriticalPathIsAChainWithoutGapsFromZeroToTheMakespan) {
  // lane 0: a 0..10 | b 10..12          lane 1: c 10..40 (after a) | d 40..41
  // lane 2: e 12..52 (after b)          Longest: a b e = 10 + 2 + 40 = 52.
  TaskGraphBuilder builder;
  const ResourceId lane0 = builder.add_lane("0");
  const ResourceId lane1 = builder.add_lane("1");
  const ResourceId lane2 = builder.add_lane("2");
  const TaskId a = builder.add_task({.lane = lane0, .duration = SimTime{10}});
  const TaskId b = builder.add_task({.lane = lane0, .duration = SimTime{2}});
  const TaskId c = builder.add_task({.lane = lane1, .duration = SimTime{30}});
  builder.add_task({.lane = lane1, .duration = SimTime{1}});
  const TaskId e = builder.add_task({.lane = lane2, .duration = SimTime{40}});
  builder.add_dependency(a, c);
  builder.add_dependency(b, e);
  const TaskGraph graph = std::move(builder).freeze();
  const CriticalPath path = critical_path(graph, run(graph));
  EXPECT_EQ(path.tasks, (std::vector{a, b, e}));
  EXPECT_EQ(path.length, SimTime{52});
  EXPECT_EQ(longest_path_length(graph), SimTime{52});
}

TEST(GraphChecks, CriticalPathIncludesSlowdownsAndTheLongestPathDoesNot) {
  // As in Coupling.TwoLanesSlowEachOtherWhileBothRun: 100 of work take 150.
  TaskGraphBuilder builder;
  const GroupId group = builder.add_group();
  SlowdownTable table;
  SlowdownRow row;
  row.fill(to_slowdown(2));
  row[0] = kNoSlowdown;
  const std::uint16_t number = table.add(row);
  builder.set_slowdowns(table);
  for (const std::int64_t work : {100, 50}) {
    const ResourceId lane = builder.add_lane("lane", group);
    builder.add_task({.lane = lane, .duration = SimTime{work}, .slowdown_row = number});
  }
  const TaskGraph graph = std::move(builder).freeze();
  const CriticalPath path = critical_path(graph, run(graph));
  EXPECT_EQ(path.tasks, std::vector{TaskId{0}});
  EXPECT_EQ(path.length, SimTime{150});
  EXPECT_EQ(longest_path_length(graph), SimTime{100});
}

TEST(GraphChecks, CriticalPathOfAnEmptyGraphIsEmpty) {
  const CriticalPath path = critical_path(TaskGraph{}, run(TaskGraph{}));
  EXPECT_TRUE(path.tasks.empty());
  EXPECT_EQ(path.length, SimTime{0});
}

}  // namespace
}  // namespace orrery
