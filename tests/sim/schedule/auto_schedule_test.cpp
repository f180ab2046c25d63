#include "sim/schedule/auto_schedule.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "sim/schedule/validate.hpp"
#include "tests/sim/schedule/random_costs.hpp"

namespace orrery {
namespace {

constexpr std::int64_t kSmallEffort = 1'000'000;

/// Every program of one rank with one stage, microbatches in order: forwards, whole or split backwards,
/// pairs.
class Programs {
 public:
  Programs(int stage, int microbatches, bool pairs)
      : stage_(stage), microbatches_(microbatches), pairs_(pairs) {
    extend(0, 0, {});
  }
  std::vector<std::vector<Step>> all;

 private:
  [[nodiscard]] Action action(ActionKind kind, int m) const {
    return {.kind = kind, .stage = StageId{stage_}, .microbatch = MicrobatchId{m}};
  }
  void with(const Step& step, int forwards, int backwards, const std::vector<int>& held) {
    steps_.push_back(step);
    extend(forwards, backwards, held);
    steps_.pop_back();
  }
  void extend(int forwards, int backwards, const std::vector<int>& held) {
    if (backwards == microbatches_ && held.empty()) all.push_back(steps_);
    const bool forward = forwards < microbatches_;
    const bool backward = backwards < forwards;
    const Action f = action(ActionKind::kForward, forwards);
    const Action b = action(ActionKind::kBackward, backwards);
    if (forward) with(alone(f), forwards + 1, backwards, held);
    if (backward) with(alone(b), forwards, backwards + 1, held);
    if (forward && backward && pairs_) with(overlap(f, b), forwards + 1, backwards + 1, held);
    if (backward) {
      std::vector<int> more = held;
      more.push_back(backwards);
      with(alone(action(ActionKind::kInputGrad, backwards)), forwards, backwards + 1, more);
    }
    if (!held.empty()) {
      with(alone(action(ActionKind::kWeightGrad, held.front())), forwards, backwards,
           {held.begin() + 1, held.end()});
    }
  }

  int stage_;
  int microbatches_;
  bool pairs_;
  std::vector<Step> steps_;
};

/// The shortest makespan of two ranks with one stage each, by trying all orders.
std::int64_t shortest(const ScheduleCosts& costs, int microbatches) {
  Schedule schedule = make_schedule("1f1b", 2, 1, microbatches);
  const Programs first(0, microbatches, !costs.pairs.empty());
  const Programs second(1, microbatches, !costs.pairs.empty());
  ScheduleTimer timer(costs);
  std::int64_t best = std::numeric_limits<std::int64_t>::max();
  for (const auto& a : first.all) {
    schedule.ranks[0] = a;
    for (const auto& b : second.all) {
      schedule.ranks[1] = b;
      const Evaluation& e = timer.run(schedule);
      if (e.usable()) best = std::min(best, e.makespan);
    }
  }
  return best;
}

TEST(ScheduleTimer, TimesOneMicrobatchThroughTwoStagesByHand) {
  // F 3, message 1, F 5, B 7 of which the gradient leaves after 4, message 1, B 6: 3+1+5+4+1+6 = 20.
  ScheduleCosts costs;
  costs.stages.resize(2);
  costs.stages[0].forward = whole_step(3);
  costs.stages[0].backward = whole_step(6);
  costs.stages[1].forward = whole_step(5);
  costs.stages[1].backward = {.duration = 7, .output = 0, .gradient = 4};
  costs.message = 1;
  const Evaluation e = evaluate(make_schedule("1f1b", 2, 1, 1), costs);
  EXPECT_TRUE(e.usable());
  EXPECT_EQ(e.makespan, 20);
  costs.tail = {0, 9};  // rank 1 ends at 3+1+5+7 = 16
  EXPECT_EQ(evaluate(make_schedule("1f1b", 2, 1, 1), costs).makespan, 25);
}

TEST(ScheduleTimer, BlockingMessagesHoldTheirRankUp) {
  // Rank 0: F of 3 twice, messages of 4. They are at rank 1 at 7 and, one after the other, at 11. Rank 1: F 7
  // to 8 and 11 to 12, B 12 to 13 and 13 to 14; its messages are back at 17 and 21. The last B ends at 22.
  // Blocking: the second F runs 7 to 10, is there at 14; B 15 to 16, its message until 20, B 20 to 21, back
  // at 25: 26.
  ScheduleCosts costs;
  costs.stages.resize(2);
  for (StageCost& s : costs.stages) s.forward = s.backward = whole_step(1);
  costs.stages[0].forward = whole_step(3);
  costs.message = 4;
  const Schedule gpipe = make_schedule("gpipe", 2, 1, 2);
  EXPECT_EQ(evaluate(gpipe, costs).makespan, 22);
  costs.blocking = true;
  EXPECT_EQ(evaluate(gpipe, costs).makespan, 26);
}

TEST(ScheduleTimer, UnitTicksAgreeWithPeakMemoryOfStats) {
  ScheduleCosts costs;
  costs.stages.assign(8, {.forward = whole_step(1),
                          .backward = whole_step(2),
                          .input_grad = whole_step(1),
                          .weight_grad = whole_step(1),
                          .kept = 1,
                          .deferred = 0});
  costs.pairs.assign(64, whole_step(3));
  for (const char* name : {"1f1b", "zb-h1", "dualpipe", "gpipe"}) {
    const Schedule schedule = make_schedule(name, 8, 1, 20);
    const Evaluation e = evaluate(schedule, costs);
    ASSERT_TRUE(e.usable()) << name;
    const ScheduleStats counted = stats(schedule);
    for (std::size_t r = 0; r < 8; ++r) EXPECT_EQ(e.peak_units[r], counted.ranks[r].peak_live) << name;
  }
}

TEST(ScheduleTimer, FindsOrdersThatCannotRun) {
  Schedule schedule = make_schedule("1f1b", 2, 1, 2);
  const ScheduleCosts costs = test::random_costs(2, 1, false);
  EXPECT_TRUE(evaluate(schedule, costs).runs);
  std::swap(schedule.ranks[1][0], schedule.ranks[1][1]);  // the backward before its forward
  EXPECT_FALSE(evaluate(schedule, costs).runs);
}

TEST(AutoSchedule, IsTheShortestOfAllOrdersOnTwoRanksOrWithinTwoPercent) {
  int cases = 0;
  int shortest_found = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    for (const bool pairs : {false, true}) {
      for (const bool tight : {false, true}) {
        const int microbatches = pairs ? 2 : 3;
        ScheduleCosts costs = test::random_costs(2, seed, pairs);
        if (tight) costs.memory_limit = {2 * costs.stages[0].kept, 2 * costs.stages[1].kept};
        const AutoSchedule found = find_schedule(
            {.placement = placements({2, 1, microbatches}).front(), .costs = costs, .effort = kSmallEffort});
        const std::int64_t best = shortest(costs, microbatches);
        ASSERT_TRUE(found.found);
        EXPECT_GE(found.makespan, best);
        EXPECT_LE(50 * found.makespan, 51 * best)
            << "seed " << seed << " pairs " << pairs << " tight " << tight;
        ++cases;
        if (found.makespan == best) ++shortest_found;
        EXPECT_LE(found.lower_bound, best);
      }
    }
  }
  EXPECT_GE(shortest_found, cases - 1);
}

struct Case {
  PipelineShape shape;
  ScheduleCosts costs;
};

/// Sizes and costs of one seed.
Case random_case(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Case c;
  c.shape.pp = static_cast<int>(test::draw(random, 2, 6));
  c.shape.vpp = static_cast<int>(test::draw(random, 1, 2));
  c.shape.microbatches = c.shape.pp * static_cast<int>(test::draw(random, 1, 3));
  c.costs = test::random_costs(c.shape.pp * c.shape.vpp, seed, test::draw(random, 0, 1) == 1);
  if (test::draw(random, 0, 1) == 1) {
    c.costs.memory_limit.assign(static_cast<std::size_t>(c.shape.pp), 6 * c.shape.pp * c.shape.vpp);
  }
  return c;
}

TEST(AutoSchedule, IsNeverLongerThanAnyFixedScheduleThatFits) {
  int compared = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const Case c = random_case(seed);
    for (const Placement& placement : placements(c.shape)) {
      const AutoSchedule found =
          find_schedule({.placement = placement, .costs = c.costs, .effort = kSmallEffort});
      ASSERT_TRUE(found.found) << seed;
      for (const GeneratorInfo& info : generators()) {
        if (info.name == "auto" ||
            check_schedule(info.name, c.shape.pp, c.shape.vpp, c.shape.microbatches).has_value())
          continue;
        const Schedule fixed = info.make(c.shape);
        if (placement_of(fixed) != placement) continue;
        const Evaluation e = evaluate(fixed, c.costs);
        if (!e.usable()) continue;
        ++compared;
        EXPECT_LE(found.makespan, e.makespan) << info.name << " seed " << seed;
        EXPECT_LE(found.lower_bound, e.makespan) << info.name << " seed " << seed;
      }
    }
  }
  EXPECT_GT(compared, 100);
}

TEST(AutoSchedule, ResultsAreValidKeepTheLimitAndStayAboveTheBound) {
  for (std::uint64_t seed = 101; seed <= 130; ++seed) {
    const Case c = random_case(seed);
    for (const Placement& placement : placements(c.shape)) {
      const AutoSchedule found =
          find_schedule({.placement = placement, .costs = c.costs, .effort = kSmallEffort});
      ASSERT_TRUE(found.found) << seed;
      const auto fault = validate(found.schedule);
      EXPECT_FALSE(fault) << fault->text;
      EXPECT_EQ(placement_of(found.schedule), placement);
      EXPECT_GE(found.makespan, found.lower_bound);
      EXPECT_EQ(evaluate(found.schedule, c.costs).makespan, found.makespan);
      for (std::size_t r = 0; r < c.costs.memory_limit.size(); ++r)
        EXPECT_LE(found.peak_units[r], c.costs.memory_limit[r]) << seed;
    }
  }
}

TEST(AutoSchedule, UsesWhatATighterLimitLeavesAndSaysWhenNothingFits) {
  const PipelineShape shape{.pp = 4, .vpp = 1, .microbatches = 12};
  AutoInput input{.placement = placements(shape).front(),
                  .costs = test::random_costs(4, 3, false),
                  .effort = kSmallEffort};
  for (StageCost& s : input.costs.stages) s.kept = 2;
  std::int64_t last = 0;
  for (const std::int64_t limit : {24, 8, 4, 2}) {
    input.costs.memory_limit.assign(4, limit);
    const AutoSchedule found = find_schedule(input);
    ASSERT_TRUE(found.found) << limit;
    EXPECT_GE(found.makespan, last) << limit;
    last = found.makespan;
  }
  // One microbatch at a time through four stages: nothing runs beside anything but messages and weight
  // gradients.
  EXPECT_GT(last,
            2 * find_schedule({input.placement, test::random_costs(4, 3, false), kSmallEffort}).lower_bound);
  input.costs.memory_limit.assign(4, 1);
  EXPECT_FALSE(find_schedule(input).found);
}

TEST(AutoSchedule, EqualInputsGiveEqualSchedules) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Case c = random_case(seed);
    const AutoInput input{.placement = placements(c.shape).back(), .costs = c.costs, .effort = kSmallEffort};
    const AutoInput copy = input;
    EXPECT_EQ(find_schedule(input).schedule, find_schedule(copy).schedule);
  }
}

TEST(AutoSchedule, UnevenStagesGainOverTheBestFixedSchedule) {
  // Fixed orders are made for equal stages. As much memory as 1F1B needs where all stages keep the same.
  int shorter = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    AutoInput input{.placement = placements({4, 1, 12}).front(),
                    .costs = test::random_costs(4, seed, false),
                    .effort = kSmallEffort};
    for (StageCost& s : input.costs.stages) s.kept = s.deferred = 1;
    input.costs.memory_limit.assign(4, 4);
    std::int64_t best_fixed = std::numeric_limits<std::int64_t>::max();
    for (const char* name : {"1f1b", "zb-h1"}) {
      const Evaluation e = evaluate(make_schedule(name, 4, 1, 12), input.costs);
      if (e.usable()) best_fixed = std::min(best_fixed, e.makespan);
    }
    if (find_schedule(input).makespan < best_fixed) ++shorter;
  }
  EXPECT_GE(shorter, 15);
}

TEST(LowerBound, IsTheOneMicrobatchChainWhereThereIsOnlyOne) {
  // 3 + 2 + 5 forward, 5 + 2 + 3 back (I), then W of the first stage is not on the chain but on the rank.
  ScheduleCosts costs;
  costs.stages.assign(2, {});
  costs.stages[0] = {.forward = whole_step(3),
                     .backward = whole_step(6),
                     .input_grad = whole_step(3),
                     .weight_grad = whole_step(3)};
  costs.stages[1] = {.forward = whole_step(5),
                     .backward = whole_step(10),
                     .input_grad = whole_step(5),
                     .weight_grad = whole_step(5)};
  costs.message = 2;
  // turn(0) = 3+2+5+5+2 = 17, of which 3 are ahead: 17 + 9 - 3 = 23.
  EXPECT_EQ(lower_bound(placements({2, 1, 1}).front(), costs), 23);
}

TEST(Placements, AreThoseOfTheFixedSchedules) {
  EXPECT_EQ(placements({4, 1, 8}).size(), 2U);  // straight, and from both ends
  EXPECT_EQ(placements({3, 1, 8}).size(), 1U);
  EXPECT_EQ(placements({4, 2, 8}).size(), 2U);  // round and V
  EXPECT_EQ(placements({4, 1, 8})[1], placement_of(make_schedule("dualpipe", 4, 1, 8)));
  EXPECT_EQ(placements({4, 2, 8})[1], placement_of(make_schedule("dualpipev", 4, 2, 8)));
}

}  // namespace
}  // namespace orrery
