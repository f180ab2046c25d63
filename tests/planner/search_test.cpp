// The search finds what looking at every layout finds, with the same counts however many threads it has.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "planner/parallel_for.hpp"
#include "planner/plan.hpp"
#include "sim/base/check.hpp"
#include "sim/layout/check_layout.hpp"
#include "sim/schedule/generators.hpp"
#include "sim/simulate.hpp"
#include "tests/support/toy_scenario.hpp"

namespace orrery {
namespace {

Scenario scenario_of(ModelSpec model, double memory_bytes) {
  Scenario s = test::toy_scenario(std::move(model), {"1f1b"}, 8);
  s.gpus = 16;
  s.cluster.gpu.memory_bytes.value = memory_bytes;
  s.cluster.gpu.contention = {{.op_class = "gemm", .slowdown = test::toy_number(1.3)},
                              {.op_class = "communication", .slowdown = test::toy_number(1.6)}};
  return s;
}

SearchSpace small_space(const Scenario& s) {
  SearchSpace space = default_space(s);
  restrict_space(space, "tp", "1,2", "test");
  restrict_space(space, "cp", "1", "test");
  restrict_space(space, "pp", "1,2,4", "test");
  restrict_space(space, "vpp", "1,2", "test");
  restrict_space(space, "mbs", "1", "test");
  restrict_space(space, "zero", "0,1", "test");
  restrict_space(space, "schedule", "1f1b,zb-v,dualpipe", "test");
  restrict_space(space, "placement", "balanced,light-ends", "test");
  restrict_space(space, "recompute", "none,full", "test");
  restrict_space(space, "sms", "auto", "test");
  if (s.model.moe) {
    restrict_space(space, "ep", "1,4,8", "test");
    restrict_space(space, "etp", "1", "test");
  }
  return space;
}

/// Calls `visit` with the scenario of every candidate.
template <class Visit>
std::int64_t each_candidate(const Scenario& s, const SearchSpace& space, Visit visit) {
  const std::vector<Variant> variants = variants_of(space);
  std::int64_t count = 0;
  const auto loop = [](std::uint8_t& at, std::size_t size, auto&& inner) {
    for (std::size_t i = 0; i < size; ++i) {
      at = static_cast<std::uint8_t>(i);
      inner();
    }
  };
  Candidate c;
  loop(c.tp, space.tp.size(), [&] {
    loop(c.ep, space.ep.size(), [&] {
      loop(c.microbatch, space.microbatch.size(), [&] {
        loop(c.sequence_parallel, space.tp[c.tp] > 1 ? 2 : 1, [&] {
          loop(c.recompute, space.recompute.size(), [&] {
            loop(c.pp, space.pp.size(), [&] {
              loop(c.variant, variants.size(), [&] {
                const bool stages = space.pp[c.pp] * variants[c.variant].vpp > 1;
                loop(c.placement, stages ? space.placement.size() : 1, [&] {
                  loop(c.zero, space.zero.size(), [&] {
                    loop(c.offload, space.offload.size(), [&] {
                      ++count;
                      Scenario own = s;
                      apply(space, variants, c, s.layout, own);
                      if (space.placement[c.placement] != LayerPlacement::kBalanced &&
                          own.layout.stage_layers.empty())
                        return;
                      visit(own);
                    });
                  });
                });
              });
            });
          });
        });
      });
    });
  });
  return count;
}

double simulated(const Scenario& s) {
  if (check_layout(s.model, s.layout, s.training, s.gpus)) return std::numeric_limits<double>::infinity();
  const auto n = static_cast<int>(derive(s.layout, s.training, s.gpus).microbatches);
  if (check_schedule(s.layout.schedule, static_cast<int>(s.layout.pp), static_cast<int>(s.layout.vpp), n))
    return std::numeric_limits<double>::infinity();
  const Metrics m = simulate(s).metrics;
  return m.infeasible ? std::numeric_limits<double>::infinity() : m.step_time_s;
}

Goal by_step() {
  Goal goal;
  goal.level.terms.emplace_back();
  return goal;
}

std::int64_t sum(const ReasonCounts& counts) {
  std::int64_t all = 0;
  for (const auto& [reason, n] : counts) all += n;
  return all;
}

TEST(Search, FindsWhatSimulatingEveryLayoutOfASmallSpaceFinds) {
  for (const ModelSpec& model : {test::toy_dense(), test::toy_mla()}) {
    for (const double memory : {80e9, 3.0e9 + 0.02 * 3.004e9 + 2.4e6}) {
      const Scenario s = scenario_of(model, memory);
      const SearchSpace space = small_space(s);
      double best = std::numeric_limits<double>::infinity();
      const std::int64_t count =
          each_candidate(s, space, [&](const Scenario& own) { best = std::min(best, simulated(own)); });
      const SearchResult found = search_layouts(s, space, by_step(), {.threads = 2, .top = 1});
      EXPECT_TRUE(found.complete);
      EXPECT_EQ(found.candidates, count) << model.name;
      ASSERT_EQ(found.best.empty(), !std::isfinite(best)) << model.name << memory;
      if (found.best.empty()) continue;
      EXPECT_DOUBLE_EQ(found.best.front().figures.step_s, best) << model.name;
      EXPECT_DOUBLE_EQ(found.lower_bound, best) << model.name;
    }
  }
}

// Once with room for everything, once with room for no layout that keeps all on the GPU.
TEST(Search, FindsTheSameWithOffloading) {
  Scenario s = scenario_of(test::toy_dense(), 80e9);
  s.cluster.host_memory_bytes = test::toy_number(1e12);
  s.cluster.host_memory_bytes_per_s = test::toy_number(100e9);
  SearchSpace space = small_space(s);
  restrict_space(space, "offload", "all", "test");
  double least = std::numeric_limits<double>::infinity();
  double least_without = least;
  each_candidate(s, space, [&](const Scenario& own) {
    if (!std::isfinite(simulated(own))) return;
    const double memory = simulate(own).metrics.memory_peak;
    least = std::min(least, memory);
    if (own.layout.offload == Offload{}) least_without = std::min(least_without, memory);
  });
  ASSERT_LT(least, least_without);
  // A fiftieth of the memory is reserved, whatever its size.
  const double between = ((least + least_without) / 2 - 0.02 * 80e9) / 0.98;
  for (const double memory : {80e9, between}) {
    s.cluster.gpu.memory_bytes.value = memory;
    double best = std::numeric_limits<double>::infinity();
    double without = best;
    const std::int64_t count = each_candidate(s, space, [&](const Scenario& own) {
      const double time = simulated(own);
      best = std::min(best, time);
      if (own.layout.offload == Offload{}) without = std::min(without, time);
    });
    const SearchResult found = search_layouts(s, space, by_step(), {.threads = 2, .top = 1});
    EXPECT_TRUE(found.complete);
    EXPECT_EQ(found.candidates, count);
    ASSERT_FALSE(found.best.empty()) << memory;
    EXPECT_DOUBLE_EQ(found.best.front().figures.step_s, best) << memory;
    EXPECT_EQ(std::isfinite(without), memory == 80e9);
    EXPECT_TRUE(found.infeasible.contains("needless"));
  }
}

TEST(Search, OffloadingNeedsAHostThatTheProfileKnows) {
  const Scenario s = scenario_of(test::toy_dense(), 80e9);
  SearchSpace space = small_space(s);
  restrict_space(space, "offload", "all", "test");
  EXPECT_THROW(static_cast<void>(search_layouts(s, space, by_step(), {.threads = 1})), InputError);
}

// The searched order is no slower than every fixed one of the same layouts, and is named where it wins.
TEST(Search, ASearchedOrderIsInTheSpaceWhereItIsAskedFor) {
  const Scenario s = scenario_of(test::toy_dense(), 80e9);
  SearchSpace space = small_space(s);
  for (const auto& [key, values] : {std::pair{"tp", "1"}, {"recompute", "none"}, {"placement", "balanced"}})
    restrict_space(space, key, values, "test");
  restrict_space(space, "vpp", "1,2", "test");
  const SearchResult fixed = search_layouts(s, space, by_step(), {.threads = 2, .top = 1});
  restrict_space(space, "schedule", "1f1b,zb-v,dualpipe,auto", "test");
  const SearchResult all = search_layouts(s, space, by_step(), {.threads = 2, .top = 1});
  EXPECT_TRUE(all.complete);
  ASSERT_FALSE(all.best.empty());
  EXPECT_LE(all.best.front().figures.step_s, fixed.best.front().figures.step_s);
  EXPECT_LT(fixed.candidates, all.candidates);
  const SearchSpace unasked = default_space(s);
  EXPECT_EQ(std::count(unasked.schedules.begin(), unasked.schedules.end(), "auto"), 0);
}

TEST(Search, CountsAndAnswerDoNotDependOnThreads) {
  const Scenario s = scenario_of(test::toy_moe(), 80e9);
  const SearchSpace space = small_space(s);
  const SearchResult one = search_layouts(s, space, by_step(), {.threads = 1, .top = 4});
  for (const std::size_t threads : {2U, 5U}) {
    const SearchResult more = search_layouts(s, space, by_step(), {.threads = threads, .top = 4});
    EXPECT_EQ(one.candidates, more.candidates);
    EXPECT_EQ(one.infeasible, more.infeasible);
    EXPECT_EQ(one.bounded, more.bounded);
    EXPECT_EQ(one.evaluated, more.evaluated);
    EXPECT_EQ(one.simulated, more.simulated);
    ASSERT_EQ(one.best.size(), more.best.size());
    for (std::size_t i = 0; i < one.best.size(); ++i) {
      EXPECT_EQ(one.best[i].candidate, more.best[i].candidate);
      EXPECT_EQ(one.best[i].objective, more.best[i].objective);
    }
  }
}

TEST(Search, ASeedChangesNoAnswerAndEveryCandidateIsDecidedOnce) {
  const Scenario s = scenario_of(test::toy_moe(), 80e9);
  const SearchSpace space = small_space(s);
  const SearchResult plain = search_layouts(s, space, by_step(), {.threads = 1, .top = 3});
  ASSERT_FALSE(plain.best.empty());
  const SearchResult seeded =
      search_layouts(s, space, by_step(), {.threads = 1, .top = 3, .seed = plain.best.front().layout});
  for (const SearchResult* r : {&plain, &seeded})
    EXPECT_EQ(r->candidates, r->bounded + r->evaluated + sum(r->infeasible));
  ASSERT_EQ(plain.best.size(), seeded.best.size());
  for (std::size_t i = 0; i < plain.best.size(); ++i)
    EXPECT_EQ(plain.best[i].candidate, seeded.best[i].candidate);
}

TEST(Search, StoppedEarlyItNamesABoundBelowTheBest) {
  const Scenario s = scenario_of(test::toy_moe(), 80e9);
  const SearchSpace space = small_space(s);
  const SearchResult whole = search_layouts(s, space, by_step(), {.threads = 1, .top = 1});
  int rounds = 0;
  const SearchResult part =
      search_layouts(s, space, by_step(), {.threads = 1, .top = 1, .stop = [&] { return ++rounds > 2; }});
  EXPECT_FALSE(part.complete);
  EXPECT_LE(part.lower_bound, whole.best.front().objective);
}

TEST(Plan, ALexicographicObjectiveTakesTheLeastMemoryWithinTheTolerance) {
  PlanRequest r;
  r.scenario = scenario_of(test::toy_moe(), 80e9);
  r.space = small_space(r.scenario);
  r.sensitivity = false;
  r.objective = parse_objective("step", "test");
  const double fastest = plan_layouts(r).search.best.front().figures.step_s;
  r.objective = parse_objective("step:20%,memory", "test");
  const PlanReport report = plan_layouts(r);
  double least = std::numeric_limits<double>::infinity();
  each_candidate(r.scenario, r.space, [&](const Scenario& own) {
    if (simulated(own) <= fastest * 1.2) least = std::min(least, simulate(own).metrics.memory_peak);
  });
  ASSERT_TRUE(report.found());
  EXPECT_NEAR(report.search.best.front().figures.memory_bytes, least, 1e-9 * least);
}

TEST(Plan, AnImpossibleLimitIsAnsweredWithTheBestPossible) {
  PlanRequest r;
  r.scenario = scenario_of(test::toy_dense(), 80e9);
  r.space = small_space(r.scenario);
  r.objective = parse_objective("step", "test");
  r.constraints = {*parse_constraint("step<=1us", "test")};
  const PlanReport report = plan_layouts(r);
  EXPECT_FALSE(report.found());
  EXPECT_GT(report.search.infeasible.at("constraint"), 0);
  ASSERT_EQ(report.nearest.size(), 1U);
  EXPECT_NE(report.nearest.front().find("instead of 'step<=1us'"), std::string::npos)
      << report.nearest.front();
}

TEST(Plan, TheFrontHoldsNoLayoutThatAnotherBeatsInBoth) {
  PlanRequest r;
  r.scenario = scenario_of(test::toy_moe(), 80e9);
  r.space = small_space(r.scenario);
  r.sensitivity = false;
  r.objective = parse_objective("step", "test");
  r.front = {Metric::kStep, Metric::kMemory};
  r.front_points = 50;
  const PlanReport report = plan_layouts(r);
  EXPECT_TRUE(report.front_complete);
  ASSERT_GT(report.front.size(), 1U);
  each_candidate(r.scenario, r.space, [&](const Scenario& own) {
    const double seconds = simulated(own);
    if (!std::isfinite(seconds)) return;
    const double bytes = simulate(own).metrics.memory_peak;
    for (const Found& f : report.front) {
      EXPECT_FALSE(seconds < f.figures.step_s * (1 - 1e-9) && bytes < f.figures.memory_bytes * (1 - 1e-5));
    }
  });
}

TEST(Objective, TextsAreReadWithTheirUnits) {
  const Objective o = parse_objective("days:1%, usd+20000*days", "test");
  ASSERT_EQ(o.levels.size(), 2U);
  EXPECT_EQ(o.levels[0].tolerance, 0.01);
  EXPECT_EQ(o.levels[1].terms[1].weight, 20000);
  EXPECT_EQ(parse_constraint("memory<=76GB", "test")->limit, 76e9);
  EXPECT_EQ(parse_constraint("days <= 60", "test")->limit, 60);
  EXPECT_EQ(parse_constraint("days<=60d", "test")->limit, 60);
  EXPECT_EQ(parse_constraint("usd<=6M", "test")->limit, 6e6);
  EXPECT_EQ(parse_constraint("power<=20MW", "test")->limit, 20e6);
  EXPECT_FALSE(parse_constraint("tp<=8", "test"));
  EXPECT_THROW((void)parse_objective("dayz", "test"), InputError);
  EXPECT_THROW((void)parse_objective("power", "test"), InputError);
}

TEST(Objective, LimitsThatCannotBothHoldAreNamedAsAPair) {
  const Scenario s = scenario_of(test::toy_dense(), 80e9);
  const Meter meter(s, "test");
  const auto clash = [&](const char* a, const char* b) {
    try {
      check_contradictions({*parse_constraint(a, "t"), *parse_constraint(b, "t")}, meter, "t");
    } catch (const InputError& e) {
      return e.problem().find(a) != std::string::npos && e.problem().find(b) != std::string::npos;
    }
    return false;
  };
  EXPECT_TRUE(clash("memory<=10GB", "memory>=11GB"));
  EXPECT_TRUE(clash("memory<=10GB", "headroom<=60GB"));
  EXPECT_FALSE(clash("memory<=10GB", "headroom>=60GB"));
  EXPECT_FALSE(clash("step<=2s", "mfu>=0.1"));
  EXPECT_TRUE(clash("step<=1us", "mfu<=0.1"));
}

TEST(ParallelFor, VisitsEveryIndexOnceAndThrowsTheFirstError) {
  std::vector<int> seen(1000, 0);
  parallel_for(4, seen.size(), [&](std::size_t, std::size_t i) { ++seen[i]; });
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), 1000);
  try {
    parallel_for(4, 100, [](std::size_t, std::size_t i) {
      if (i % 10 == 7) throw InputError("index", std::to_string(i));
    });
    FAIL();
  } catch (const InputError& e) {
    EXPECT_EQ(e.problem(), "7");
  }
}

TEST(Plan, FrontOfThreeMetricsIsThatOfAllLayouts) {
  Scenario s = scenario_of(test::toy_dense(), 80e9);
  s.economics.pue = 1.2;
  PlanRequest r;
  r.scenario = s;
  r.space = small_space(s);
  r.objective = parse_objective("step", "test");
  r.front = {Metric::kStep, Metric::kMemory, Metric::kEnergy};
  r.front_points = 1000;
  r.top = 1;
  r.auto_schedule = r.sensitivity = false;
  const PlanReport report = plan_layouts(r);
  EXPECT_TRUE(report.front_complete);
  struct Point {
    double step = 0, memory = 0, energy = 0;
  };
  std::vector<Point> all;
  each_candidate(s, r.space, [&](const Scenario& own) {
    if (!std::isfinite(simulated(own))) return;
    const Metrics m = simulate(own).metrics;
    all.push_back({.step = m.step_time_s, .memory = m.memory_peak, .energy = *m.power.step_j});
  });
  const auto beaten = [&](const Point& p, double margin) {
    return std::any_of(all.begin(), all.end(), [&](const Point& q) {
      return q.step <= p.step && q.memory <= p.memory && q.energy <= p.energy &&
             (q.step < p.step * (1 - margin) || q.memory < p.memory * (1 - margin) ||
              q.energy < p.energy * (1 - margin));
    });
  };
  ASSERT_GT(report.front.size(), 2U);
  for (const Found& f : report.front)
    EXPECT_FALSE(beaten({f.figures.step_s, f.figures.memory_bytes, f.figures.energy_j}, 1e-5));
  // And every layout that nothing beats stands in it, up to the millionth that makes no new point.
  for (const Point& p : all) {
    if (beaten(p, 0)) continue;
    EXPECT_TRUE(std::any_of(report.front.begin(), report.front.end(),
                            [&](const Found& f) {
                              return f.figures.memory_bytes <= p.memory * (1 + 2e-6) &&
                                     f.figures.energy_j <= p.energy * (1 + 2e-6) &&
                                     f.figures.step_s <= p.step * (1 + 2e-6);
                            }))
        << p.step << " s, " << p.memory << " B, " << p.energy << " J";
  }
}

}  // namespace
}  // namespace orrery
