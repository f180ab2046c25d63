// Which cluster: the answer is that of planning each cluster on its own.
#include "planner/buying.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "planner/training_run.hpp"
#include "sim/base/check.hpp"
#include "sim/simulate.hpp"
#include "tests/planner/v3_scenario.hpp"
#include "tests/support/toy_scenario.hpp"

namespace orrery {
namespace {

RunData shipped() {
  return load_run_data(ORRERY_SOURCE_DIR "/hwprofiles/economics");
}

ClusterProfile cluster_of(const std::string& name) {
  ClusterProfile c = test::toy_cluster();
  c.name = name;
  c.gpu.name = name == "slow" ? "a100-sxm" : "h100-sxm";
  if (name == "slow") {
    for (OperatorCurve& curve : c.gpu.operators) {
      curve.flops_per_s /= 2;
      curve.bytes_per_s /= 2;
    }
  }
  if (name == "tiny") c.gpu.memory_bytes.value = 1e6;
  return c;
}

SearchSpace layouts_of(const Scenario& s) {
  SearchSpace space = default_space(s);
  for (const auto& [key, values] : {std::pair{"tp", "1,2"},
                                    {"cp", "1"},
                                    {"pp", "1,2,4"},
                                    {"mbs", "1"},
                                    {"zero", "1"},
                                    {"schedule", "1f1b,zb-v"},
                                    {"placement", "balanced"},
                                    {"recompute", "none"}})
    restrict_space(space, key, values, "test");
  return space;
}

BuyingRequest request() {
  BuyingRequest r;
  r.scenario = test::toy_scenario(test::toy_dense(), {"1f1b"}, 8);
  r.scenario.economics.usd_per_kwh = 0.1;
  r.scenario.economics.pue = 1.2;
  r.scenario.economics.co2_g_per_kwh = 400;
  r.space.profiles = {"fast", "slow"};
  r.space.gpus = {8, 16, 32, 64};
  r.layouts = layouts_of;
  r.load_cluster = cluster_of;
  r.run_data = shipped();
  r.prices = {{"h100-sxm", 3}, {"a100-sxm", 1}};
  return r;
}

struct Alone {
  std::string profile;
  std::int64_t gpus = 0;
  double days = 0, usd = 0;
};

/// Every cluster planned on its own.
std::vector<Alone> planned(const BuyingRequest& r) {
  std::vector<Alone> all;
  for (const std::string& profile : r.space.profiles) {
    for (const std::int64_t gpus : r.space.gpus) {
      PlanRequest plan;
      plan.scenario = r.scenario;
      plan.scenario.cluster = cluster_of(profile);
      plan.scenario.gpus = gpus;
      plan.scenario.layout = Layout{};
      plan.scenario.economics.usd_per_gpu_hour = profile == "slow" ? 1 : 3;
      plan.space = layouts_of(plan.scenario);
      plan.objective = parse_objective("step", "test");
      plan.run_data = r.run_data;
      plan.top = 1;
      plan.auto_schedule = plan.sensitivity = false;
      const PlanReport report = plan_layouts(plan);
      if (!report.found()) continue;
      const Metrics& m = report.metrics.front();
      all.push_back({.profile = profile, .gpus = gpus, .days = *m.run.days, .usd = *m.run.usd});
    }
  }
  return all;
}

TEST(Buying, ListsWhatPlanningEveryClusterOnItsOwnLists) {
  const BuyingRequest r = request();
  std::vector<Alone> all = planned(r);
  ASSERT_EQ(all.size(), 8U);
  std::stable_sort(all.begin(), all.end(), [](const Alone& a, const Alone& b) { return a.usd < b.usd; });
  for (const std::size_t top : {1U, 3U, 8U}) {
    for (const std::size_t threads : {1U, 2U}) {
      BuyingRequest some = r;
      some.top = top;
      some.threads = threads;
      const BuyingReport report = find_clusters(some);
      EXPECT_TRUE(report.complete);
      ASSERT_EQ(report.listed.size(), top);
      for (std::size_t i = 0; i < top; ++i) {
        const Offer& o = report.offers[report.listed[i]];
        EXPECT_NEAR(*o.rent_usd, all[i].usd, 1e-9 * all[i].usd) << i << " of " << top;
        EXPECT_NEAR(o.days, all[i].days, 1e-9 * all[i].days) << i << " of " << top;
      }
    }
  }
}

TEST(Buying, FrontHoldsWhatNoOtherClusterBeatsInBoth) {
  BuyingRequest r = request();
  r.top = 1;  // the front does not depend on the list
  const std::vector<Alone> all = planned(r);
  const BuyingReport report = find_clusters(r);
  std::vector<double> expected;
  for (const Alone& a : all) {
    const bool beaten = std::any_of(all.begin(), all.end(), [&](const Alone& b) {
      return b.days <= a.days && b.usd <= a.usd && (b.days < a.days || b.usd < a.usd);
    });
    if (!beaten) expected.push_back(a.days);
  }
  std::sort(expected.begin(), expected.end());
  ASSERT_EQ(report.front.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(report.offers[report.front[i]].days, expected[i], 1e-9 * expected[i]);
}

TEST(Buying, LimitsLeaveOutExactlyWhatBreaksThem) {
  BuyingRequest r = request();
  r.top = 8;
  const std::vector<Alone> all = planned(r);
  std::vector<double> days;
  for (const Alone& a : all) days.push_back(a.days);
  std::sort(days.begin(), days.end());
  r.finish_within_days = (days[3] + days[4]) / 2;
  const BuyingReport report = find_clusters(r);
  EXPECT_EQ(report.listed.size(), 4U);
  for (const Offer& o : report.offers) {
    const auto alone = std::find_if(
        all.begin(), all.end(), [&](const Alone& a) { return a.profile == o.profile && a.gpus == o.gpus; });
    EXPECT_EQ(o.refusal == Refusal::kTooSlow, alone->days > *r.finish_within_days)
        << o.gpus << " " << o.profile << " " << to_text(o.refusal);
  }
}

TEST(Buying, BudgetBelowTheCheapestSaysWhatTheCheapestCosts) {
  BuyingRequest r = request();
  const std::vector<Alone> all = planned(r);
  const double least = std::min_element(all.begin(), all.end(), [](const Alone& a, const Alone& b) {
                         return a.usd < b.usd;
                       })->usd;
  r.budget_usd = least * 0.9;
  const BuyingReport report = find_clusters(r);
  EXPECT_FALSE(report.found());
  EXPECT_TRUE(report.complete);
  for (const Offer& o : report.offers) EXPECT_EQ(o.refusal, Refusal::kTooDear) << o.gpus << " " << o.profile;
  ASSERT_EQ(report.nearest.size(), 1U);
  EXPECT_NE(report.nearest.front().find("without the limit of money"), std::string::npos);
  r.budget_usd = least * 1.5;
  const auto within =
      std::count_if(all.begin(), all.end(), [&](const Alone& a) { return a.usd <= *r.budget_usd; });
  ASSERT_LT(within, 8);
  EXPECT_EQ(static_cast<long>(find_clusters(r).listed.size()), within);
}

TEST(Buying, SaysWhyAClusterCannotBe) {
  BuyingRequest r = request();
  r.space.profiles = {"fast", "tiny", "slow"};
  r.space.gpus = {16};
  r.prices = {{"h100-sxm", 3}};
  r.run_data.prices.gpus.clear();
  const BuyingReport report = find_clusters(r);
  ASSERT_EQ(report.offers.size(), 3U);
  EXPECT_EQ(report.offers[0].refusal, Refusal::kNone);
  EXPECT_EQ(report.offers[1].refusal, Refusal::kNoLayout);
  EXPECT_NE(report.offers[1].why.find("'memory'"), std::string::npos) << report.offers[1].why;
  EXPECT_EQ(report.offers[2].refusal, Refusal::kNoPrice);
  EXPECT_EQ(report.offers[2].why, "give --price a100-sxm=USD per GPU-hour");
}

TEST(Buying, OptionsOfTheClusterAreAxes) {
  BuyingRequest r = request();
  r.space.profiles = {"fast"};
  r.space.gpus = {16};
  r.space.nics_per_gpu = {1, 2};
  r.space.oversubscription = {1, 4};
  r.space.power_cap = {{.share = 1, .text = "100%"}, {.watts = 1e5, .share = 1, .text = "100kW"}};
  r.top = 8;
  const BuyingReport report = find_clusters(r);
  ASSERT_EQ(report.offers.size(), 8U);
  double base = 0;
  for (const Offer& o : report.offers) {
    if (o.options.power_cap_w) {
      EXPECT_EQ(o.refusal, Refusal::kNoFigures) << "a cap above the board's own";
      continue;
    }
    ASSERT_TRUE(o.listed) << to_text(o.options);
    if (to_text(o.options).empty()) base = o.days;
  }
  for (const Offer& o : report.offers) {
    if (!o.listed) continue;
    if (o.options.nics_per_gpu && !o.options.oversubscription) {
      EXPECT_LE(o.days, base * (1 + 1e-9));
    }
    if (!o.options.nics_per_gpu && o.options.oversubscription) {
      EXPECT_GE(o.days, base * (1 - 1e-9));
    }
  }
}

// One step in other words: what the search multiplies with is what `complete_run` works out.
TEST(RunScale, AgreesWithTheWholeRun) {
  Scenario s = test::v3_scenario();
  s.economics.usd_per_kwh = 0.08;
  s.economics.pue = 1.2;
  s.economics.grid = "CN";
  const RunData data = shipped();
  SimResult result = simulate(s);
  complete_run(result.metrics, s, data);
  const Metrics& m = result.metrics;
  const RunScale scale = run_scale(s, data);
  const double t = m.step_time_s;
  const double j = *m.power.step_j;
  EXPECT_TRUE(scale.failures);
  EXPECT_NEAR(scale.useful, *m.run.goodput, 1e-12);
  EXPECT_NEAR(scale.days_per_s * t, *m.run.days, 1e-9 * *m.run.days);
  EXPECT_NEAR(*scale.rent_usd_per_s * t, *m.run.usd, 1e-9 * *m.run.usd);
  EXPECT_NEAR(scale.energy_mwh->of(t, j), *m.run.energy_mwh, 1e-8 * *m.run.energy_mwh);
  EXPECT_NEAR(scale.carbon_t->of(t, j), *m.run.co2e_t, 1e-8 * *m.run.co2e_t);
  EXPECT_NEAR(scale.owned_usd->of(t, j), *m.run.owned_usd, 1e-8 * *m.run.owned_usd);
}

}  // namespace
}  // namespace orrery
