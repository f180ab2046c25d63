#include "sim/lower/lower.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "sim/engine/engine.hpp"
#include "sim/engine/graph_checks.hpp"
#include "sim/schedule/generators.hpp"
#include "sim/simulate.hpp"
#include "tests/support/hand_made.hpp"
#include "tests/support/toy_scenario.hpp"

namespace orrery {
namespace {

using test::act;
using test::HandMade;
using test::us;

/// `stages` equal layers: forward 10, input gradient 10, weight gradient 10; messages of 5.
HandMade plain(std::int64_t pp, std::size_t stages) {
  return HandMade(pp, std::vector<UnitWork>(stages, test::plain_unit(10, 10, 10)), 5);
}

std::vector<TaskId> messages(const LoweredStep& step) {
  std::vector<TaskId> all;
  for (int r = 0; r < step.ranks; ++r) {
    for (TaskId t : step.graph.lane_tasks(step.lane(RankId{r}, Lane::kNic))) all.push_back(t);
  }
  return all;
}

const PlacedStep& placed(const LoweredStep& step, int rank, std::size_t index) {
  return step.steps[step.rank_begin[static_cast<std::size_t>(rank)] + index];
}

/// The placed step that holds an action.
const PlacedStep& holder(const LoweredStep& step, const Action& action) {
  const auto found = std::ranges::find_if(step.steps, [&](const PlacedStep& p) {
    return p.step.first == action || (p.step.overlapped && p.step.second == action);
  });
  EXPECT_NE(found, step.steps.end());
  return *found;
}

TEST(Lower, AStepBeginsTheMomentTheOneBeforeHasEndedAndItsInputsAreHere) {
  for (const Scenario& scenario : test::toy_scenarios()) {
    const SimResult r = simulate(scenario);
    ASSERT_FALSE(r.metrics.infeasible) << test::label(scenario) << r.metrics.infeasible->text;
    const Timeline& t = *r.timeline;
    const LoweredStep& step = *r.step;
    for (std::size_t i = 0; i < step.steps.size(); ++i) {
      const PlacedStep& p = step.steps[i];
      SimTime ready;
      const bool first = i == step.rank_begin[p.rank.at()];
      if (!first) {
        const PlacedStep& before = step.steps[i - 1];
        ready = t.end[before.begin.at()];  // a step without work ends as it begins
        for (std::uint32_t k = 0; k < before.tasks; ++k)
          ready = std::max(ready, t.end[before.first_task.at() + k]);
      }
      for (TaskId input : p.inputs) {
        if (input != kNoTask) ready = std::max(ready, t.end[input.at()]);
      }
      ASSERT_EQ(t.start[p.begin.at()], ready) << test::label(scenario) << " step " << i;
      for (std::uint32_t k = 0; k < p.tasks; ++k)
        ASSERT_GE(t.start[p.first_task.at() + k], t.end[p.begin.at()]);
    }
  }
}

TEST(Lower, TwoRanksOfGpipeMatchTheHandSum) {
  // Forward 10, whole backward 20, message 5, blocking. Rank 0: F0 0-10, on the wire to 15, F1 15-25, message
  // to 30. Rank 1: F0 15-25, F1 30-40, B0 40-60 with its gradient at rank 0 by 65, B1 65-85 with its gradient
  // at rank 0 by 90. Rank 0: B0 65-85, B1 90-110.
  HandMade made = plain(2, 2);
  const LoweredStep step = made.lower(make_schedule("gpipe", 2, 1, 2));
  const Timeline t = run(step.graph);
  const auto begins = [&](int rank) {
    std::vector<double> all;
    for (std::size_t i = 0; i < 4; ++i) all.push_back(us(t.start[placed(step, rank, i).begin.at()]));
    return all;
  };
  EXPECT_EQ(begins(0), (std::vector<double>{0, 15, 65, 90}));
  EXPECT_EQ(begins(1), (std::vector<double>{15, 30, 40, 65}));
  EXPECT_EQ(us(t.makespan), 110);
}

TEST(Lower, BlockingMessagesDelayTheNextStepAndAsyncOnesDoNot) {
  for (MessageRule rule : {MessageRule::kBlocking, MessageRule::kAsync}) {
    HandMade made = plain(2, 2);
    made.layout.messages = rule;
    const LoweredStep step = made.lower(make_schedule("gpipe", 2, 1, 2));
    const Timeline t = run(step.graph);
    const bool blocking = rule == MessageRule::kBlocking;
    EXPECT_EQ(us(t.start[placed(step, 0, 1).begin.at()]), blocking ? 15 : 10);
    EXPECT_EQ(us(t.start[placed(step, 1, 0).begin.at()]), 15);
    EXPECT_EQ(placed(step, 0, 1).inputs[2] != kNoTask, blocking);
  }
}

TEST(Lower, AWholeBackwardSendsItsGradientAtItsEnd) {
  // Rank 1 runs a whole backward 10 + 10; rank 0 gets the gradient after 20 + 5.
  HandMade made = plain(2, 2);
  const LoweredStep step = made.lower(make_schedule("1f1b", 2, 1, 1));
  const Timeline t = run(step.graph);
  const PlacedStep& there = holder(step, act(ActionKind::kBackward, 1, 0));
  const PlacedStep& here = holder(step, act(ActionKind::kBackward, 0, 0));
  EXPECT_EQ(us(t.start[here.begin.at()] - t.start[there.begin.at()]), 25);
}

TEST(Lower, TheHostDelaysStepsShorterThanTheirEnqueueing) {
  // One kernel of 10 us a step; the host needs 25 us to enqueue the step's one kernel.
  HandMade made(1, {test::plain_unit(10, 10, 10)});
  made.cluster.gpu.host_launch_s = test::toy_number(25e-6);
  const LoweredStep step = made.lower(
      test::one_rank({alone(act(ActionKind::kForward, 0, 0)), alone(act(ActionKind::kForward, 0, 1))}));
  const Timeline t = run(step.graph);
  EXPECT_EQ(us(t.start[placed(step, 0, 1).begin.at()]), 25);
}

TEST(Lower, MessagesCrossEveryBoundaryBetweenRanksOnceEachWayAndNoOther) {
  struct Case {
    const char* name;
    int pp, vpp, microbatches;
    std::size_t crossings;  ///< boundaries between different ranks on a microbatch's way
  };
  // Interleaved over one rank crosses nothing; the V turns round on its last rank without a message.
  for (const Case& c : {Case{"1f1b", 4, 1, 8, 3}, Case{"gpipe", 1, 1, 8, 0}, Case{"dualpipe", 4, 1, 8, 3},
                        Case{"interleaved-1f1b", 2, 2, 8, 3}, Case{"interleaved-1f1b", 1, 4, 8, 0},
                        Case{"dualpipev", 2, 2, 8, 2}, Case{"zb-h1", 4, 1, 8, 3}}) {
    HandMade made = plain(c.pp, static_cast<std::size_t>(c.pp * c.vpp));
    const LoweredStep step = made.lower(make_schedule(c.name, c.pp, c.vpp, c.microbatches));
    const auto n = static_cast<std::size_t>(c.microbatches);
    EXPECT_EQ(messages(step).size(), 2 * n * c.crossings) << c.name;
    for (TaskId m : messages(step)) EXPECT_EQ(static_cast<TaskKind>(step.graph.kind(m)), TaskKind::kPp);
  }
}

TEST(Lower, ReverseMicrobatchesOfDualPipeGoTheOtherWay) {
  HandMade made = plain(4, 4);
  const Schedule schedule = make_schedule("dualpipe", 4, 1, 8);
  const LoweredStep step = made.lower(schedule);
  const auto sender = [&](ActionKind kind, int stage, int microbatch) {
    const PlacedStep& p = holder(step, act(kind, stage, microbatch));
    const std::size_t which = p.step.first == act(kind, stage, microbatch) ? 0 : 1;
    const TaskId input = p.inputs[which];
    EXPECT_NE(input, kNoTask);
    EXPECT_EQ(static_cast<TaskKind>(step.graph.kind(input)), TaskKind::kPp);
    return std::pair{step.graph.lane(input).value / kLaneCount, p.rank.value};
  };
  for (int stage = 1; stage < 4; ++stage) {
    EXPECT_EQ(sender(ActionKind::kForward, stage, 0), (std::pair{stage - 1, stage}));
    EXPECT_EQ(sender(ActionKind::kForward, stage, 4), (std::pair{4 - stage, 3 - stage}));
  }
  // Gradients come back: of microbatch 0 from the right, of microbatch 4 from the left. Some are whole
  // backwards, some input gradients.
  for (const PlacedStep& p : step.steps) {
    for (int i = 0; i < p.step.count(); ++i) {
      const Action& a = p.step.action(i);
      if (!is_backward(a.kind) || a.stage.value == 3) continue;
      const int from = step.graph.lane(p.inputs[static_cast<std::size_t>(i)]).value / kLaneCount;
      EXPECT_EQ(from, p.rank.value + (a.microbatch.value < 4 ? 1 : -1)) << to_text(a);
    }
  }
}

TEST(Lower, TheWayBackOfAVStartsOnTheRankWhereTheWayDownEnds) {
  // Stages 1 and 2 of a V over two ranks are both on rank 1: the input is the producer itself, not a message.
  HandMade made = plain(2, 4);
  const LoweredStep step = made.lower(make_schedule("dualpipev", 2, 2, 4));
  const PlacedStep& turn = holder(step, act(ActionKind::kForward, 2, 0));
  EXPECT_EQ(turn.rank, RankId{1});
  EXPECT_EQ(step.graph.lane(turn.inputs[0]), step.lane(RankId{1}, Lane::kCompute));
}

TEST(Lower, AMessageBesideAnExchangeOverNvlinkKeepsItsSpeed) {
  // F0's message of 5 us runs beside F1's exchange of 20 us inside the node: they share no link.
  UnitWork u = test::unit({.attention_f = 1, .dispatch_f = 20});
  HandMade made(2, {u, u}, 5);
  made.layout.messages = MessageRule::kAsync;
  const LoweredStep step = made.lower(make_schedule("gpipe", 2, 1, 2));
  const Timeline t = run(step.graph);
  const TaskId first = step.graph.lane_tasks(step.lane(RankId{0}, Lane::kNic))[0];
  EXPECT_EQ(us(t.end[first.at()] - t.start[first.at()]), 5);
}

TEST(Lower, AMessageBesideAnExchangeOverTheNicGetsHalf) {
  // Experts on 16 GPUs of two nodes: an exchange of 1000 us (and 3 to notify), half of whose bytes leave the
  // node. It asks for 50 of the NIC's 100 GB/s, so the message gets the other half: twice as long.
  UnitWork u;
  u.work.attention_f = {test::work("attention F", 1)};
  u.work.dispatch_f = {CommOp{.name = "dispatch F",
                              .kind = CommKind::kDispatch,
                              .axis = Axis::kEp,
                              .tokens = 1,
                              .bytes_per_token = 1e8,
                              .node_copies = 1,
                              .rank_copies = 0}};
  HandMade made(2, {u, u}, 5);
  made.layout.ep = 16;
  made.gpus = 32;
  made.layout.messages = MessageRule::kAsync;
  const LoweredStep step = made.lower(make_schedule("gpipe", 2, 1, 2));
  const Timeline t = run(step.graph);
  const TaskId first = step.graph.lane_tasks(step.lane(RankId{0}, Lane::kNic))[0];
  // Full speed for the 1 us of attention F1, then 4 us at half speed (0.3 % less for the time to notify).
  EXPECT_NEAR(us(t.end[first.at()] - t.start[first.at()]), 1 + 8, 0.05);
}

TEST(Lower, EveryScheduleOfEveryToyModelEndsDoneWithoutACycle) {
  for (const Scenario& scenario : test::toy_scenarios()) {
    const SimResult r = simulate(scenario);
    ASSERT_FALSE(r.metrics.infeasible) << test::label(scenario);
    EXPECT_EQ(r.timeline->stop, StopReason::kDone) << test::label(scenario);
    EXPECT_TRUE(find_cycle(r.step->graph).empty()) << test::label(scenario);
    EXPECT_EQ(std::ranges::count(r.timeline->end, kNever), 0) << test::label(scenario);
    EXPECT_EQ(r.step->item_by_task.size(), r.step->graph.task_count());
  }
}

TEST(Lower, TheCriticalPathRunsWithoutAGapFromZeroToTheMakespan) {
  for (const Scenario& scenario : test::toy_scenarios()) {
    const SimResult r = simulate(scenario);
    ASSERT_FALSE(r.metrics.infeasible) << test::label(scenario);
    const CriticalPath path = critical_path(r.step->graph, *r.timeline);
    SimTime clock;
    for (TaskId task : path.tasks) {
      ASSERT_EQ(r.timeline->start[task.at()], clock) << test::label(scenario);
      clock = r.timeline->end[task.at()];
    }
    EXPECT_EQ(clock, r.timeline->makespan) << test::label(scenario);
    EXPECT_GT(clock, SimTime{});
  }
}

TEST(Lower, EveryActionOfTheScheduleIsPlacedOnceInItsOrder) {
  for (const Scenario& scenario : test::toy_scenarios()) {
    const SimResult r = simulate(scenario);
    ASSERT_FALSE(r.metrics.infeasible) << test::label(scenario);
    for (std::size_t rank = 0; rank < r.schedule->ranks.size(); ++rank) {
      std::vector<Step> found;
      for (std::size_t i = r.step->rank_begin[rank]; i < r.step->rank_begin[rank + 1]; ++i) {
        EXPECT_EQ(r.step->steps[i].rank, RankId{rank});
        found.push_back(r.step->steps[i].step);
      }
      EXPECT_EQ(found, r.schedule->ranks[rank]) << test::label(scenario);
    }
  }
}

}  // namespace
}  // namespace orrery
