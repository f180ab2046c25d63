#include "planner/training_run.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "planner/explain.hpp"
#include "planner/uncertainty.hpp"
#include "sim/simulate.hpp"
#include "tests/planner/v3_scenario.hpp"

namespace orrery {
namespace {

RunData shipped() {
  return load_run_data(ORRERY_SOURCE_DIR "/hwprofiles/economics");
}

/// A run by hand: 1,000 steps of 10 s on 16 GPUs in 2 nodes, nothing fails.
RunQuestion small_run() {
  RunQuestion q;
  RunInputs& v = q.values;
  v.step_s = 10;
  v.step_tokens = 1000;
  v.tokens = 1e6;
  v.gpus = 16;
  v.nodes = 2;
  v.gpu_mean_w = 500;
  v.gpu_idle_w = 100;
  v.node_overhead_w = 1000;
  v.network_w = 400;
  v.pue = 1.5;
  v.usd_per_gpu_hour = 2;
  v.usd_per_kwh = 0.1;
  v.g_per_kwh = 500;
  v.server_usd = 300e3;
  q.has_tokens = q.has_rent = q.has_energy_price = q.has_pue = q.has_carbon = q.has_machines = true;
  return q;
}

// 10,000 s = 2.778 h. GPU-hours 44.44, 88.89 USD. GPUs above idle 16 * 400 W, idle 16 * 100 W, nodes 2 kW,
// switches 0.4 kW: 6.4 + 1.6 + 2 + 0.4 = 10.4 kW, 28.89 kWh; half as much again for the building: 43.33 kWh,
// 2.889 USD and 21.67 kg.
TEST(TrainingRun, ByHand) {
  const TrainingRun run = training_run(small_run());
  const double hours = 10000.0 / 3600;
  EXPECT_DOUBLE_EQ(run.goodput.useful, 1);
  EXPECT_NEAR(run.days, hours / 24, 1e-12);
  EXPECT_NEAR(run.gpu_hours, 16 * hours, 1e-9);
  EXPECT_NEAR(*run.rent_usd, 32 * hours, 1e-9);
  EXPECT_NEAR(run.energy->gpu_dynamic, 6.4 * hours, 1e-9);
  EXPECT_NEAR(run.energy->machines(), 10.4 * hours, 1e-9);
  EXPECT_NEAR(run.energy->total(), 15.6 * hours, 1e-9);
  EXPECT_NEAR(run.owned->power, 10.4 * hours * 0.1, 1e-9);
  EXPECT_NEAR(run.owned->cooling, 5.2 * hours * 0.1, 1e-9);
  EXPECT_NEAR(run.carbon->operational_t(), 15.6 * hours * 500e-6, 1e-9);
}

// Two servers are 600,000 USD. 2.778 h of 5 years of 365.25 days, used half: 2.778 / 21,915 of their
// life, 76.05 USD. Energy is 15.6 kW * 2.778 h * 0.1 USD = 4.333 USD. Rent 88.89 USD: 84.56 are left for the
// machines, which at 38.03 USD a whole use need 38.03 / 84.56 of their life at work.
TEST(TrainingRun, MachinesArePaidByTheShareOfTheirLifeAndPayWhereTheyWorkEnough) {
  RunQuestion q = small_run();
  q.values.utilisation = 0.5;
  const TrainingRun run = training_run(q);
  EXPECT_DOUBLE_EQ(run.purchase->total(), 600e3);
  EXPECT_NEAR(run.life_share, 10000.0 / 3600 / 21915, 1e-12);
  EXPECT_NEAR(run.owned->servers, 76.05, 0.005);
  EXPECT_NEAR(*break_even_utilisation(run, 0.5), 38.03 / 84.56, 1e-4);
  // There, owning costs what renting costs.
  q.values.utilisation = *break_even_utilisation(run, 0.5);
  const TrainingRun even = training_run(q);
  EXPECT_NEAR(even.owned->total(), *even.rent_usd, 1e-9);
  // Energy alone is dearer than the rent.
  q.values.usd_per_gpu_hour = 0.05;
  EXPECT_FALSE(break_even_utilisation(training_run(q), q.values.utilisation));
}

TEST(TrainingRun, WhatIsNotGivenStaysEmpty) {
  RunQuestion q = small_run();
  q.has_rent = q.has_energy_price = q.has_carbon = false;
  const TrainingRun run = training_run(q);
  EXPECT_FALSE(run.rent_usd || run.owned || run.carbon);
  EXPECT_TRUE(run.energy.has_value());
  q.has_pue = false;
  EXPECT_FALSE(training_run(q).energy.has_value());
}

// A job that is down for a tenth of its time draws idle power then: (16 * 400 W) * 0.9 above idle.
TEST(TrainingRun, GpusAreIdleWhileTheJobIsDown) {
  RunQuestion q = small_run();
  q.values.failures_per_node_day = 10;
  q.values.restart_s = 300;
  q.values.stall_s = 1;
  const TrainingRun run = training_run(q);
  const double down = run.goodput.restart + run.goodput.checkpoint;
  EXPECT_GT(down, 0.02);
  EXPECT_NEAR(run.energy->gpu_dynamic, 6.4 * (1 - down) * run.days * 24, 1e-9);
}

TEST(TrainingRun, DeepSeekV3sRunIsCompleted) {
  const Scenario s = test::v3_scenario();
  Metrics m = simulate(s).metrics;
  complete_run(m, s, shipped());
  EXPECT_GT(*m.run.goodput, 0.95);
  EXPECT_LT(*m.run.goodput, 0.99);
  EXPECT_NEAR(*m.run.days, *m.run.ideal_days / *m.run.goodput, 1e-9);
  EXPECT_NEAR(*m.run.gpu_hours, *m.run.days * 24 * 2048, 1e-3);
  EXPECT_LT(*m.step_time_p10_s, m.step_time_s);
  EXPECT_GT(*m.step_time_p90_s, m.step_time_s);
  // Published: 2,664 thousand GPU-hours (arXiv 2412.19437, table 1), essentially without downtime.
  EXPECT_NEAR(*m.run.ideal_gpu_hours / 2664e3, 1, 0.10);
}

TEST(TrainingRun, AJobThatNeverEndsHasNoDays) {
  Scenario s = test::v3_scenario();
  s.reliability.failures_per_node_day = 50;
  Metrics m = simulate(s).metrics;
  complete_run(m, s, shipped());
  EXPECT_FALSE(m.run.days || m.run.usd || m.run.energy_mwh || m.run.co2e_t);
  EXPECT_LT(*m.run.goodput, kLeastGoodput);
}

TEST(Waterfall, BarsSumToTheStepOfTheRealRun) {
  const Scenario s = test::v3_scenario();
  Metrics m = simulate(s).metrics;
  complete_run(m, s, shipped());
  const StepWaterfall w = step_waterfall(m);
  double sum = 0;
  for (const WaterfallBar& bar : w.bars) {
    sum += bar.seconds;
    EXPECT_GE(bar.seconds, -1e-12) << bar.key;
  }
  EXPECT_NEAR(sum, w.total_s, 1e-9);
  EXPECT_NEAR(w.total_s, m.step_time_s / *m.run.goodput, 1e-12);
  EXPECT_EQ(w.bars.front().key, "ideal_compute");
  EXPECT_EQ(w.bars.back().key, "failures");
}

TEST(Waterfall, NeverMoreThanThreeSentences) {
  const Scenario s = test::v3_scenario();
  const Metrics m = simulate(s).metrics;
  Lever lever;
  lever.gain = 0.1;
  const std::vector<Lever> levers{lever};
  EXPECT_LE(bottleneck_sentences(m, levers).size(), 3u);
  EXPECT_LE(bottleneck_sentences(m, {}).size(), 3u);
}

// MLPerf Training v4.1 (power), Llama-2-70B LoRA on 8 nodes of 8 H100, TP4 CP2, 8,192 tokens, FP8: 7,187 W
// per node. Adapters are not simulated: all weights are trained here, with memory enough and 64 microbatches,
// so that the optimizer, which the run hardly has, is 2.5 % of the step.
TEST(NodePower, MlperfLlama2LoraWithinTenPercent) {
  const std::vector<Override> o{{"model", "llama-2-70b", "test"},
                                {"cluster.profile", "h100-sxm-ib400", "test"},
                                {"cluster.gpus", "64", "test"},
                                {"layout.tp", "4", "test"},
                                {"layout.cp", "2", "test"},
                                {"layout.sequence_parallel", "true", "test"},
                                {"training.global_batch_size", "512", "test"},
                                {"training.sequence_length", "8192", "test"},
                                {"training.precision", "fp8-tensor", "test"}};
  Scenario s =
      parse_scenario("", "test", {.profiles = {.roots = {ORRERY_SOURCE_DIR "/hwprofiles"}}, .base = {}}, o);
  s.cluster.gpu.memory_bytes.value = 400e9;
  const Metrics m = simulate(s).metrics;
  ASSERT_FALSE(m.infeasible) << m.infeasible->text;
  EXPECT_NEAR(*m.power.node_mean_w / 7187, 1, 0.10);
}

RunQuestion v3_question(Metrics& m) {
  const Scenario s = test::v3_scenario();
  m = simulate(s).metrics;
  return run_question(m, s, shipped());
}

TEST(Uncertainty, SameSeedSameNumbersAndTheRangesNest) {
  Metrics m;
  const RunQuestion q = v3_question(m);
  const std::vector<OutcomeRange> a = outcome_ranges(q);
  const std::vector<OutcomeRange> b = outcome_ranges(q);
  ASSERT_EQ(a.size(), static_cast<std::size_t>(kOutcomes));
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].p50, b[i].p50);
    EXPECT_LT(a[i].p10, a[i].p50);
    EXPECT_LT(a[i].p50, a[i].p90);
    EXPECT_LE(a[i].low, a[i].central);
    EXPECT_LE(a[i].central, a[i].high);
    EXPECT_LT(a[i].low, a[i].p10 * 1.05) << to_text(a[i].outcome);
  }
  const std::vector<OutcomeRange> other = outcome_ranges(q, {.seed = 2});
  EXPECT_NE(a[0].p50, other[0].p50);
  EXPECT_NEAR(a[0].p50, other[0].p50, 0.05 * a[0].p50);
}

// With the model error alone, days are proportional to it, so the percentiles of days are those of the
// factor.
TEST(Uncertainty, ThePercentilesOfOneInputAreFound) {
  RunQuestion q = small_run();
  RunInput error;
  error.key = "error";
  error.member = &RunInputs::step_error;
  error.range.low = 0.8;
  error.range.value = 1.1;
  error.range.high = 1.5;
  q.ranges = {error};
  const OutcomeRange days = outcome_ranges(q, {.seed = 3, .samples = 20000}).front();
  const double one = training_run(q).days;
  EXPECT_NEAR(days.p10 / one, 0.8, 0.01);
  EXPECT_NEAR(days.p50 / one, 1.1, 0.01);
  EXPECT_NEAR(days.p90 / one, 1.5, 0.02);
}

TEST(Uncertainty, TheTornadoIsSortedAndHoldsTheRent) {
  Metrics m;
  const RunQuestion q = v3_question(m);
  const std::vector<TornadoBar> bars = tornado(q, {}, Outcome::kRentUsd);
  ASSERT_GE(bars.size(), 5u);
  EXPECT_LE(bars.size(), 10u);
  for (std::size_t i = 1; i < bars.size(); ++i) EXPECT_GE(bars[i - 1].swing(), bars[i].swing());
  EXPECT_TRUE(bars[0].key == "economics.usd_per_gpu_hour" || bars[0].key == "model error of the step time");
  const std::vector<TornadoBar> owned = tornado(q, {}, Outcome::kOwnedUsd);
  EXPECT_EQ(owned.size(), 10u);
}

TEST(Uncertainty, BreakEvenIsWhereBothCostTheSame) {
  Metrics m;
  RunQuestion q = v3_question(m);
  q.values.usd_per_gpu_hour = *break_even_usd_per_gpu_hour(training_run(q));
  const TrainingRun run = training_run(q);
  EXPECT_NEAR(*run.rent_usd, run.owned->total(), 1e-6 * *run.rent_usd);
}

}  // namespace
}  // namespace orrery
