// The same input gives the same bytes, in whatever order the input lists equal things.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>

#include "tests/laws/real_scenarios.hpp"
#include "tests/support/toy_scenario.hpp"

namespace orrery {
namespace {

/// Every number of the metrics as its exact bits.
class Exact {
 public:
  void number(double x) {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "%a ", x);
    text += buffer;
  }
  void number(const std::optional<double>& x) { x ? number(*x) : word("-"); }
  void word(const std::string& w) { text += w + " "; }

  void breakdown(const Breakdown& b) {
    for (double x :
         {b.forward, b.backward_input, b.backward_weight, b.forward_backward, b.bubble, b.optimizer, b.other})
      number(x);
  }
  void waterfall(const Waterfall& w) {
    for (double x : {w.compute, w.recompute, w.exposed_tp, w.exposed_cp, w.exposed_ep, w.exposed_pp,
                     w.exposed_dp, w.contention, w.bubble, w.optimizer, w.other})
      number(x);
  }
  std::string text;
};

std::string times_of(const Metrics& m) {
  Exact out;
  out.number(m.step_time_s);
  out.number(static_cast<double>(m.tasks));
  out.breakdown(m.breakdown);
  out.breakdown(m.mean_breakdown);
  out.waterfall(m.waterfall);
  for (const RankTimes& r : m.ranks) {
    out.breakdown(r.breakdown);
    out.number(r.pipeline_end);
  }
  for (const StageRow& s : m.stages) {
    out.word(s.extras);
    for (double x : {s.forward_s, s.backward_input_s, s.backward_weight_s, s.pair_s}) out.number(x);
  }
  for (const RankMemoryRow& r : m.memory) {
    for (double x : {r.weights, r.gradients, r.optimizer, r.activations, r.buffers, r.reserve, r.total})
      out.number(x);
  }
  for (double x : {m.throughput.tokens_per_s, m.throughput.mfu_causal, m.throughput.mfu_noncausal})
    out.number(x);
  for (const auto& x : {m.power.gpu_mean_w, m.power.step_j, m.run.days, m.run.gpu_hours}) out.number(x);
  return out.text;
}

std::string bytes_of(const Metrics& m) {
  Exact out;
  for (const Assumption& a : m.assumptions) out.word(a.name + "=" + a.value + a.unit + a.kind + a.source);
  return times_of(m) + out.text;
}

std::vector<Scenario> all_scenarios() {
  std::vector<Scenario> all = test::toy_scenarios();
  for (Scenario& s : test::real_scenarios()) all.push_back(std::move(s));
  return all;
}

TEST(Determinism, TheSameInputGivesTheSameBytes) {
  for (const Scenario& s : all_scenarios()) {
    const std::string first = bytes_of(test::measured(s));
    const Scenario copy = s;  // at other addresses
    EXPECT_EQ(bytes_of(test::measured(copy)), first) << test::label(s);
  }
}

TEST(Determinism, TheOrderOfOperatorsInTheProfileDoesNotMatter) {
  std::mt19937 random(7);
  for (Scenario s : all_scenarios()) {
    const std::string first = bytes_of(test::measured(s));
    for (int i = 0; i < 2; ++i) {
      std::ranges::shuffle(s.cluster.gpu.operators, random);
      EXPECT_EQ(bytes_of(test::measured(s)), first) << test::label(s);
    }
  }
}

TEST(Determinism, TheOrderOfContentionsInTheProfileDoesNotMatter) {
  for (Scenario s : test::real_scenarios()) {
    ASSERT_GT(s.cluster.gpu.contention.size(), 1U);
    const std::string first = times_of(test::measured(s));
    std::ranges::reverse(s.cluster.gpu.contention);
    EXPECT_EQ(times_of(test::measured(s)), first) << test::label(s);
  }
}

TEST(Determinism, DifferentInputsGiveDifferentBytes) {
  // Guards the comparison itself.
  Scenario s = test::toy_scenario(test::toy_dense(), {"1f1b"});
  const std::string first = bytes_of(test::measured(s));
  s.cluster.scale_out.latency_s.value += 1e-9;
  EXPECT_NE(bytes_of(test::measured(s)), first);
}

TEST(Determinism, MirroredRanksOfDualPipeTakeTheSameTime) {
  // With equal stages, ranks r and P-1-r run mirrored programs.
  Scenario s = test::toy_scenario(test::toy_dense(), {"dualpipe"});
  s.model.vocab = 0;  // no embedding and no head to speak of
  const Metrics m = test::measured(s);
  for (std::size_t r = 0; r < 2; ++r) {
    const Breakdown& a = m.ranks[r].breakdown;
    const Breakdown& b = m.ranks[3 - r].breakdown;
    EXPECT_DOUBLE_EQ(a.forward, b.forward);
    EXPECT_DOUBLE_EQ(a.forward_backward, b.forward_backward);
    EXPECT_DOUBLE_EQ(a.bubble, b.bubble);
  }
}

}  // namespace
}  // namespace orrery
