#include "sim/base/work_control.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <thread>

namespace orrery {
namespace {

TEST(WorkControl, NothingIsAskedWhereNoScopeIs) {
  EXPECT_EQ(current_control(), nullptr);
  check_control();
}

TEST(WorkControl, StopsTheThreadWhoseScopeItIs) {
  WorkControl control;
  const ControlScope scope(&control);
  check_control();
  control.stop();
  EXPECT_THROW(check_control(), Stopped);
  control.resume();  // what is stopped stays so
  EXPECT_THROW(check_control(), Stopped);
  control.reset();
  check_control();
}

TEST(WorkControl, IsNoErrorThatCouldBeTurnedIntoWords) {
  WorkControl control;
  control.stop();
  const ControlScope scope(&control);
  const auto guarded = [] {
    try {
      check_control();
    } catch (const std::exception&) {
      return;
    }
  };
  EXPECT_THROW(guarded(), Stopped);
}

TEST(WorkControl, ScopesNest) {
  WorkControl outer, inner;
  const ControlScope first(&outer);
  {
    const ControlScope second(&inner);
    EXPECT_EQ(current_control(), &inner);
    const ControlScope third(nullptr);
    EXPECT_EQ(current_control(), nullptr);
  }
  EXPECT_EQ(current_control(), &outer);
}

TEST(WorkControl, PausedWorkWaitsUntilItIsResumedOrStopped) {
  for (const bool stop : {false, true}) {
    WorkControl control;
    control.pause();
    EXPECT_TRUE(control.paused());
    std::atomic<int> done{0};
    std::thread worker([&] {
      const ControlScope scope(&control);
      try {
        check_control();
        done = 1;
      } catch (const Stopped&) {
        done = 2;
      }
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(done, 0);
    if (stop) {
      control.stop();
    } else {
      control.resume();
    }
    worker.join();
    EXPECT_EQ(done, stop ? 2 : 1);
    EXPECT_FALSE(control.paused());
  }
}

}  // namespace
}  // namespace orrery
