// Tensor parallel traffic beside products, in whole microseconds.
#include <gtest/gtest.h>

#include "sim/engine/engine.hpp"
#include "tests/support/hand_made.hpp"

namespace orrery {
namespace {

using test::act;
using test::exchange;
using test::HandMade;
using test::work;

Op part(const char* name, double us, Beside beside) {
  Op op = work(name, us);
  op.beside = beside;
  return op;
}

CommOp transfer(const char* name, double us, Beside beside) {
  CommOp op = exchange(name, us);
  op.beside = beside;
  return op;
}

UnitWork unit_of(LayerWork layer) {
  UnitWork u{.kind = UnitKind::kMoe, .name = "unit"};
  u.work = std::move(layer);
  return u;
}

double alone_us(LayerWork layer, ActionKind kind) {
  HandMade made(1, {unit_of(std::move(layer))});
  return test::us(run(made.lower(test::one_rank({alone(act(kind, 0, 0))})).graph).makespan);
}

/// A norm of 1 us, a gather, a product of four pieces of 2 us, a kernel of 1 us.
double gathered(double gather_us) {
  LayerWork w;
  w.mlp_f = {work("norm", 1), transfer("gather", gather_us, Beside::kNextProduct),
             part("product", 6, Beside::kNothing), part("product", 2, Beside::kLastPart), work("after", 1)};
  return alone_us(std::move(w), ActionKind::kForward);
}

TEST(TensorOverlapTime, TheLastPieceOfAProductWaitsForTheWholeGather) {
  EXPECT_EQ(gathered(4), 1 + 6 + 2 + 1);    // hidden behind three pieces
  EXPECT_EQ(gathered(10), 1 + 10 + 2 + 1);  // the gather sets the time
}

double reduced(double reduction_us) {
  LayerWork w;
  w.mlp_f = {part("product", 2, Beside::kFirstPart), part("product", 6, Beside::kNothing),
             transfer("reduction", reduction_us, Beside::kPreviousProduct), work("after", 1)};
  return alone_us(std::move(w), ActionKind::kForward);
}

TEST(TensorOverlapTime, AReductionStartsWithTheFirstPieceOfItsProduct) {
  EXPECT_EQ(reduced(4), 2 + 6 + 1);
  EXPECT_EQ(reduced(10), 2 + 10 + 1);
}

/// Input gradient 3 us beside a gather, a reduction of 5, a norm of 1; weight gradient 4 us.
LayerWork backward(double gather_us) {
  LayerWork w;
  w.mlp_b = {transfer("gather again", gather_us, Beside::kForWeights), work("input gradient", 3),
             transfer("reduction", 5, Beside::kWeightProducts), work("norm backward", 1)};
  w.mlp_w = {work("weight gradient", 4)};
  return w;
}

TEST(TensorOverlapTime, TheReductionOfAnInputGradientRunsBesideTheWeightGradient) {
  // gather 0-2; input gradient 0-3; reduction 3-8 beside weight gradient 3-7; norm 8-9.
  EXPECT_EQ(alone_us(backward(2), ActionKind::kBackward), 9);
  // Without weight gradients there is nothing beside it.
  EXPECT_EQ(alone_us(backward(2), ActionKind::kInputGrad), 3 + 5 + 1);
}

TEST(TensorOverlapTime, OnlyTheWeightGradientWaitsForItsInput) {
  // gather 0-7; input gradient 0-3; the reduction needs the lane: 7-12; weight gradient 7-11; norm 12-13.
  EXPECT_EQ(alone_us(backward(7), ActionKind::kBackward), 13);
}

}  // namespace
}  // namespace orrery
