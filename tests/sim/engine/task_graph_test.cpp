#include "sim/engine/task_graph.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "sim/base/check.hpp"
#include "sim/engine/task_graph_builder.hpp"

namespace orrery {
namespace {

std::vector<TaskId> list(std::span<const TaskId> tasks) {
  return {tasks.begin(), tasks.end()};
}

TEST(TaskGraph, IsEmptyByDefault) {
  const TaskGraph graph;
  EXPECT_EQ(graph.task_count(), 0U);
  EXPECT_EQ(graph.lane_count(), 0U);
  EXPECT_EQ(graph.dependency_count(), 0U);
}

TEST(TaskGraph, KeepsWhatTheBuilderWasTold) {
  TaskGraphBuilder builder;
  const GroupId gpu = builder.add_group();
  const ResourceId compute = builder.add_lane("compute", gpu);
  const ResourceId comm = builder.add_lane("comm", gpu);
  const NameId forward = builder.intern("forward");
  EXPECT_EQ(builder.intern("forward"), forward);
  SlowdownTable table;
  SlowdownRow row = table.row(0);
  row[2] = to_slowdown(2.0);
  EXPECT_EQ(table.add(row), 1);
  builder.set_slowdowns(table);
  const TaskId a = builder.add_task({.lane = compute, .duration = SimTime{10}, .name = forward});
  const TaskId b = builder.add_task({.lane = comm, .duration = SimTime{20}, .kind = 3});
  const TaskId c = builder.add_task({.lane = compute, .duration = SimTime{0}, .tag = 42, .slowdown_row = 1});
  builder.add_dependency(c, b);  // on a task created later
  builder.add_dependency(a, b);
  const TaskGraph graph = std::move(builder).freeze();

  EXPECT_EQ(graph.task_count(), 3U);
  EXPECT_EQ(graph.dependency_count(), 2U);
  EXPECT_EQ(graph.duration(b), SimTime{20});
  EXPECT_EQ(graph.lane(b), comm);
  EXPECT_EQ(graph.kind(b), 3);
  EXPECT_EQ(graph.name(a), "forward");
  EXPECT_EQ(graph.name(b), "");
  EXPECT_EQ(graph.tag(a), -1);
  EXPECT_EQ(graph.tag(c), 42);
  EXPECT_EQ(graph.slowdown_row(c), 1);
  EXPECT_EQ(list(graph.successors(a)), std::vector{b});
  EXPECT_EQ(list(graph.predecessors(b)), (std::vector{c, a}));
  EXPECT_TRUE(graph.predecessors(a).empty());
  EXPECT_EQ(list(graph.lane_tasks(compute)), (std::vector{a, c}));
  EXPECT_EQ(graph.next_in_lane(a), c);
  EXPECT_EQ(graph.next_in_lane(c), kNoTask);
  EXPECT_EQ(graph.previous_in_lane(c), a);
  EXPECT_EQ(graph.previous_in_lane(b), kNoTask);
  EXPECT_EQ(graph.lane_name(comm), "comm");
  EXPECT_EQ(graph.lane_group(comm), gpu);
  EXPECT_EQ(graph.group_lanes(gpu).size(), 2U);
  EXPECT_FALSE(graph.coupled()) << "the only task with a row other than 0 has no work";
}

TEST(TaskGraph, IsCoupledOnlyWhereARowMeetsANeighbour) {
  const auto coupled = [](bool grouped, int lanes, std::uint16_t row_number) {
    TaskGraphBuilder builder;
    SlowdownTable table;
    SlowdownRow row = table.row(0);
    row[2] = to_slowdown(2.0);
    table.add(row);
    builder.set_slowdowns(table);
    const GroupId group = grouped ? builder.add_group() : kNoGroup;
    ResourceId lane;
    for (int i = 0; i < lanes; ++i) lane = builder.add_lane("lane", group);
    builder.add_task({.lane = lane, .duration = SimTime{1}, .slowdown_row = row_number});
    return std::move(builder).freeze().coupled();
  };
  EXPECT_TRUE(coupled(true, 2, 1));
  EXPECT_FALSE(coupled(true, 2, 0));
  EXPECT_FALSE(coupled(true, 1, 1));
  EXPECT_FALSE(coupled(false, 2, 1));
}

TEST(TaskGraphBuilder, RefusesWhatCannotBeMeant) {
  TaskGraphBuilder builder;
  EXPECT_THROW(builder.add_task({.lane = ResourceId{0}, .duration = SimTime{1}}), InternalError);
  const ResourceId lane = builder.add_lane("lane");
  EXPECT_THROW(builder.add_task({.lane = lane, .duration = SimTime{-1}}), InternalError);
  EXPECT_THROW(builder.add_task({.lane = lane, .duration = SimTime{1}, .name = NameId{9}}), InternalError);
  const TaskId task = builder.add_task({.lane = lane, .duration = SimTime{1}});
  EXPECT_THROW(builder.add_dependency(task, task), InternalError);
  EXPECT_THROW(builder.add_dependency(task, TaskId{1}), InternalError);
  EXPECT_THROW(builder.add_dependency(kNoTask, task), InternalError);
  EXPECT_THROW(builder.add_lane("lane", GroupId{0}), InternalError);
  const GroupId group = builder.add_group();
  for (std::size_t i = 0; i < kMaxGroupLanes; ++i) builder.add_lane("lane", group);
  EXPECT_THROW(builder.add_lane("ninth", group), InternalError);
}

TEST(TaskGraphBuilder, RefusesARowThatIsNotInTheTable) {
  TaskGraphBuilder builder;
  builder.add_task({.lane = builder.add_lane("lane"), .duration = SimTime{1}, .slowdown_row = 1});
  EXPECT_THROW((void)std::move(builder).freeze(), InternalError);
}

TEST(TaskGraphBuilder, RefusesWorkThatCouldOverflowTheClock) {
  TaskGraphBuilder builder;
  const ResourceId lane = builder.add_lane("lane");
  for (int i = 0; i < 3; ++i) builder.add_task({.lane = lane, .duration = to_sim_time(Seconds{4e6})});
  EXPECT_THROW((void)std::move(builder).freeze(), InternalError);
}

}  // namespace
}  // namespace orrery
