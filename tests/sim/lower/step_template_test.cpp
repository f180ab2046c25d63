#include "sim/lower/step_template.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "sim/engine/engine.hpp"
#include "tests/support/hand_made.hpp"

namespace orrery {
namespace {

using test::act;
using test::HandMade;
using test::Pieces;

const Step kForward = alone(act(ActionKind::kForward, 0, 0));
const Step kBackward = alone(act(ActionKind::kBackward, 0, 0));
const Step kInputGrad = alone(act(ActionKind::kInputGrad, 0, 0));
const Step kWeightGrad = alone(act(ActionKind::kWeightGrad, 0, 0));
const Step kPair = overlap(act(ActionKind::kForward, 0, 1), act(ActionKind::kBackward, 0, 0));

/// Compute pieces of 4 us each, exchanges of `exchange` us.
Pieces layer(double exchange) {
  return {.attention_f = 4,
          .dispatch_f = exchange,
          .mlp_f = 4,
          .combine_f = exchange,
          .combine_b = exchange,
          .mlp_b = 4,
          .dispatch_b = exchange,
          .attention_b = 4,
          .mlp_w = 4,
          .attention_w = 4};
}

std::vector<std::string> names(const StepTemplates& templates, const StepTemplate& t) {
  std::vector<std::string> all;
  for (const TemplateTask& task : t.tasks) all.emplace_back(templates.items()[task.item].name);
  return all;
}

std::vector<std::int32_t> waits(const StepTemplate& t) {
  std::vector<std::int32_t> all;
  for (const TemplateTask& task : t.tasks) all.push_back(task.after);
  return all;
}

/// Microseconds of one step alone on one rank.
double alone_us(HandMade& made, const Step& step, int stages = 1) {
  return test::us(run(made.lower(test::one_rank({step}, stages)).graph).makespan);
}

TEST(StepTemplate, APairFollowsThePublishedIssueOrder) {
  HandMade made(1, {test::unit(layer(2))});
  const StepTemplate& t = made.templates().at(made.templates().template_of(kPair));
  EXPECT_EQ(names(made.templates(), t),
            (std::vector<std::string>{"combine B", "attention F", "mlp B", "dispatch F", "dispatch B",
                                      "mlp W", "mlp F", "attention B", "attention W", "combine F"}));
}

TEST(StepTemplate, APairsTasksWaitForTheirOwnChainAcrossLanesOnly) {
  HandMade made(1, {test::unit(layer(2))});
  const StepTemplate& t = made.templates().at(made.templates().template_of(kPair));
  // mlp B (2) for combine B (0); dispatch F (3) for attention F (1); dispatch B (4) for mlp B (2); mlp F (6)
  // for dispatch F (3); attention B (7) for dispatch B (4); combine F (9) for mlp F (6).
  EXPECT_EQ(waits(t), (std::vector<std::int32_t>{-1, -1, 0, 1, 2, -1, 3, 4, -1, 6}));
  EXPECT_EQ(t.first_other, 0);
  EXPECT_EQ(t.gradient_end, 7);  // attention B: the weight gradient after it sends nothing
  EXPECT_EQ(t.forward_end, 9);   // combine F
}

TEST(StepTemplate, ASecondUnitGoesOnWhereTheFirstEnded) {
  HandMade made(1, {test::unit({.attention_f = 1, .combine_f = 2}), test::unit({.attention_f = 3})});
  made.workload.stages = {{.units = {0, 1}, .first_layer = 0, .layers = 2}};
  const StepTemplate& t = made.templates().at(made.templates().template_of(kForward));
  EXPECT_EQ(waits(t), (std::vector<std::int32_t>{-1, 0, 1}));
  EXPECT_EQ(t.forward_end, 2);
  EXPECT_EQ(alone_us(made, kForward), 6);
}

TEST(StepTemplate, BackwardsVisitTheUnitsFromTheLast) {
  HandMade made(1, {test::unit({.attention_b = 1, .attention_w = 1}), test::unit({.mlp_b = 3})});
  made.workload.stages = {{.units = {0, 1}, .first_layer = 0, .layers = 2}};
  const StepTemplate& t = made.templates().at(made.templates().template_of(kBackward));
  EXPECT_EQ(names(made.templates(), t), (std::vector<std::string>{"mlp B", "attention B", "attention W"}));
  EXPECT_EQ(t.gradient_end, 2);  // a whole backward sends when all of it is done
  EXPECT_EQ(t.forward_end, -1);
}

TEST(StepTemplate, AForwardAloneIsTheSumOfItsParts) {
  // 4 + 2 + 4 + 2
  HandMade made(1, {test::unit(layer(2))});
  EXPECT_EQ(alone_us(made, kForward), 12);
}

TEST(StepTemplate, ABackwardAloneHidesTheGradientExchangeBehindTheWeightGradient) {
  // combine 7, mlp 4, then dispatch 7 beside mlp W 4, attention 4, attention W 4.
  HandMade made(1, {test::unit(layer(7))});
  EXPECT_EQ(alone_us(made, kBackward), 7 + 4 + 7 + 4 + 4);
  EXPECT_EQ(alone_us(made, kInputGrad), 7 + 4 + 7 + 4);
  EXPECT_EQ(alone_us(made, kWeightGrad), 4 + 4);
}

TEST(StepTemplate, APairHidesShortExchangesBehindCompute) {
  // attention F 0-4 beside combine B 0-2; mlp B 4-8 beside dispatch F 4-6; mlp W 8-12 beside dispatch B 8-10;
  // mlp F 12-16; attention B 16-20 beside combine F 16-18; attention W 20-24: six times 4 of compute.
  HandMade made(1, {test::unit(layer(2))});
  EXPECT_EQ(alone_us(made, kPair), 24);
}

TEST(StepTemplate, APairWithLongExchangesTakesTheTimeOfThese) {
  // combine B 0-10, dispatch F 10-20 (attention F ended at 4), dispatch B 20-30 (mlp B ended at 14), combine
  // F 30-40 (mlp F ended at 24); attention B 30-34 and attention W 34-38 beside it.
  HandMade made(1, {test::unit(layer(10))});
  EXPECT_EQ(alone_us(made, kPair), 40);
}

TEST(StepTemplate, UnequalRowsMeetWhereAnExchangeIsHidden) {
  // Three backward units of 5 us of compute, one of them with an exchange of 20 us in front; one forward unit
  // of 20 us. Only beside the exchange does the forward cost nothing: 20 + 3 * 5 instead of 20 + 20 + 3 * 5.
  for (std::size_t place = 0; place < 3; ++place) {
    std::vector<UnitWork> units(3, test::unit({.mlp_b = 5}));
    units[place] = test::unit({.combine_b = 20, .mlp_b = 5});
    units.push_back(test::unit({.attention_f = 20}));
    HandMade made(1, units);
    made.workload.stages = {{.units = {3}, .first_layer = 0, .layers = 1},
                            {.units = {0, 1, 2}, .first_layer = 1, .layers = 3}};
    const Step pair = overlap(act(ActionKind::kForward, 0, 1), act(ActionKind::kBackward, 1, 0));
    EXPECT_EQ(alone_us(made, pair, 2), 35) << place;
  }
}

TEST(StepTemplate, UnequalRowsMeetWhereAnExchangeIsHiddenTheOtherWayRound) {
  // Now the forward row is the longer one; the backward unit has 20 us of weight gradient to hide behind.
  for (std::size_t place = 0; place < 3; ++place) {
    std::vector<UnitWork> units(3, test::unit({.mlp_f = 5}));
    units[place] = test::unit({.dispatch_f = 20, .mlp_f = 5});
    units.push_back(test::unit({.mlp_w = 20}));
    HandMade made(1, units);
    made.workload.stages = {{.units = {0, 1, 2}, .first_layer = 0, .layers = 3},
                            {.units = {3}, .first_layer = 3, .layers = 1}};
    const Step pair = overlap(act(ActionKind::kForward, 0, 1), act(ActionKind::kBackward, 1, 0));
    EXPECT_EQ(alone_us(made, pair, 2), 35) << place;
  }
}

TEST(StepTemplate, MicrobatchesShareATemplateAndKindsAndStagesDoNot) {
  HandMade made(1, {test::unit(layer(2)), test::unit(layer(2))});
  StepTemplates& t = made.templates();
  const std::size_t first = t.template_of(kForward);
  EXPECT_EQ(t.template_of(alone(act(ActionKind::kForward, 0, 7))), first);
  EXPECT_NE(t.template_of(kBackward), first);
  EXPECT_NE(t.template_of(kPair), first);
  EXPECT_NE(t.template_of(alone(act(ActionKind::kForward, 1, 0))), first);
  EXPECT_NE(t.template_of(overlap(act(ActionKind::kForward, 0, 1), act(ActionKind::kBackward, 1, 0))),
            t.template_of(kPair));
}

TEST(StepTemplate, TheHostTakesItsTimeForEveryKernel) {
  HandMade made(1, {test::unit(layer(2))});
  made.cluster.gpu.host_launch_s = test::toy_number(3e-6);
  StepTemplates& t = made.templates();
  EXPECT_EQ(test::us(t.at(t.template_of(kForward)).host), 4 * 3);
  EXPECT_EQ(test::us(t.at(t.template_of(kPair)).host), 10 * 3);
}

TEST(StepTemplate, AWeightGradientThatStartsWithAnExchangeWaitsForTheGradient) {
  // The embedding's gradient is gathered over tp first; it arrives with the layer behind it.
  UnitWork embedding{.kind = UnitKind::kEmbedding, .name = "embedding"};
  embedding.work.attention_w = {test::exchange("gather", 2), test::work("embedding W", 1)};
  HandMade made(1, {embedding, test::plain_unit(1, 5, 1)});
  made.workload.stages = {{.units = {0, 1}, .first_layer = 0, .layers = 2}};
  StepTemplates& t = made.templates();
  const StepTemplate& backward = t.at(t.template_of(kBackward));
  EXPECT_EQ(names(t, backward),
            (std::vector<std::string>{"attention B", "attention W", "gather", "embedding W"}));
  EXPECT_EQ(waits(backward), (std::vector<std::int32_t>{-1, -1, 0, 2}));
  // Alone, it has nothing to wait for: attention W 0-1 beside gather 0-2, then embedding W.
  EXPECT_EQ(alone_us(made, kWeightGrad), 3);
}

TEST(StepTemplate, ContentionStretchesComputeOnlyWhileTheExchangeRuns) {
  // Compute takes twice as long beside communication. mlp W 4 us beside dispatch B 2 us: in those 2 us it
  // does 1 us of its work, then 3 us more: 5.
  HandMade made(1, {test::unit({.mlp_b = 1, .dispatch_b = 2, .mlp_w = 4})});
  made.cluster.gpu.contention = {{.op_class = "memory", .slowdown = test::toy_number(2)}};
  EXPECT_EQ(alone_us(made, kBackward), 1 + 5);
}

TEST(StepTemplate, ContentionStretchesTheExchangeWhileComputeRuns) {
  // dispatch B 6 us takes 1.5 times as long beside mlp W 3 us: 2 us done in 3, then 4 more.
  // (Without its latency, which nothing stretches, the exchange of 7 us takes 6.)
  HandMade made(1, {test::unit({.mlp_b = 1, .dispatch_b = 7, .mlp_w = 3})});
  made.cluster.scale_up.latency_s.value = 0;
  made.cluster.gpu.contention = {{.op_class = "communication", .slowdown = test::toy_number(1.5)}};
  EXPECT_EQ(alone_us(made, kBackward), 1 + 3 + 4);
}

TEST(StepTemplate, UnitSecondsCountsCommunicationOnlyWhenAsked) {
  HandMade made(1, {test::unit(layer(2))});
  // Six pieces of compute of 4 us, four exchanges of 2.
  EXPECT_DOUBLE_EQ(made.templates().unit_seconds(0, false), 24e-6);
  EXPECT_DOUBLE_EQ(made.templates().unit_seconds(0, true), 32e-6);
}

}  // namespace
}  // namespace orrery
