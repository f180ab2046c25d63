// The schedule "auto" is at least as fast as every fixed schedule of the same scenario.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "sim/schedule/generators.hpp"
#include "sim/schedule/validate.hpp"
#include "sim/simulate.hpp"
#include "tests/support/toy_scenario.hpp"

namespace orrery {
namespace {

Scenario with_schedule(Scenario s, const std::string& name) {
  s.layout.schedule = name;
  return s;
}

std::string note(const Metrics& m, const std::string& name) {
  const auto at = std::ranges::find(m.assumptions, name, &Assumption::name);
  return at == m.assumptions.end() ? "" : at->value + " " + at->source;
}

TEST(AutoScheduleLaw, NoFixedScheduleOfTheSameScenarioIsFaster) {
  int compared = 0;
  for (const ModelSpec& model : {test::toy_dense(), test::toy_moe()}) {
    for (const auto& [pp, vpp] : {std::pair{4, 1}, std::pair{2, 2}, std::pair{3, 1}}) {
      Scenario s = test::toy_scenario(model, {"auto", pp, vpp}, 12);
      const SimResult found = simulate(s);
      ASSERT_FALSE(found.metrics.infeasible) << found.metrics.infeasible->text;
      EXPECT_FALSE(validate(*found.schedule));
      for (const GeneratorInfo& info : generators()) {
        const Metrics fixed = simulate(with_schedule(s, info.name)).metrics;
        if (fixed.infeasible) continue;
        ++compared;
        EXPECT_LE(found.metrics.step_time_s, fixed.step_time_s) << test::label(s) << " " << info.name;
      }
    }
  }
  EXPECT_GT(compared, 20);
}

TEST(AutoScheduleLaw, TheResultSaysWhatWasChosenAndHowFarItIsFromTheBound) {
  const SimResult found = simulate(test::toy_scenario(test::toy_dense(), {"auto"}));
  EXPECT_NE(note(found.metrics, "schedule.auto").find("1f1b"), std::string::npos);
  EXPECT_NE(note(found.metrics, "schedule.auto.lower_bound").find("% more"), std::string::npos);
  EXPECT_EQ(note(simulate(test::toy_scenario(test::toy_dense(), {"1f1b"})).metrics, "schedule.auto"), "");
}

TEST(AutoScheduleLaw, TheSameScenarioGivesTheSameSchedule) {
  const Scenario s = test::toy_scenario(test::toy_moe(), {"auto"});
  const Scenario copy = s;
  EXPECT_EQ(*simulate(s).schedule, *simulate(copy).schedule);
  Schedule out;
  EXPECT_FALSE(scenario_schedule(s, out));
  EXPECT_EQ(out, *simulate(s).schedule);
}

TEST(AutoScheduleLaw, TooLittleMemoryIsTheReasonOfNone) {
  Scenario s = test::toy_scenario(test::toy_dense(), {"auto"});
  const double enough = simulate(s).metrics.memory_peak;
  s.cluster.gpu.memory_bytes.value = enough / 100;
  const Metrics m = simulate(s).metrics;
  ASSERT_TRUE(m.infeasible);
  EXPECT_EQ(m.infeasible->reason, Reason::kMemory);
}

}  // namespace
}  // namespace orrery
