#include "planner/alternatives.hpp"

#include <gtest/gtest.h>

#include <string>

#include "planner/plan_json.hpp"
#include "sim/base/check.hpp"
#include "sim/simulate.hpp"
#include "tests/planner/v3_scenario.hpp"
#include "tests/support/toy_scenario.hpp"

namespace orrery {
namespace {

// Eight toy layers on 4 pipeline ranks: half, as many and twice the ranks.
Scenario toy() {
  Scenario s = test::toy_scenario(test::toy_dense(), {"1f1b"});
  return s;
}

TEST(Alternatives, HoldTheScenariosOwnLayoutWithItsSimulatedStep) {
  const Scenario s = toy();
  const Alternatives a = search_alternatives(s, 1);
  ASSERT_TRUE(a.why_none.empty()) << a.why_none;
  EXPECT_TRUE(a.proven);
  EXPECT_TRUE(a.front_complete);
  int own = 0;
  for (const PlanPoint& p : a.points) {
    if (!p.own) continue;
    ++own;
    EXPECT_DOUBLE_EQ(p.step_s, simulate(s).metrics.step_time_s);
  }
  EXPECT_EQ(own, 1);
}

TEST(Alternatives, NothingFoundIsBothFasterAndSmallerThanAPointOfTheFront) {
  const Alternatives a = search_alternatives(toy(), 1);
  ASSERT_GT(a.points.size(), 2U);
  ASSERT_FALSE(a.front.empty());
  EXPECT_EQ(a.front.front(), a.points.front());
  for (const PlanPoint& f : a.front) {
    for (const PlanPoint& p : a.points)
      EXPECT_FALSE(p.step_s <= f.step_s && p.memory_bytes < f.memory_bytes)
          << p.layout << " beats " << f.layout;
  }
}

TEST(Alternatives, DoNotDependOnThreads) {
  const Alternatives one = search_alternatives(toy(), 1);
  const Alternatives four = search_alternatives(toy(), 4);
  EXPECT_EQ(one.points, four.points);
  EXPECT_EQ(one.front, four.front);
}

TEST(Alternatives, ASettingTheSearchDoesNotKnowIsSaidAndNothingIsSearched) {
  Scenario s = toy();
  s.layout.optimizer_sync = OptimizerSync::kPostValidation;
  const Alternatives a = search_alternatives(s, 1);
  EXPECT_TRUE(a.points.empty());
  EXPECT_NE(a.why_none.find("layout.optimizer_sync"), std::string::npos) << a.why_none;
}

/// A plan of V3 over two schedules, as `orrery plan --format json` writes it.
const std::string& v3_plan() {
  static const std::string kPlan = [] {
    const Scenario s = test::v3_scenario();
    PlanRequest request;
    request.scenario = s;
    request.space = default_space(s);
    for (const char* key :
         {"tp", "cp", "pp", "ep", "etp", "zero", "mbs", "recompute", "precision", "sp", "sms", "placement"})
      pin(request.space, key, s, "test");
    restrict_space(request.space, "schedule", "1f1b,dualpipe", "test");
    request.objective = parse_objective("step", "test");
    request.sensitivity = false;
    return plan_json(plan_layouts(request), {}, 0);
  }();
  return kPlan;
}

const LoadContext& context() {
  static const LoadContext kContext{.profiles = {.roots = {ORRERY_SOURCE_DIR "/hwprofiles"}}, .base = {}};
  return kContext;
}

TEST(Alternatives, ASavedPlanIsReadBack) {
  const Scenario s = test::v3_scenario();
  const Alternatives a = read_alternatives(v3_plan(), "plan.json", s, context());
  ASSERT_EQ(a.points.size(), 2U);
  EXPECT_TRUE(a.points[0].own);
  EXPECT_NE(a.points[0].layout.find("dualpipe"), std::string::npos);
  EXPECT_NE(a.points[1].layout.find("1f1b"), std::string::npos);
  EXPECT_DOUBLE_EQ(a.points[0].step_s, simulate(s).metrics.step_time_s);
  EXPECT_TRUE(a.proven);
  EXPECT_EQ(a.source, "plan.json");
}

void expect_refused(const std::string& plan, const Scenario& s, const std::string& words) {
  try {
    (void)read_alternatives(plan, "plan.json", s, context());
    FAIL() << "no error, expected " << words;
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find(words), std::string::npos) << e.what();
  }
}

TEST(Alternatives, APlanOfAnotherQuestionOrVersionIsRefused) {
  const Scenario s = test::v3_scenario();
  const std::string plan = v3_plan();
  Scenario other = s;
  other.training.global_batch_size *= 2;
  expect_refused(plan, other, "plan.json#/scenario/training");
  std::string next = plan;
  next.replace(next.find("orrery.plan/1"), 13, "orrery.plan/2");
  expect_refused(next, s, "found 'orrery.plan/2', expected 'orrery.plan/1'");
  expect_refused("{", s, "plan.json");
  expect_refused(R"({"schema": "orrery.plan/1"})", s, "'scenario' is missing");
}

TEST(Alternatives, PricesMayDifferBetweenPlanAndReport) {
  const Scenario s = test::v3_scenario();
  const std::string plan = v3_plan();
  Scenario dearer = s;
  dearer.economics.usd_per_gpu_hour = 4;
  EXPECT_EQ(read_alternatives(plan, "plan.json", dearer, context()).points.size(), 2U);
}

}  // namespace
}  // namespace orrery
