#include <gtest/gtest.h>

#include "sim/schedule/generators.hpp"
#include "sim/schedule/validate.hpp"
#include "tests/sim/schedule/unit_time.hpp"

namespace orrery {
namespace {

TEST(ZeroBubble, ThreeRanksByHand) {
  EXPECT_EQ(to_csv(make_schedule("zb-h1", 3, 1, 4)),
            "0F0,0F1,0F2,0I0,0W0,0F3,0I1,0W1,0I2,0W2,0I3,0W3\n"
            "1F0,1F1,1I0,1F2,1I1,1W0,1F3,1I2,1W1,1I3,1W2,1W3\n"
            "2F0,2I0,2F1,2I1,2F2,2I2,2W0,2F3,2I3,2W1,2W2,2W3\n");
}

TEST(ZeroBubble, H1IdlesPMinusOneTimesForwardPlusBackwardMinusTwoWeights) {
  // (P-1)(F+B-2W) = 7 * (1+2-2) = 7 for P = 8.
  for (const double idle : test::run_in_unit_time(make_schedule("zb-h1", 8, 1, 24), {}).idle) {
    EXPECT_DOUBLE_EQ(idle, 7);
  }
}

TEST(ZeroBubble, H1KeepsAtMostPMicrobatchesAliveOrDeferred) {
  const ScheduleStats all = stats(make_schedule("zb-h1", 8, 1, 24));
  for (int rank = 0; rank < 8; ++rank) {
    const StepCounts& counts = all.ranks[static_cast<std::size_t>(rank)];
    EXPECT_EQ(counts.peak_live, 8 - rank);
    EXPECT_EQ(counts.peak_deferred, rank + 1);  // one more for the moment between I and W
  }
}

}  // namespace
}  // namespace orrery
