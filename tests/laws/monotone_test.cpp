// A better machine is never slower.
#include <gtest/gtest.h>

#include "tests/laws/real_scenarios.hpp"
#include "tests/laws/speeds.hpp"
#include "tests/support/toy_scenario.hpp"

namespace orrery {
namespace {

using Change = ClusterProfile (*)(ClusterProfile, double);

/// Rounding to picoseconds, one per task on the critical path.
constexpr double kRounding = 1e-9;

void expect_never_slower(const Scenario& slow, Change change, double tolerance) {
  double last = test::measured(slow).step_time_s;
  const double first = last;
  for (double k : {1.1, 1.5, 2.0, 4.0}) {
    Scenario fast = slow;
    fast.cluster = change(slow.cluster, k);
    const double time = test::measured(fast).step_time_s;
    EXPECT_LE(time, last * (1 + tolerance)) << test::label(slow) << " x " << k;
    last = time;
  }
  EXPECT_LT(last, first) << test::label(slow) << " does not gain at all";
}

TEST(Monotone, FasterLinksAreNeverSlower) {
  for (const Scenario& s : test::toy_scenarios()) expect_never_slower(s, test::links, kRounding);
}

TEST(Monotone, FasterMemoryIsNeverSlower) {
  for (const Scenario& s : test::toy_scenarios()) expect_never_slower(s, test::memory, kRounding);
}

TEST(Monotone, FasterArithmeticIsNeverSlower) {
  for (const Scenario& s : test::toy_scenarios()) expect_never_slower(s, test::arithmetic, kRounding);
}

// On real profiles a faster kernel moves what runs beside what, and with it the contention, so the law need
// not hold to the last digit. It does now; a ten-thousandth of the step is allowed.
constexpr double kContention = 1e-4;

TEST(Monotone, RealMachinesGainFromFasterLinks) {
  for (const Scenario& s : test::real_scenarios()) expect_never_slower(s, test::links, kContention);
}

TEST(Monotone, RealMachinesGainFromFasterMemory) {
  for (const Scenario& s : test::real_scenarios()) expect_never_slower(s, test::memory, kContention);
}

TEST(Monotone, RealMachinesGainFromFasterArithmetic) {
  for (const Scenario& s : test::real_scenarios()) expect_never_slower(s, test::arithmetic, kContention);
}

// What runs beside tensor parallel traffic takes nothing away from it.
TEST(Monotone, OverlappedWeightGradientsAreNeverSlower) {
  for (Scenario s : test::real_scenarios()) {
    if (s.layout.tp == 1) continue;
    for (const bool sequence_parallel : {false, true}) {
      s.layout.sequence_parallel = sequence_parallel;
      s.layout.tp_overlap = TensorOverlap::kNone;
      const double none = test::measured(s).step_time_s;
      s.layout.tp_overlap = TensorOverlap::kWeightGradients;
      const double beside = test::measured(s).step_time_s;
      // Postponed weight gradients stand beside nothing.
      if (s.layout.schedule == "zb-h1") {
        EXPECT_LE(beside, none * (1 + kContention)) << test::label(s);
      } else {
        EXPECT_LT(beside, none) << test::label(s);
      }
    }
  }
}

// DeepEP sends a token once to a rank and once to a node, the library once for each of its experts. Of wide
// models: what DeepEP waits before each exchange can outweigh the copies of narrow ones
// (docs/models/expert-parallel.md).
TEST(Monotone, ACopyForEachExpertIsSlowerOverNodes) {
  for (Scenario s : test::real_scenarios()) {
    if (!s.model.moe || s.layout.ep <= s.cluster.gpus_per_node) continue;
    const double once = test::measured(s).step_time_s;
    s.layout.moe_dispatcher = TokenDispatcher::kAllToAll;
    EXPECT_GT(test::measured(s).step_time_s, once) << test::label(s);
  }
}

TEST(Monotone, AHostThatIsCalledForEveryExpertIsNeverFaster) {
  for (Scenario s : test::real_scenarios()) {
    if (!s.model.moe) continue;
    double last = test::measured(s).step_time_s;
    const double first = last;
    s.training.expert_calls = ExpertCalls::kPerExpert;
    for (const double launch : {5e-6, 40e-6, 400e-6}) {
      s.cluster.gpu.host_launch_s.value = launch;
      const double now = test::measured(s).step_time_s;
      EXPECT_GE(now, last * (1 - kContention)) << test::label(s) << " at " << launch;
      last = now;
    }
    EXPECT_GT(last, first) << test::label(s) << " does not feel its host";
  }
}

// A lower power limit slows kernels that need more and no other; at the board's own limit nothing changes.
TEST(Monotone, LowerPowerCapsAreNeverFaster) {
  for (const Scenario& s : test::real_scenarios()) {
    const PowerFigures& p = s.cluster.gpu.power;
    const double board = p.cap_w.value;
    double last = test::measured(s).step_time_s;
    const double first = last;
    for (const double share : {1.0, 0.8, 0.6, 0.4}) {
      Scenario capped = s;
      const double watts = p.communication_floor_w.value + share * (board - p.communication_floor_w.value);
      apply_options(capped.cluster, {.power_cap_w = watts}, "test");
      const Metrics m = test::measured(capped);
      EXPECT_GE(m.step_time_s, last * (1 - kContention)) << test::label(s) << " at " << watts << " W";
      EXPECT_LE(*m.power.gpu_peak_w, watts * (1 + 1e-12));
      if (share == 1.0) {
        EXPECT_EQ(m.step_time_s, first);
      }
      last = m.step_time_s;
    }
    EXPECT_GT(last, first) << test::label(s) << " does not feel its cap";
  }
}

TEST(Monotone, MoreGpusForTheSameBatchAreNeverSlower) {
  std::vector<Scenario> all = test::toy_scenarios();
  for (const Scenario& s : test::real_scenarios()) all.push_back(s);
  for (const Scenario& s : all) {
    Scenario twice = s;
    twice.gpus *= 2;
    EXPECT_LT(test::measured(twice).step_time_s, test::measured(s).step_time_s) << test::label(s);
  }
}

TEST(Monotone, AsyncMessagesAreNeverSlowerThanBlockingOnes) {
  for (Scenario s : test::toy_scenarios()) {
    const double blocking = test::measured(s).step_time_s;
    s.layout.messages = MessageRule::kAsync;
    EXPECT_LE(test::measured(s).step_time_s, blocking) << test::label(s);
  }
}

TEST(Monotone, ContentionNeverSpeedsAStepUp) {
  for (Scenario s : test::toy_scenarios()) {
    const double without = test::measured(s).step_time_s;
    s.cluster.gpu.contention = {{.op_class = "gemm", .slowdown = test::toy_number(1.4)},
                                {.op_class = "communication", .slowdown = test::toy_number(1.8)}};
    EXPECT_GE(test::measured(s).step_time_s, without * (1 - kRounding)) << test::label(s);
  }
}

}  // namespace
}  // namespace orrery
