#include "planner/compare_schedules.hpp"

#include <gtest/gtest.h>

#include "sim/base/check.hpp"
#include "sim/schedule/generators.hpp"
#include "sim/simulate.hpp"
#include "tests/support/toy_scenario.hpp"

namespace orrery {
namespace {

Scenario two_ranks(std::int64_t microbatches = 16) {
  return test::toy_scenario(test::toy_dense(), {.name = "1f1b", .pp = 2}, microbatches);
}

ComparedSchedule one(const Scenario& scenario, const std::string& name) {
  const std::vector<std::string> names{name};
  return compare_schedules(scenario, names).front();
}

TEST(CompareSchedules, EveryGeneratorHasARowInTheOrderOfTheList) {
  const auto rows = compare_schedules(two_ranks(), schedule_names());
  ASSERT_EQ(rows.size(), generators().size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].name, generators()[i].name);
    EXPECT_FALSE(rows[i].infeasible) << rows[i].name;
  }
}

TEST(CompareSchedules, ARowIsWhatSimulatingThatScheduleGives) {
  Scenario s = two_ranks();
  const ComparedSchedule row = one(s, "dualpipe");
  s.layout.schedule = "dualpipe";
  const Metrics metrics = simulate(s).metrics;
  EXPECT_EQ(row.step_time_s, metrics.step_time_s);
  ASSERT_TRUE(row.memory);
  EXPECT_EQ(row.memory->total_bytes, metrics.memory_peak);
  EXPECT_EQ(row.bars.ranks.size(), 2U);
}

TEST(CompareSchedules, StagesPerRankAreTheScenariosWhereTheScheduleHasSuch) {
  Scenario s = two_ranks();
  EXPECT_EQ(one(s, "1f1b").vpp, 1);
  EXPECT_EQ(one(s, "interleaved-1f1b").vpp, 2);  // 1 is no interleaving: its own default
  s.layout.vpp = 4;
  s.layout.stage_layers = std::vector<std::int64_t>(8, 1);  // of 8 stages
  s.model.layers = 8;
  EXPECT_EQ(one(s, "interleaved-1f1b").vpp, 4);
  EXPECT_EQ(one(s, "1f1b").vpp, 1);
  EXPECT_FALSE(one(s, "1f1b").infeasible);  // 2 stages: the map of 8 gives way
  // 16 stages of 8 layers: asked for, hence a row with the reason rather than fewer stages.
  s.layout.vpp = 8;
  ASSERT_TRUE(one(s, "interleaved-1f1b").infeasible);
  EXPECT_EQ(one(s, "interleaved-1f1b").infeasible->reason, Reason::kPipeline);
}

TEST(CompareSchedules, ASizeAScheduleCannotHaveIsARowWithTheReason) {
  // Two ranks and three microbatches: DualPipe needs twice as many microbatches as ranks.
  const std::vector<std::string> names{"dualpipe", "1f1b"};
  const auto rows = compare_schedules(two_ranks(3), names);
  ASSERT_TRUE(rows[0].infeasible);
  EXPECT_EQ(rows[0].infeasible->reason, Reason::kSchedule);
  EXPECT_EQ(rows[0].step_time_s, 0);
  EXPECT_FALSE(rows[1].infeasible);
  EXPECT_EQ(fastest(rows), 1U);
}

TEST(CompareSchedules, SizesThatFitNoScheduleAreRowsToo) {
  Scenario s = two_ranks();
  s.gpus = 15;
  const auto rows = compare_schedules(s, schedule_names());
  for (const ComparedSchedule& row : rows) {
    ASSERT_TRUE(row.infeasible) << row.name;
    EXPECT_EQ(row.infeasible->reason, Reason::kWorldSize) << row.name;
  }
  EXPECT_FALSE(fastest(rows));
}

TEST(CompareSchedules, DualPipeHoldsTheParametersOfTwoStagesAndItsVHoldsThemOnce) {
  // The toy's four layers: 592 weights each; 1F1B on two ranks has two of them on a rank, DualPipe all four.
  Scenario s = two_ranks();
  const double once = one(s, "1f1b").memory->parameters;
  EXPECT_GT(once, 2 * 592);
  EXPECT_GT(one(s, "dualpipe").memory->parameters, 4 * 592);
  EXPECT_LT(one(s, "dualpipev").memory->parameters, 4 * 592);
}

TEST(CompareSchedules, AnUnknownNameIsRefusedBeforeAnythingRuns) {
  const std::vector<std::string> names{"1f1b", "dualpip"};
  EXPECT_THROW((void)compare_schedules(two_ranks(), names), InputError);
}

}  // namespace
}  // namespace orrery
