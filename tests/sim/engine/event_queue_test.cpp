#include "sim/engine/event_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

ResourceId lane(int id) {
  return ResourceId{id};
}

std::vector<int> drain(LaneQueue& queue) {
  std::vector<int> lanes;
  while (queue.time() != kNever) {
    lanes.push_back(queue.lane().value);
    queue.clear(queue.lane());
  }
  return lanes;
}

TEST(LaneQueue, IsEmptyAtFirst) {
  EXPECT_EQ(LaneQueue(1).time(), kNever);
  EXPECT_EQ(LaneQueue(5).time(), kNever);
}

TEST(LaneQueue, GivesEventsInTheOrderOfTime) {
  LaneQueue queue(5);
  queue.set(lane(0), SimTime{30});
  queue.set(lane(3), SimTime{10});
  queue.set(lane(4), SimTime{20});
  EXPECT_EQ(queue.time(), SimTime{10});
  EXPECT_EQ(drain(queue), (std::vector<int>{3, 4, 0}));
}

TEST(LaneQueue, GivesEqualTimesInTheOrderOfLanesWhateverTheOrderOfSetting) {
  std::array<int, 5> order = {0, 1, 2, 3, 4};
  do {
    LaneQueue queue(5);
    for (const int id : order) queue.set(lane(id), SimTime{7});
    ASSERT_EQ(drain(queue), (std::vector<int>{0, 1, 2, 3, 4}));
  } while (std::ranges::next_permutation(order).found);
}

TEST(LaneQueue, ReplacesALanesEventInPlace) {
  LaneQueue queue(3);
  queue.set(lane(1), SimTime{5});
  queue.set(lane(2), SimTime{6});
  queue.set(lane(1), SimTime{9});
  EXPECT_EQ(drain(queue), (std::vector<int>{2, 1}));
}

TEST(LaneQueue, KeepsItsOrderWhenTimesOutgrowTheKey) {
  // With 2^16 lanes a key holds spans below 2^48 ps, about 281 s. 100 steps of 200 s go far beyond.
  LaneQueue queue(1U << 16);
  constexpr std::int64_t kStep = 200'000'000'000'000;
  queue.set(lane(65'535), SimTime{kStep});
  for (std::int64_t i = 1; i <= 100; ++i) {
    ASSERT_EQ(queue.time(), SimTime{i * kStep});
    queue.set(lane(7), SimTime{i * kStep + 1});
    queue.set(lane(65'535), SimTime{(i + 1) * kStep});
    ASSERT_EQ(queue.lane(), lane(7));
    queue.clear(lane(7));
  }
  queue.clear(lane(65'535));
  queue.set(lane(1), SimTime{1000 * kStep});
  EXPECT_EQ(queue.time(), SimTime{1000 * kStep});
  EXPECT_THROW(queue.set(lane(2), SimTime{1002 * kStep}), InternalError);
}

TEST(LaneQueue, AgreesWithASearchForTheLeastTimeAndLane) {
  std::mt19937_64 random(3);
  for (const std::size_t lanes : {1U, 2U, 7U, 64U, 100U}) {
    LaneQueue queue(lanes);
    std::vector<SimTime> keys(lanes, kNever);
    SimTime now;
    for (int step = 0; step < 2000; ++step) {
      const std::size_t id = random() % lanes;
      if (random() % 3 == 0) {
        keys[id] = kNever;
        queue.clear(ResourceId{id});
      } else {
        keys[id] = now + SimTime{static_cast<std::int64_t>(random() % 4)};
        queue.set(ResourceId{id}, keys[id]);
      }
      const auto least = std::ranges::min_element(keys);
      ASSERT_EQ(queue.time(), *least);
      if (*least == kNever) continue;
      ASSERT_EQ(queue.lane().at(), static_cast<std::size_t>(least - keys.begin()));
      now = *least;
    }
  }
}

}  // namespace
}  // namespace orrery
