#include "sim/report/measure.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "sim/schedule/generators.hpp"
#include "sim/simulate.hpp"
#include "sim/workload/flops.hpp"
#include "tests/laws/real_scenarios.hpp"
#include "tests/support/toy_scenario.hpp"

namespace orrery {
namespace {

Metrics measured(const Scenario& s) {
  const Metrics m = simulate(s).metrics;
  EXPECT_FALSE(m.infeasible);
  return m;
}

const Assumption* find(const Metrics& m, const std::string& name) {
  const auto found = std::ranges::find(m.assumptions, name, &Assumption::name);
  return found == m.assumptions.end() ? nullptr : &*found;
}

TEST(Measure, AnUpdateMovesThirtyBytesPerParameterAndTwentyTwoWithBf16Moments) {
  // Gradient 4, moments read and written 2 * 8, master weight read and written 2 * 4, BF16 weight 2.
  EXPECT_EQ(optimizer_traffic(memory_rules({.precision = Precision::kBf16})), 30);
  EXPECT_EQ(optimizer_traffic(memory_rules({.precision = Precision::kFp8Block})), 22);
}

TEST(Measure, ThroughputFollowsFromTokensAndTime) {
  const Scenario s = test::toy_scenario(test::toy_dense(), {"1f1b"}, 16);
  const Metrics m = measured(s);
  EXPECT_EQ(m.step_tokens, 8 * 16 * 4096.0);
  EXPECT_DOUBLE_EQ(m.throughput.tokens_per_s, m.step_tokens / m.step_time_s);
  EXPECT_DOUBLE_EQ(m.throughput.tokens_per_day, m.throughput.tokens_per_s * 86400);
  EXPECT_DOUBLE_EQ(m.throughput.tokens_per_s_per_gpu * 32, m.throughput.tokens_per_s);
  const double flops = model_flops_per_token(s.model, 4096, true).value;
  EXPECT_DOUBLE_EQ(m.throughput.model_tflops_per_gpu_causal * 1e12,
                   flops * m.throughput.tokens_per_s_per_gpu);
  // The toy's BF16 peak is 1 TFLOP/s.
  EXPECT_DOUBLE_EQ(m.throughput.mfu_causal, m.throughput.model_tflops_per_gpu_causal);
  EXPECT_GT(m.throughput.mfu_noncausal, m.throughput.mfu_causal);
}

TEST(Measure, ASlowHostIsWaitedForInAnAccountOfItsOwn) {
  // One rank: the pipeline has no bubble, whatever the host needs.
  Scenario s = test::toy_scenario(test::toy_moe(), {"1f1b"}, 16);
  s.layout.pp = 1;
  s.layout.stage_layers.clear();
  s.cluster.gpu.host_launch_s.value = 0;
  const Metrics quick = measured(s);
  EXPECT_EQ(quick.waterfall.exposed_host, 0);
  s.cluster.gpu.host_launch_s.value = 1;
  const Metrics slow = measured(s);
  EXPECT_NEAR(slow.waterfall.sum(), slow.step_time_s, 1e-9 * slow.step_time_s);
  EXPECT_EQ(slow.waterfall.bubble, quick.waterfall.bubble);
  EXPECT_EQ(slow.waterfall.compute, quick.waterfall.compute);
  EXPECT_NEAR(slow.waterfall.exposed_host, slow.step_time_s - quick.step_time_s, 1e-6 * slow.step_time_s);
}

TEST(Measure, AssumptionsNameTheKernelsThatExchangeTokens) {
  Scenario s = test::real_scenarios().front();
  ASSERT_TRUE(s.model.moe);
  const Metrics once = measured(s);
  EXPECT_NE(find(once, "expert_all_to_all.notify_dispatch_s"), nullptr);
  s.layout.moe_dispatcher = TokenDispatcher::kAllToAll;
  EXPECT_EQ(find(measured(s), "expert_all_to_all.notify_dispatch_s"), nullptr);
}

TEST(Measure, TheRunIsAsManyStepsAsTokensNeed) {
  Scenario s = test::toy_scenario(test::toy_dense(), {"1f1b"});
  s.training.tokens = 1e9;
  s.economics.usd_per_gpu_hour = 3;
  s.economics.pue = 1.5;
  const Metrics m = measured(s);
  const double seconds = 1e9 / m.step_tokens * m.step_time_s;
  EXPECT_DOUBLE_EQ(*m.run.days, seconds / 86400);
  EXPECT_DOUBLE_EQ(*m.run.gpu_hours, seconds / 3600 * 32);
  EXPECT_DOUBLE_EQ(*m.run.gpu_hours_per_trillion_tokens, 1000 * *m.run.gpu_hours);
  EXPECT_DOUBLE_EQ(*m.run.usd, 3 * *m.run.gpu_hours);
  EXPECT_DOUBLE_EQ(*m.run.energy_mwh, *m.power.cluster_mean_w * 1.5 * seconds / 3.6e9);
}

TEST(Measure, WhatNobodyGaveStaysEmpty) {
  Scenario s = test::toy_scenario(test::toy_dense(), {"1f1b"});
  s.training.tokens = 0;
  const Metrics m = measured(s);
  EXPECT_FALSE(m.run.days || m.run.gpu_hours || m.run.usd || m.run.energy_mwh || m.run.co2e_t);
  EXPECT_TRUE(m.run.gpu_hours_per_trillion_tokens);
}

TEST(Measure, TheSlowestRankEndsItsPipelineLastAndTheMeanIsOverAllRanks) {
  for (const Scenario& s : test::toy_scenarios()) {
    const Metrics m = measured(s);
    double bubble = 0;
    for (const RankTimes& r : m.ranks) {
      EXPECT_LE(r.pipeline_end, m.ranks[static_cast<std::size_t>(m.slowest_rank)].pipeline_end);
      bubble += r.breakdown.bubble / static_cast<double>(m.ranks.size());
    }
    EXPECT_NEAR(m.mean_breakdown.bubble, bubble, 1e-12) << test::label(s);
    EXPECT_NEAR(m.mean_breakdown.sum(), m.step_time_s, 1e-9 * m.step_time_s) << test::label(s);
    EXPECT_EQ(m.breakdown.sum(), m.ranks[static_cast<std::size_t>(m.slowest_rank)].breakdown.sum());
  }
}

TEST(Measure, StagesNameWhatTheyHoldBesidesLayers) {
  const Metrics m = measured(test::toy_scenario(test::toy_mla(), {"1f1b"}));
  ASSERT_EQ(m.stages.size(), 4U);
  EXPECT_EQ(m.stages[0].extras, "embedding");
  EXPECT_EQ(m.stages[1].extras, "");
  EXPECT_EQ(m.stages[3].extras, "head + MTP module");
  std::int64_t layers = 0;
  for (const StageRow& stage : m.stages) {
    EXPECT_EQ(stage.first_layer, layers);
    layers += stage.layers;
  }
  EXPECT_EQ(layers, 4);
}

TEST(Measure, AssumptionsNameEveryCurveTheStepUsedAndNoOther) {
  Scenario s = test::toy_scenario(test::toy_moe(), {"dualpipe"});
  const SimResult r = simulate(s);
  ASSERT_FALSE(r.metrics.infeasible);
  std::set<std::string> used;
  for (const CostedItem& item : r.step->items) {
    if (s.cluster.gpu.find(item.op_class) != nullptr) used.insert("operators." + item.op_class);
  }
  EXPECT_TRUE(used.contains("operators.grouped-gemm.bf16"));
  std::set<std::string> listed;
  for (const Assumption& a : r.metrics.assumptions) {
    EXPECT_FALSE(a.kind.empty()) << a.name;
    if (a.name.starts_with("operators.")) {
      EXPECT_TRUE(listed.insert(a.name).second) << a.name << " stands twice";
    }
  }
  EXPECT_EQ(listed, used);
}

// The rate of a corrected curve is not all that its times follow from: the list says so.
TEST(Measure, AnAssumptionNamesTheSizesThatItsTimesAreCorrectedBy) {
  Scenario s = test::toy_scenario(test::toy_dense(), {"1f1b"});
  EXPECT_EQ(find(measured(s), "operators.gemm.bf16")->source.find("corrected"), std::string::npos);
  for (OperatorCurve& c : s.cluster.gpu.operators) {
    if (c.op_class != "gemm.bf16") continue;
    c.form = CurveForm::kGemmKernel;
    c.gemm_kernel = {.flops_per_s = 1e12,
                     .sm_bytes_per_s = 1e12,
                     .split_bytes_per_s = 1e12,
                     .memory_bytes_per_s = 1e12,
                     .tiles = {{100, 100, 1}}};
    c.correction = {.sizes = kProductSizes,
                    .log2_first = {1, 1, 1},
                    .log2_step = {1, 1, 1},
                    .nodes = {1, 1, 1},
                    .log_ratio = {0.1}};
  }
  EXPECT_NE(find(measured(s), "operators.gemm.bf16")->source.find("; times corrected by m, n, k"),
            std::string::npos);
}

TEST(Measure, AStackWithoutFiguresForTheGpuSaysSo) {
  Scenario s = test::toy_scenario(test::toy_dense(), {"1f1b"});
  EXPECT_EQ(find(measured(s), "stack"), nullptr);
  s.stack.name = "old";
  const Metrics bare = measured(s);
  ASSERT_NE(find(bare, "stack.kernels"), nullptr);
  EXPECT_EQ(find(bare, "stack.kernels")->value, "the profile's");
  s.stack.gpus.push_back({.gpu = s.cluster.gpu.name,
                          .attention_flops_per_s = {},
                          .origin = Origin::kFitted,
                          .source = "toy",
                          .date = "2025",
                          .note = {},
                          .kernel_time = {{.op_class = "", .factor = test::toy_number(2)}}});
  const Metrics known = measured(s);
  EXPECT_EQ(find(known, "stack.kernels"), nullptr);
  ASSERT_NE(find(known, "stack.kernel_time"), nullptr);
}

TEST(Measure, AWindowShortensTheStepAndIsNamed) {
  Scenario s = test::toy_scenario(test::toy_window(), {"1f1b"});
  const Metrics with = measured(s);
  ASSERT_NE(find(with, "attention.window"), nullptr);
  EXPECT_EQ(find(with, "attention.window")->value, "16");
  EXPECT_EQ(find(with, "attention.window")->source, "the model: 2 of 4 layers");
  EXPECT_EQ(find(with, "attention.window.exchange"), nullptr);
  s.training.attention = AttentionKernel::kUnfused;
  EXPECT_EQ(find(measured(s), "attention.window")->value, "masked");
  s.training.attention = AttentionKernel::kFused;
  s.layout.cp = 2;
  s.gpus *= 2;
  EXPECT_NE(find(measured(s), "attention.window.exchange"), nullptr);
  s = test::toy_scenario(test::toy_window(), {"1f1b"});
  s.model.sliding_window = 0;
  const Metrics without = measured(s);
  EXPECT_EQ(find(without, "attention.window"), nullptr);
  EXPECT_LT(with.step_time_s, without.step_time_s);
}

TEST(Measure, AssumptionsSayWhereTheCommunicationSmsComeFrom) {
  Scenario s = test::toy_scenario(test::toy_moe(), {"dualpipe"});
  const Metrics by_profile = measured(s);
  ASSERT_NE(find(by_profile, "layout.communication_sms"), nullptr);
  EXPECT_EQ(find(by_profile, "layout.communication_sms")->value, "2");
  EXPECT_EQ(find(by_profile, "layout.communication_sms")->kind, "published");
  s.layout.communication_sms = 3;
  EXPECT_EQ(find(measured(s), "layout.communication_sms")->value, "3");
  EXPECT_EQ(find(measured(s), "layout.communication_sms")->kind, "given");
  // Nothing overlaps in 1F1B, so no SMs are set apart.
  EXPECT_EQ(find(measured(test::toy_scenario(test::toy_moe(), {"1f1b"})), "layout.communication_sms"),
            nullptr);
}

/// One megabyte too little: total = 3 GB + 2 % of the capacity + what the model needs.
Scenario short_of_memory(Scenario s) {
  const double need = measured(s).memory_peak - 0.02 * s.cluster.gpu.memory_bytes.value;
  s.cluster.gpu.memory_bytes = test::toy_number((need - 1e6) / 0.98);
  return s;
}

TEST(Measure, AnInfeasibleResultKeepsItsMemoryAndNamesTheNearestFit) {
  const Metrics m = simulate(short_of_memory(test::toy_scenario(test::toy_dense(), {"gpipe"}))).metrics;
  ASSERT_TRUE(m.infeasible);
  EXPECT_EQ(m.infeasible->reason, Reason::kMemory);
  EXPECT_EQ(m.memory.size(), 4U);
  EXPECT_EQ(m.step_time_s, 0);
  // GPipe keeps all 16 microbatches' activations: recomputing some frees far more than a megabyte.
  ASSERT_EQ(m.nearest.size(), 1U);
  EXPECT_EQ(m.nearest[0].first, "layout.recompute");
}

TEST(Measure, AScheduleFileThatFitsNoOtherSizeStillGivesAnInfeasibleResult) {
  // The nearest fit tries other sizes; with them the file holds too few microbatches or ranks.
  const std::filesystem::path file =
      std::filesystem::path(::testing::TempDir()) / "orrery_measure_test_schedule.csv";
  std::ofstream(file) << to_csv(make_schedule("gpipe", 4, 1, 16));
  Scenario s = test::toy_scenario(test::toy_dense(), {"gpipe"});
  s.layout.schedule = file.string();
  s.layout.recompute = make_recompute({"full"}, "test");
  const Metrics m = simulate(short_of_memory(s)).metrics;
  std::filesystem::remove(file);
  ASSERT_TRUE(m.infeasible);
  EXPECT_EQ(m.infeasible->reason, Reason::kMemory);
}

}  // namespace
}  // namespace orrery
