#include <gtest/gtest.h>

#include <vector>

#include "sim/engine/engine.hpp"
#include "sim/engine/task_graph_builder.hpp"

namespace orrery {
namespace {

/// A group of lanes and rows that slow a task by `factor` whenever any other lane of the group is busy.
struct Toy {
  explicit Toy(int lane_count, std::vector<double> factors = {2.0}) {
    const GroupId group = builder.add_group();
    for (int i = 0; i < lane_count; ++i) lanes.push_back(builder.add_lane("lane", group));
    SlowdownTable table;
    for (const double factor : factors) {
      SlowdownRow row;
      row.fill(to_slowdown(factor));
      row[0] = kNoSlowdown;
      rows.push_back(table.add(row));
    }
    builder.set_slowdowns(table);
  }
  TaskId task(std::size_t lane, std::int64_t ps, std::uint16_t row) {
    return builder.add_task({.lane = lanes[lane], .duration = SimTime{ps}, .slowdown_row = row});
  }

  TaskGraphBuilder builder;
  std::vector<ResourceId> lanes;
  std::vector<std::uint16_t> rows;
};

std::vector<std::int64_t> ends(const Timeline& timeline) {
  std::vector<std::int64_t> ps;
  for (const SimTime end : timeline.end) ps.push_back(end.ps);
  return ps;
}

TEST(Coupling, TwoLanesSlowEachOtherWhileBothRun) {
  // Both at half speed from 0. B has 50 of work: ends at 100. A has done 50 of its 100 by then and does
  // the rest alone: 100 + 50 = 150.
  Toy toy(2);
  const TaskId a = toy.task(0, 100, 1);
  const TaskId b = toy.task(1, 50, 1);
  const Timeline timeline = run(std::move(toy.builder).freeze());
  EXPECT_EQ(ends(timeline), (std::vector<std::int64_t>{150, 100}));
  EXPECT_EQ(timeline.extra(a), SimTime{50});
  EXPECT_EQ(timeline.extra(b), SimTime{50});
}

TEST(Coupling, OnlyTasksWithARowAreSlowed) {
  // B runs at full speed, 0..50. A does 25 in that time, then 75 alone: 125.
  Toy toy(2);
  toy.task(0, 100, 1);
  toy.task(1, 50, 0);
  EXPECT_EQ(ends(run(std::move(toy.builder).freeze())), (std::vector<std::int64_t>{125, 50}));
}

TEST(Coupling, ANeighbourMayStartInTheMiddle) {
  // lane 1: B 0..30 (row 0), lane 2: C after B, 40 of work (row 0): 30..70. A (row 1: half speed) is slowed
  // from 0 to 70, without a break at 30: 35 done, 65 left: 135.
  Toy toy(3);
  toy.task(0, 100, 1);
  const TaskId b = toy.task(1, 30, 0);
  const TaskId c = toy.task(2, 40, 0);
  toy.builder.add_dependency(b, c);
  EXPECT_EQ(ends(run(std::move(toy.builder).freeze())), (std::vector<std::int64_t>{135, 30, 70}));
}

TEST(Coupling, TheFactorDependsOnWhichLanesAreBusy) {
  // Row of A: 3 beside lane 1, 2 beside lane 2, 6 beside both. B (lane 1) runs 0..60, C (lane 2) 0..90.
  // A: 0..60 at 1/6: 10 done; 60..90 at 1/2: 15 done; 75 left alone: 165.
  TaskGraphBuilder builder;
  const GroupId group = builder.add_group();
  std::vector<ResourceId> lanes;
  for (int i = 0; i < 3; ++i) lanes.push_back(builder.add_lane("lane", group));
  SlowdownTable table;
  SlowdownRow row = table.row(0);
  row[0b010] = to_slowdown(3);
  row[0b100] = to_slowdown(2);
  row[0b110] = to_slowdown(6);
  builder.add_task({.lane = lanes[0], .duration = SimTime{100}, .slowdown_row = table.add(row)});
  builder.add_task({.lane = lanes[1], .duration = SimTime{60}});
  builder.add_task({.lane = lanes[2], .duration = SimTime{90}});
  builder.set_slowdowns(table);
  EXPECT_EQ(ends(run(std::move(builder).freeze())), (std::vector<std::int64_t>{165, 60, 90}));
}

TEST(Coupling, GroupsDoNotSlowOneAnother) {
  TaskGraphBuilder builder;
  SlowdownTable table;
  SlowdownRow row;
  row.fill(to_slowdown(2));
  row[0] = kNoSlowdown;
  const std::uint16_t number = table.add(row);
  builder.set_slowdowns(table);
  for (int g = 0; g < 2; ++g) {
    const GroupId group = builder.add_group();
    const ResourceId lane = builder.add_lane("busy", group);
    builder.add_lane("idle", group);
    builder.add_task({.lane = lane, .duration = SimTime{100}, .slowdown_row = number});
  }
  const TaskGraph graph = std::move(builder).freeze();
  EXPECT_TRUE(graph.coupled());
  EXPECT_EQ(ends(run(graph)), (std::vector<std::int64_t>{100, 100}));
}

TEST(Coupling, ATaskOfZeroDurationSlowsNobody) {
  // Markers on lane 1 at 0 and at 40 leave A alone all the time.
  Toy toy(3);
  toy.task(0, 100, 1);
  toy.task(1, 0, 1);
  const TaskId late = toy.task(1, 0, 1);
  TaskGraphBuilder& builder = toy.builder;
  const ResourceId other = builder.add_lane("outside the group");
  builder.add_dependency(builder.add_task({.lane = other, .duration = SimTime{40}}), late);
  const Timeline timeline = run(std::move(toy.builder).freeze());
  EXPECT_EQ(timeline.end[0], SimTime{100});
  EXPECT_EQ(timeline.end[late.at()], SimTime{40});
}

TEST(Coupling, RoundsAsWritten) {
  // s = 1.5. A has 101 of work, first end ceil(151.5) = 152. B (row 0) ends at 10: A has done
  // floor(10 / 1.5) = 6, 95 are left, alone: 105. Exact arithmetic says 104.33.
  Toy toy(2, {1.5});
  toy.task(0, 101, 1);
  toy.task(1, 10, 0);
  EXPECT_EQ(ends(run(std::move(toy.builder).freeze())), (std::vector<std::int64_t>{105, 10}));
}

TEST(Coupling, ALaneThatGoesOnAtOnceRoundsNothingInItsNeighbours) {
  // B1 and B2 follow each other without a gap, so A's factor never changes: ceil(33 * 1.5) = 50.
  Toy toy(2, {1.5});
  toy.task(0, 33, 1);
  for (int i = 0; i < 60; ++i) toy.task(1, 1, 0);
  const Timeline timeline = run(std::move(toy.builder).freeze());
  EXPECT_EQ(timeline.end[0], SimTime{50});
}

}  // namespace
}  // namespace orrery
