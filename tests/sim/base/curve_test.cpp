#include "sim/base/curve.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

TEST(Curve, BetweenPointsItIsAPowerLaw) {
  // From (1, 10) to (100, 1000) the slope in log-log space is 1: y = 10 x.
  const Curve line({{1, 10}, {100, 1000}});
  EXPECT_NEAR(line.at(10), 100, 1e-9);
  EXPECT_NEAR(line.at(50), 500, 1e-9);
  // From (4, 2) to (16, 4) the slope is 1/2: y = sqrt(x).
  const Curve root({{4, 2}, {16, 4}});
  EXPECT_NEAR(root.at(9), 3, 1e-12);
}

TEST(Curve, PointsAreMetExactly) {
  const Curve curve({{1, 3}, {7, 5}, {20, 2}});
  EXPECT_EQ(curve.at(1), 3);
  EXPECT_NEAR(curve.at(7), 5, 1e-12);
  EXPECT_EQ(curve.at(20), 2);
  EXPECT_GT(curve.at(6.9), curve.at(5));
  EXPECT_LT(curve.at(8), 5);
}

TEST(Curve, OutsideTheEndValueHolds) {
  const Curve curve({{16, 43}, {64, 46}});
  EXPECT_EQ(curve.at(1), 43);
  EXPECT_EQ(curve.at(0), 43);
  EXPECT_EQ(curve.at(1e9), 46);
  EXPECT_EQ(Curve({{5, 8}}).at(3), 8);
  EXPECT_EQ(Curve({{5, 8}}).at(7), 8);
}

TEST(Curve, WithoutPointsItCannotBeEvaluated) {
  EXPECT_TRUE(Curve().empty());
  EXPECT_THROW((void)Curve().at(1), InternalError);
}

}  // namespace
}  // namespace orrery
