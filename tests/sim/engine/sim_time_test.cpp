#include "sim/engine/sim_time.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace orrery {
namespace {

TEST(SimTime, CountsPicoseconds) {
  EXPECT_EQ(to_sim_time(Seconds{1e-6}), SimTime{1'000'000});
  EXPECT_EQ(to_seconds(SimTime{2'500'000'000'000}), Seconds{2.5});
}

TEST(SimTime, RoundsToTheNearestPicosecondWithHalvesAwayFromZero) {
  EXPECT_EQ(to_sim_time(Seconds{0.4e-12}), SimTime{0});
  EXPECT_EQ(to_sim_time(Seconds{0.5e-12}), SimTime{1});
  EXPECT_EQ(to_sim_time(Seconds{2.5e-12}), SimTime{3});
  EXPECT_EQ(to_sim_time(Seconds{-0.5e-12}), SimTime{-1});
}

TEST(SimTime, RefusesWhatIsNotATimeOrDoesNotFit) {
  EXPECT_THROW((void)to_sim_time(Seconds{std::numeric_limits<double>::quiet_NaN()}), InternalError);
  EXPECT_THROW((void)to_sim_time(Seconds{std::numeric_limits<double>::infinity()}), InternalError);
  EXPECT_THROW((void)to_sim_time(Seconds{9.3e6}), InternalError);
  EXPECT_EQ(to_sim_time(Seconds{9e6}), SimTime{9'000'000'000'000'000'000});
}

}  // namespace
}  // namespace orrery
