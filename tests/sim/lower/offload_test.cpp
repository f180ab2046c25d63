// What waits in the host's memory leaves the GPU's, and the copies take their time.
#include <gtest/gtest.h>

#include "sim/base/check.hpp"
#include "sim/cost/host_cost.hpp"
#include "sim/simulate.hpp"
#include "tests/laws/real_scenarios.hpp"
#include "tests/support/toy.hpp"
#include "tests/support/toy_scenario.hpp"

namespace orrery {
namespace {

Metrics run(Scenario s, Offload offload) {
  s.layout.offload = offload;
  const Metrics m = simulate(s).metrics;
  EXPECT_FALSE(m.infeasible) << m.infeasible->text;
  return m;
}

constexpr Offload kOptimizer{.optimizer = true, .activations = false};
constexpr Offload kActivations{.optimizer = false, .activations = true};
constexpr Offload kBoth{.optimizer = true, .activations = true};

Scenario with_host(Scenario s) {
  s.cluster.host_memory_bytes = test::toy_number(1e15);
  s.cluster.host_memory_bytes_per_s = test::toy_number(100e9);
  return s;
}

TEST(Offload, TheHostsUpdateByHand) {
  ClusterProfile c;
  c.host_link_bytes_per_s = test::toy_number(50e9);
  c.host_memory_bytes_per_s = test::toy_number(100e9);
  const double copies = host_copy_time(Bytes{4e9}, c).value + host_copy_time(Bytes{2e9}, c).value;
  EXPECT_NEAR(copies, 0.12 + 2 * 10e-6, 1e-12);
  EXPECT_NEAR(host_work_time(Bytes{16e9}, c).value, 0.32, 1e-12);
}

TEST(Offload, OptimizerStateIsOnTheHostAndNotOnTheGpu) {
  for (const Scenario& given : test::real_scenarios()) {
    const Scenario s = with_host(given);
    const Metrics without = run(s, {});
    const Metrics with = run(s, kOptimizer);
    for (std::size_t r = 0; r < with.memory.size(); ++r) {
      EXPECT_EQ(with.memory[r].optimizer, 0);
      EXPECT_EQ(without.memory[r].host, 0);
      EXPECT_NEAR(with.memory[r].total, without.memory[r].total - without.memory[r].optimizer,
                  1e-9 * with.memory[r].total);
      EXPECT_GT(with.memory[r].host, without.memory[r].optimizer);
    }
  }
}

TEST(Offload, ActivationsAreOnTheHostAndNotOnTheGpu) {
  for (const Scenario& given : test::real_scenarios()) {
    const Scenario s = with_host(given);
    const Metrics without = run(s, {});
    const Metrics with = run(s, kActivations);
    double saved = 0;
    for (std::size_t r = 0; r < with.memory.size(); ++r) {
      EXPECT_LE(with.memory[r].activations, without.memory[r].activations);
      saved += without.memory[r].activations - with.memory[r].activations;
      EXPECT_GE(with.memory[r].host, 0);
      // What is alive at once is on one side or the other; the two peaks need not be at the same moment.
      EXPECT_GE(with.memory[r].activations + with.memory[r].host, without.memory[r].activations * (1 - 1e-9));
    }
    EXPECT_GT(saved, 0) << test::label(s);
  }
}

// Copies and waits are only added. On real profiles they move what runs beside what, and with it the
// contention, so a ten-thousandth of the step is allowed.
TEST(Offload, IsNeverFaster) {
  for (const Scenario& given : test::real_scenarios()) {
    const Scenario s = with_host(given);
    const double without = run(s, {}).step_time_s;
    for (const Offload& o : {kOptimizer, kActivations, kBoth})
      EXPECT_GE(run(s, o).step_time_s, without * (1 - 1e-4)) << test::label(s) << " " << to_text(o);
  }
}

TEST(Offload, AWiderLinkIsNeverSlowerAndANarrowOneShowsInTheWaterfall) {
  for (const Scenario& given : test::real_scenarios()) {
    Scenario s = with_host(given);
    s.cluster.host_link_bytes_per_s.value = 1e9;
    const Metrics narrow = run(s, kActivations);
    EXPECT_GT(narrow.waterfall.exposed_offload, 0) << test::label(s);
    EXPECT_NEAR(narrow.waterfall.sum(), narrow.step_time_s, 1e-9 * narrow.step_time_s);
    double last = narrow.step_time_s;
    for (const double rate : {4e9, 16e9, 64e9, 1e15}) {
      s.cluster.host_link_bytes_per_s.value = rate;
      const double time = run(s, kActivations).step_time_s;
      EXPECT_LE(time, last * (1 + 1e-4)) << test::label(s) << " at " << rate;
      last = time;
    }
  }
}

TEST(Offload, AHostTooSmallIsAResultWithAReason) {
  Scenario s = with_host(test::real_scenarios().front());
  s.layout.offload = kBoth;
  s.cluster.host_memory_bytes = test::toy_number(1e6);
  const Metrics m = simulate(s).metrics;
  ASSERT_TRUE(m.infeasible);
  EXPECT_EQ(m.infeasible->reason, Reason::kMemory);
  EXPECT_NE(m.infeasible->text.find("on its host"), std::string::npos) << m.infeasible->text;
}

TEST(Offload, AnUnknownHostIsAnError) {
  Scenario s = test::real_scenarios().front();
  s.layout.offload = kOptimizer;
  s.cluster.host_memory_bytes.reset();
  EXPECT_THROW(static_cast<void>(simulate(s)), InputError);
}

}  // namespace
}  // namespace orrery
