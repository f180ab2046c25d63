#include "sim/scenario.hpp"
#include "sim/base/check.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "sim/scenario_keys.hpp"
#include "sim/schedule/generators.hpp"
#include "tests/sim/report/scenarios.hpp"

namespace orrery {
namespace {

using test::least;
using test::parse;
using test::with;

std::string assumed_value(const Scenario& s, const std::string& name) {
  for (const Scenario::Assumed& a : s.assumed) {
    if (a.name == name) return a.value;
  }
  return "(not assumed)";
}

TEST(Scenario, ReadsTheMainExample) {
  const Scenario s = load_scenario(
      std::string(ORRERY_SOURCE_DIR) + "/docs/examples/deepseek-v3-2048-h800.json", {}, test::profiles());
  EXPECT_EQ(s.model.name, "deepseek-v3");
  EXPECT_EQ(s.cluster.name, "h800-sxm-ib400");
  EXPECT_EQ(s.gpus, 2048);
  EXPECT_EQ(s.layout.pp, 16);
  EXPECT_EQ(s.layout.ep, 64);
  EXPECT_EQ(s.layout.schedule, "dualpipe");
  EXPECT_TRUE(s.layout.recompute.norms && s.layout.recompute.mla_up && s.layout.recompute.activation);
  EXPECT_EQ(s.training.global_batch_size, 15360);
  EXPECT_EQ(s.training.precision, Precision::kFp8Block);
  EXPECT_DOUBLE_EQ(s.training.tokens, 14.8e12);
  EXPECT_EQ(s.economics.usd_per_gpu_hour, 2.0);
  EXPECT_EQ(s.economics.grid, "CN");
}

TEST(Scenario, WrittenTextReadsBackToTheSameText) {
  for (const char* change :
       {"layout.dp=16", "layout.schedule=zb-h1", "layout.recompute=norms,activation",
        "layout.stage_layers=[32]", "layout.communication_sms=20", "training.tokens=2T",
        "routing.max_over_mean=1", "economics.pue=1.25", "training.precision=fp8-tensor", "stack=torch-2024",
        "training.attention=unfused", "training.dropout=true", "training.gradients=bf16",
        "training.expert_calls=per-expert", "training.loss=fused", "layout.moe_dispatcher=alltoall"}) {
    const std::string text(change);
    const std::size_t equals = text.find('=');
    const std::string once = to_json_text(with(text.substr(0, equals), text.substr(equals + 1)));
    EXPECT_EQ(to_json_text(parse(once)), once) << change;
  }
}

TEST(Scenario, AStackSetsWhatItsProgramDoesAndTheScenarioSetsTheRest) {
  const Scenario plain = parse(least());
  EXPECT_EQ(plain.training.attention, AttentionKernel::kFused);
  const Scenario old = with("stack", "megatron-2021");
  EXPECT_EQ(old.training.attention, AttentionKernel::kUnfused);
  EXPECT_TRUE(old.training.dropout);
  EXPECT_GT(old.cluster.gpu.host_launch_s.value, plain.cluster.gpu.host_launch_s.value);
  EXPECT_EQ(assumed_value(old, "training.attention"), "unfused");
  EXPECT_EQ(to_json_text(with("stack", "none")), to_json_text(plain));
  // What is given stays, also when it is the default, and survives being written and read again.
  const Scenario mixed =
      parse(least(), {{"stack", "megatron-2021", ""}, {"training.attention", "fused", ""}});
  EXPECT_EQ(mixed.training.attention, AttentionKernel::kFused);
  EXPECT_TRUE(mixed.training.dropout);
  EXPECT_EQ(parse(to_json_text(mixed)).training.attention, AttentionKernel::kFused);
  // Also where a dense model or one expert rank makes no use of it yet.
  const Scenario once =
      parse(least(), {{"stack", "megatron-2026", ""}, {"layout.moe_dispatcher", "deepep", ""}});
  EXPECT_EQ(with("stack", "megatron-2026").layout.moe_dispatcher, TokenDispatcher::kAllToAll);
  EXPECT_EQ(parse(to_json_text(once)).layout.moe_dispatcher, TokenDispatcher::kDeepEp);
}

TEST(Scenario, SkewedRoutingIsWrittenWithItsSkew) {
  const Scenario s = parse(least(), {{"routing.kind", "skewed", ""}, {"routing.max_over_mean", "1.3", ""}});
  EXPECT_EQ(s.routing.kind, Routing::Kind::kSkewed);
  EXPECT_EQ(parse(to_json_text(s)).routing.max_over_mean, 1.3);
}

TEST(Scenario, NamesEveryDefaultItFilledIn) {
  const Scenario s = parse(least());
  EXPECT_EQ(assumed_value(s, "layout.pp"), "1");
  EXPECT_EQ(assumed_value(s, "layout.zero_stage"), "1");
  EXPECT_EQ(assumed_value(s, "layout.schedule"), "1f1b");
  EXPECT_EQ(assumed_value(s, "layout.recompute"), "none");
  EXPECT_EQ(assumed_value(s, "training.precision"), "bf16");
  EXPECT_EQ(assumed_value(s, "training.sequence_length"), "4096");
  EXPECT_EQ(assumed_value(with("layout.pp", "2"), "layout.pp"), "(not assumed)");
}

TEST(Scenario, DefaultSequenceIsNotLongerThanTheModelHasPositionsFor) {
  // GPT-2 XL has 1,024 learned positions.
  const Scenario s = with("model", "gpt2-xl");
  EXPECT_EQ(s.training.sequence_length, 1024);
}

TEST(Scenario, MtpIsTrainedWhereTheModelHasIt) {
  EXPECT_FALSE(parse(least()).training.mtp);
  EXPECT_TRUE(with("model", "deepseek-v3").training.mtp);
  EXPECT_FALSE(parse(least(), {{"training.mtp", "true", ""}}).training.mtp);
}

TEST(Scenario, StagesPerRankFollowTheSchedule) {
  EXPECT_EQ(with("layout.schedule", "interleaved-1f1b").layout.vpp, 2);
  EXPECT_EQ(with("layout.schedule", "dualpipe").layout.vpp, 1);
  EXPECT_EQ(parse(least(), {{"layout.schedule", "interleaved-1f1b", ""}, {"layout.vpp", "4", ""}}).layout.vpp,
            4);
}

TEST(Scenario, ScheduleFileIsFoundBesideTheScenario) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "orrery-scenario-test";
  std::filesystem::create_directories(folder);
  // Two stages on each of two ranks.
  std::ofstream(folder / "mine.csv") << to_csv(make_schedule("interleaved-1f1b", 2, 2, 4));
  const Scenario s = parse(least(), {{"layout.schedule", "mine.csv", ""}}, folder);
  EXPECT_EQ(std::filesystem::path(s.layout.schedule), folder / "mine.csv");
  EXPECT_EQ(s.layout.vpp, 2);
  std::filesystem::remove_all(folder);
}

TEST(Scenario, LaterOverrideWins) {
  const Scenario s = parse(least(), {{"layout.tp", "2", "--tp"}, {"layout.tp", "4", "--set layout.tp"}});
  EXPECT_EQ(s.layout.tp, 4);
}

TEST(Scenario, OverridesAloneAreEnough) {
  const Scenario s = parse("", {{"model", "llama-3-8b", "--model"},
                                {"cluster.profile", "h100-sxm-ib400", "--cluster"},
                                {"cluster.gpus", "8", "--gpus"},
                                {"training.global_batch_size", "64", "--gbs"}});
  EXPECT_EQ(s.gpus, 8);
  EXPECT_EQ(s.layout.tp, 1);
}

TEST(Scenario, NullMeansNotGiven) {
  const Scenario s = with("layout.pp", "null");
  EXPECT_EQ(s.layout.pp, 1);
  EXPECT_EQ(assumed_value(s, "layout.pp"), "1");
}

TEST(Scenario, PricesNobodyGaveStayEmpty) {
  const Scenario s = parse(least());
  EXPECT_FALSE(s.economics.usd_per_gpu_hour || s.economics.usd_per_kwh || s.economics.pue ||
               s.economics.grid);
}

TEST(ScenarioKeys, AreThoseThatAreRead) {
  // The text of a scenario with every optional value holds each key of the table, and no other.
  const Scenario s = parse(least(), {{"layout.dp", "16", ""},
                                     {"layout.communication_sms", "0", ""},
                                     {"layout.stage_layers", "[32]", ""},
                                     {"layout.mtp_stage", "0", ""},
                                     {"layout.live_microbatches", "4", ""},
                                     {"layout.overlap_grad_reduce", "true", ""},
                                     {"layout.overlap_param_gather", "false", ""},
                                     {"training.tokens", "1e12", ""},
                                     {"routing.kind", "skewed", ""},
                                     {"routing.max_over_mean", "2", ""},
                                     {"layout.offload", "optimizer", ""},
                                     {"layout.moe_dispatcher", "alltoall", ""},
                                     {"cluster.gpus_per_node", "16", ""},
                                     {"cluster.nics_per_gpu", "2", ""},
                                     {"cluster.oversubscription", "2", ""},
                                     {"cluster.power_cap_w", "600", ""},
                                     {"stack", "torch-2024", ""},
                                     {"economics.co2_g_per_kwh", "400", ""},
                                     {"economics.server_usd", "3e5", ""},
                                     {"economics.lifetime_years", "5", ""},
                                     {"reliability.failures_per_node_day", "0.004", ""},
                                     {"reliability.restart_s", "900", ""},
                                     {"reliability.checkpoint_interval_s", "1800", ""},
                                     {"reliability.checkpoint_bytes_per_s_per_node", "1e9", ""},
                                     {"reliability.checkpoint_stall_s", "3", ""},
                                     {"reliability.straggler_loss", "0.01", ""},
                                     {"reliability.repair_s", "86400", ""}});
  const std::string text = to_json_text(s);
  for (const ScenarioKey& key : scenario_keys()) {
    if (key.key == "layout.pipeline_layout")
      continue;  // another way of writing stage_layers, which is written
    const std::size_t dot = key.key.find('.');
    const std::string last(dot == std::string_view::npos ? key.key : key.key.substr(dot + 1));
    EXPECT_NE(text.find("\"" + last + "\":"), std::string::npos) << key.key;
  }
  // One colon per key, one per group (cluster, layout, training, routing, economics, reliability) and one of
  // the schema.
  EXPECT_EQ(std::count(text.begin(), text.end(), ':'), static_cast<long>(scenario_keys().size()) - 1 + 6 + 1);
}

TEST(ScenarioKeys, PipelineLayoutIsStageLayersInOtherWords) {
  const Scenario s = parse(least(), {{"layout.pp", "2", ""}, {"layout.pipeline_layout", "Et*20|t*12,L", ""}});
  EXPECT_EQ(s.layout.stage_layers, (std::vector<std::int64_t>{20, 12}));
  EXPECT_THROW(
      (void)parse(least(), {{"layout.stage_layers", "[32]", ""}, {"layout.pipeline_layout", "Et*32,L", ""}}),
      InputError);
}

}  // namespace
}  // namespace orrery
