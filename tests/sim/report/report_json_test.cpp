#include "sim/report/report_json.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "sim/base/check.hpp"
#include "tests/sim/report/scenarios.hpp"

namespace orrery {
namespace {

using Json = nlohmann::ordered_json;

/// A step of 10 s made of 6 s forward and 4 s bubble, on one rank.
Metrics ten_seconds() {
  Metrics m;
  m.step_time_s = 10;
  m.step_tokens = 1000;
  m.breakdown.forward = 6;
  m.breakdown.bubble = 4;
  m.mean_breakdown = m.breakdown;
  m.waterfall.compute = 6;
  m.waterfall.bubble = 4;
  m.memory_capacity = 80e9;
  m.memory_peak = 50e9;
  m.memory = {{.rank = 0, .weights = 20e9, .activations = 30e9, .total = 50e9}};
  m.ranks = {{.rank = 0, .breakdown = m.breakdown}};
  m.stages = {{.stage = 0, .first_layer = 0, .layers = 32, .extras = "head"}};
  m.assumptions = {{"reserve", "3e9", "B", "assumed", "context"}, {"schedule", "1f1b", "", "given", "file"}};
  return m;
}

Json written(const Metrics& metrics) {
  return Json::parse(result_json(metrics, test::parse(test::least()), {"1.2.3", "abc"}));
}

TEST(ResultJson, HasEveryKeyOfTheInterface) {
  const Json json = written(ten_seconds());
  EXPECT_EQ(json.at("schema"), "orrery.result/1");
  EXPECT_EQ(json.at("program"), (Json{{"version", "1.2.3"}, {"commit", "abc"}}));
  EXPECT_EQ(json.at("feasible"), true);
  EXPECT_TRUE(json.at("infeasible").is_null());
  for (const char* pointer : {"/scenario/schema",
                              "/step/time_s",
                              "/step/time_s_p10",
                              "/step/time_s_p90",
                              "/step/tokens",
                              "/step/breakdown_s/forward",
                              "/step/breakdown_s/backward_input",
                              "/step/breakdown_s/backward_weight",
                              "/step/breakdown_s/forward_backward",
                              "/step/breakdown_s/bubble",
                              "/step/breakdown_s/optimizer",
                              "/step/breakdown_s/other",
                              "/step/waterfall_s/compute",
                              "/step/waterfall_s/recompute",
                              "/step/waterfall_s/exposed_tp",
                              "/step/waterfall_s/exposed_cp",
                              "/step/waterfall_s/exposed_ep",
                              "/step/waterfall_s/exposed_pp",
                              "/step/waterfall_s/exposed_dp",
                              "/step/waterfall_s/contention",
                              "/step/waterfall_s/bubble",
                              "/step/waterfall_s/imbalance",
                              "/step/waterfall_s/optimizer",
                              "/step/waterfall_s/other",
                              "/throughput/tokens_per_s",
                              "/throughput/tokens_per_day",
                              "/throughput/tokens_per_s_per_gpu",
                              "/throughput/model_tflops_per_gpu_causal",
                              "/throughput/model_tflops_per_gpu_noncausal",
                              "/throughput/mfu_causal",
                              "/throughput/mfu_noncausal",
                              "/memory/peak_bytes",
                              "/memory/capacity_bytes",
                              "/memory/per_rank/0/rank",
                              "/memory/per_rank/0/weights",
                              "/memory/per_rank/0/gradients",
                              "/memory/per_rank/0/optimizer",
                              "/memory/per_rank/0/activations",
                              "/memory/per_rank/0/buffers",
                              "/memory/per_rank/0/reserve",
                              "/memory/per_rank/0/total",
                              "/power/gpu_mean_w",
                              "/power/gpu_peak_w",
                              "/power/node_mean_w",
                              "/power/cluster_mean_w",
                              "/energy/step_j",
                              "/energy/per_token_j",
                              "/run/tokens",
                              "/run/days",
                              "/run/gpu_hours",
                              "/run/goodput",
                              "/run/energy_mwh",
                              "/run/usd",
                              "/run/co2e_t",
                              "/assumptions/0/name",
                              "/assumptions/0/value",
                              "/assumptions/0/unit",
                              "/assumptions/0/kind",
                              "/assumptions/0/source"})
    EXPECT_TRUE(json.contains(Json::json_pointer(pointer))) << pointer;
}

TEST(ResultJson, WhatIsNotModelledIsNull) {
  const Json json = written(ten_seconds());
  for (const char* pointer : {"/step/time_s_p10", "/step/waterfall_s/imbalance", "/power/gpu_mean_w",
                              "/energy/step_j", "/run/usd", "/run/co2e_t", "/run/goodput"})
    EXPECT_TRUE(json.at(Json::json_pointer(pointer)).is_null()) << pointer;
}

TEST(ResultJson, NumbersOfAssumptionsAreNumbers) {
  const Json json = written(ten_seconds());
  EXPECT_EQ(json.at("assumptions").at(0).at("value"), 3e9);
  EXPECT_EQ(json.at("assumptions").at(1).at("value"), "1f1b");
}

TEST(ResultJson, DefaultsOfTheScenarioAreAmongTheAssumptions) {
  const Json json = written(ten_seconds());
  int found = 0;
  for (const Json& a : json.at("assumptions")) found += a.at("name") == "layout.zero_stage" ? 1 : 0;
  EXPECT_EQ(found, 1);
}

TEST(ResultJson, InfeasibleKeepsTheKeysAndHasNoNumbers) {
  Metrics m;
  m.infeasible = Infeasible{Reason::kMemory, "bytes of rank 3", 90e9, 80e9, "does not fit"};
  m.nearest = {{"layout.ep", "128"}, {"layout.recompute", "full"}};
  m.memory_capacity = 80e9;
  m.memory_peak = 90e9;
  m.memory = {{.rank = 3, .total = 90e9}};
  const Json json = written(m);
  EXPECT_EQ(json.at("feasible"), false);
  EXPECT_EQ(json.at("infeasible").at("code"), "memory");
  EXPECT_EQ(json.at("infeasible").at("needed"), 90e9);
  EXPECT_EQ(json.at("infeasible").at("available"), 80e9);
  EXPECT_EQ(json.at("infeasible").at("nearest").at("layout.ep"), 128);
  EXPECT_EQ(json.at("infeasible").at("nearest").at("layout.recompute"), "full");
  EXPECT_TRUE(json.at("step").at("time_s").is_null());
  EXPECT_TRUE(json.at("step").at("breakdown_s").at("forward").is_null());
  EXPECT_TRUE(json.at("throughput").at("mfu_causal").is_null());
  EXPECT_EQ(json.at("memory").at("peak_bytes"), 90e9);
}

TEST(ResultJson, MemoryThatWasNotComputedIsNull) {
  Metrics m;
  m.infeasible = Infeasible{Reason::kWorldSize, "GPUs", 16, 15, "15 GPUs"};
  EXPECT_TRUE(written(m).at("memory").at("peak_bytes").is_null());
}

TEST(ResultJson, ANumberThatIsNotFiniteIsABug) {
  Metrics m = ten_seconds();
  m.throughput.mfu_causal = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW((void)written(m), InternalError);
  m = ten_seconds();
  m.run.usd = std::numeric_limits<double>::infinity();
  EXPECT_THROW((void)written(m), InternalError);
}

}  // namespace
}  // namespace orrery
