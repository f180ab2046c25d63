#include "sim/engine/sharing.hpp"

#include <gtest/gtest.h>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

TEST(SlowdownTable, StartsWithARowOfOnes) {
  const SlowdownTable table;
  EXPECT_EQ(table.size(), 1U);
  for (const Slowdown entry : table.row(0)) EXPECT_EQ(entry, kNoSlowdown);
}

TEST(SlowdownTable, SharesEqualRows) {
  SlowdownTable table;
  SlowdownRow row = table.row(0);
  EXPECT_EQ(table.add(row), 0);
  row[2] = to_slowdown(1.25);
  EXPECT_EQ(table.add(row), 1);
  EXPECT_EQ(table.add(row), 1);
  EXPECT_EQ(table.size(), 2U);
  EXPECT_EQ(table.largest(), 81920U);  // 1.25 * 65536
}

TEST(SlowdownTable, RefusesAccelerationAndSlowdownOfALoneTask) {
  SlowdownTable table;
  SlowdownRow row = table.row(0);
  row[1] = kNoSlowdown - 1;
  EXPECT_THROW(table.add(row), InternalError);
  row[1] = kNoSlowdown;
  row[0] = kNoSlowdown + 1;
  EXPECT_THROW(table.add(row), InternalError);
  EXPECT_THROW((void)to_slowdown(0.999), InternalError);
  EXPECT_THROW((void)to_slowdown(65536.0), InternalError);
}

TEST(Sharing, RoundsTheTimeLeftUpAndTheWorkDoneDown) {
  const Slowdown f = to_slowdown(1.5);
  EXPECT_EQ(time_left(SimTime{101}, f), SimTime{152});  // 151.5
  EXPECT_EQ(work_done(SimTime{10}, f), SimTime{6});     // 6.67
  EXPECT_EQ(time_left(SimTime{101}, kNoSlowdown), SimTime{101});
  EXPECT_EQ(work_done(SimTime{101}, kNoSlowdown), SimTime{101});
}

TEST(Sharing, HoldsBeyondTheRangeOfSixtyFourBitProducts) {
  // 1000 s = 1e15 ps: times 2^16 it exceeds 64 bits.
  const SimTime long_time{1'000'000'000'000'000};
  EXPECT_EQ(time_left(long_time, to_slowdown(2.0)), SimTime{2'000'000'000'000'000});
  EXPECT_EQ(work_done(long_time, to_slowdown(2.0)), SimTime{500'000'000'000'000});
}

TEST(Sharing, LeavesWorkToATaskThatHasNotEnded) {
  for (const double factor : {1.0, 1.00001, 1.3, 1.9, 7.7, 65535.9}) {
    const Slowdown f = to_slowdown(factor);
    for (std::int64_t work = 1; work < 200; ++work) {
      const SimTime end = time_left(SimTime{work}, f);
      EXPECT_LT(work_done(end - SimTime{1}, f), SimTime{work}) << factor;
      EXPECT_GE(work_done(end, f), SimTime{work}) << factor;
    }
  }
}

}  // namespace
}  // namespace orrery
