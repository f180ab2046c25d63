#include "sim/engine/engine.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/engine/task_graph_builder.hpp"

namespace orrery {
namespace {

/// Writes down what it sees: "+3@10" task 3 started at 10 ps, "-3@20" it ended at 20 ps.
class Recorder : public Observer {
 public:
  void started(TaskId task, SimTime now) override { note("+", task, now); }
  void finished(TaskId task, SimTime now) override { note("-", task, now); }
  std::string seen;

 private:
  void note(const char* sign, TaskId task, SimTime now) {
    if (!seen.empty()) seen += ' ';
    seen += sign + std::to_string(task.value) + "@" + std::to_string(now.ps);
  }
};

TEST(Engine, EndsAtOnceWhenThereIsNothingToDo) {
  const Timeline timeline = run(TaskGraph{});
  EXPECT_EQ(timeline.stop, StopReason::kDone);
  EXPECT_EQ(timeline.makespan, SimTime{0});
  EXPECT_EQ(run(TaskGraph{}, {.path = RunPath::kEvents}).makespan, SimTime{0});
}

TEST(Engine, RunsALaneInTheOrderOfCreationAndWaitsForDependencies) {
  // lane 0:  a 0..10 | b 10..30
  // lane 1:            c 10..15 (after a) | d 30..37 (after b)
  TaskGraphBuilder builder;
  const ResourceId first = builder.add_lane("first");
  const ResourceId second = builder.add_lane("second");
  const TaskId a = builder.add_task({.lane = first, .duration = SimTime{10}});
  const TaskId b = builder.add_task({.lane = first, .duration = SimTime{20}});
  const TaskId c = builder.add_task({.lane = second, .duration = SimTime{5}});
  const TaskId d = builder.add_task({.lane = second, .duration = SimTime{7}});
  builder.add_dependency(a, c);
  builder.add_dependency(b, d);
  const TaskGraph graph = std::move(builder).freeze();
  for (const RunPath path : {RunPath::kAuto, RunPath::kEvents}) {
    const Timeline timeline = run(graph, {.path = path});
    EXPECT_EQ(timeline.stop, StopReason::kDone);
    EXPECT_EQ(timeline.start, (std::vector{SimTime{0}, SimTime{10}, SimTime{10}, SimTime{30}}));
    EXPECT_EQ(timeline.end, (std::vector{SimTime{10}, SimTime{30}, SimTime{15}, SimTime{37}}));
    EXPECT_EQ(timeline.makespan, SimTime{37});
    EXPECT_EQ(timeline.busy(second), SimTime{12});
    EXPECT_EQ(timeline.extra(b), SimTime{0});
    EXPECT_TRUE(timeline.waiting.empty());
  }
}

TEST(Engine, BlocksALaneBehindItsHead) {
  // The head of lane 1 waits for lane 0 until 10; the free task behind it may not overtake.
  TaskGraphBuilder builder;
  const ResourceId first = builder.add_lane("first");
  const ResourceId second = builder.add_lane("second");
  const TaskId a = builder.add_task({.lane = first, .duration = SimTime{10}});
  const TaskId head = builder.add_task({.lane = second, .duration = SimTime{1}});
  const TaskId behind = builder.add_task({.lane = second, .duration = SimTime{1}});
  builder.add_dependency(a, head);
  const Timeline timeline = run(std::move(builder).freeze());
  EXPECT_EQ(timeline.start[head.at()], SimTime{10});
  EXPECT_EQ(timeline.start[behind.at()], SimTime{11});
}

TEST(Engine, PassesThroughTasksOfZeroDuration) {
  // Two lanes join in a marker of zero duration at 8, which frees a third lane at once.
  TaskGraphBuilder builder;
  const ResourceId lane0 = builder.add_lane("0");
  const ResourceId lane1 = builder.add_lane("1");
  const ResourceId joins = builder.add_lane("joins");
  const TaskId a = builder.add_task({.lane = lane0, .duration = SimTime{5}});
  const TaskId b = builder.add_task({.lane = lane1, .duration = SimTime{8}});
  const TaskId join = builder.add_task({.lane = joins, .duration = SimTime{0}});
  const TaskId after = builder.add_task({.lane = lane0, .duration = SimTime{2}});
  builder.add_dependency(a, join);
  builder.add_dependency(b, join);
  builder.add_dependency(join, after);
  const TaskGraph graph = std::move(builder).freeze();
  for (const RunPath path : {RunPath::kAuto, RunPath::kEvents}) {
    const Timeline timeline = run(graph, {.path = path});
    EXPECT_EQ(timeline.start[join.at()], SimTime{8});
    EXPECT_EQ(timeline.end[join.at()], SimTime{8});
    EXPECT_EQ(timeline.end[after.at()], SimTime{10});
  }
}

TEST(Engine, EndsBeforeItStartsAndGoesByLaneIdWithinOneInstant) {
  // Tasks 0..2 sit on lanes 2, 1, 0 and all end at 10; each lane's next task (3..5) waits for all of them.
  // Ends in lane order: tasks 2 1 0. Then starts in lane order: tasks 5 4 3. Task 4 has no duration and
  // ends in the next round of the same instant, which frees task 6 on its lane.
  TaskGraphBuilder builder;
  for (const char* name : {"0", "1", "2"}) builder.add_lane(name);
  for (const int lane : {2, 1, 0}) builder.add_task({.lane = ResourceId{lane}, .duration = SimTime{10}});
  for (const int lane : {2, 1, 0}) {
    builder.add_task({.lane = ResourceId{lane}, .duration = SimTime{lane == 1 ? 0 : 3}});
  }
  builder.add_task({.lane = ResourceId{1}, .duration = SimTime{1}});
  for (int before = 0; before < 3; ++before) {
    for (int after = 3; after < 6; ++after) builder.add_dependency(TaskId{before}, TaskId{after});
  }
  Recorder recorder;
  (void)run(std::move(builder).freeze(), {.observer = &recorder});
  EXPECT_EQ(recorder.seen,
            "+2@0 +1@0 +0@0 -2@10 -1@10 -0@10 +5@10 +4@10 +3@10 -4@10 +6@10 -6@11 -5@13 -3@13");
}

TEST(Engine, ReportsADeadlockWithTheTasksAtTheHeadsOfTheLanes) {
  // Lane orders a1 a2 and b1 b2 cross the dependencies a2 -> b1 and b2 -> a1. Lane 2 runs `free`, then
  // stands behind a1.
  TaskGraphBuilder builder;
  const ResourceId lane_a = builder.add_lane("a");
  const ResourceId lane_b = builder.add_lane("b");
  const ResourceId lane_c = builder.add_lane("c");
  const TaskId a1 =
      builder.add_task({.lane = lane_a, .duration = SimTime{1}, .name = builder.intern("recv")});
  const TaskId a2 =
      builder.add_task({.lane = lane_a, .duration = SimTime{1}, .name = builder.intern("send")});
  const TaskId b1 =
      builder.add_task({.lane = lane_b, .duration = SimTime{1}, .name = builder.intern("recv")});
  const TaskId b2 =
      builder.add_task({.lane = lane_b, .duration = SimTime{1}, .name = builder.intern("send")});
  const TaskId free = builder.add_task({.lane = lane_c, .duration = SimTime{4}});
  const TaskId behind = builder.add_task({.lane = lane_c, .duration = SimTime{1}});
  builder.add_dependency(a2, b1);
  builder.add_dependency(b2, a1);
  builder.add_dependency(free, behind);
  builder.add_dependency(a1, behind);
  const TaskGraph graph = std::move(builder).freeze();
  Recorder recorder;
  for (const RunOptions& options :
       {RunOptions{}, RunOptions{.path = RunPath::kEvents}, RunOptions{.observer = &recorder}}) {
    const Timeline timeline = run(graph, options);
    EXPECT_EQ(timeline.stop, StopReason::kDeadlock);
    EXPECT_EQ(timeline.makespan, SimTime{4});
    EXPECT_EQ(timeline.end[free.at()], SimTime{4});
    EXPECT_EQ(timeline.start[a1.at()], kNever);
    EXPECT_EQ(timeline.end[a1.at()], kNever);
    EXPECT_EQ(timeline.start[behind.at()], kNever);
    EXPECT_EQ(timeline.waiting, (std::vector<WaitingTask>{{a1, {b2}}, {b1, {a2}}, {behind, {a1}}}));
    EXPECT_EQ(deadlock_text(timeline),
              "task 0 'recv' on lane 'a' waits for task 3 'send' on lane 'b'\n"
              "task 2 'recv' on lane 'b' waits for task 1 'send' on lane 'a'\n"
              "task 5 '' on lane 'c' waits for task 0 'recv' on lane 'a'\n");
  }
}

TEST(Engine, KeepsTheGraphAliveInsideTheTimeline) {
  Timeline timeline;
  {
    TaskGraphBuilder builder;
    builder.add_task({.lane = builder.add_lane("lane"), .duration = SimTime{3}, .tag = 17});
    const TaskGraph graph = std::move(builder).freeze();
    timeline = run(graph);
  }
  EXPECT_EQ(timeline.graph.tag(TaskId{0}), 17);
}

}  // namespace
}  // namespace orrery
