#include "planner/export/launch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "sim/base/fields.hpp"
#include "sim/simulate.hpp"

namespace orrery {
namespace {

/// A scenario with what its launch plan refers to.
struct Planned {
  Scenario scenario;
  Metrics metrics;
  [[nodiscard]] LaunchPlan plan() const { return launch_plan(scenario, metrics); }
};

Planned planned(const std::string& file,
                const std::vector<std::pair<std::string, std::string>>& changes = {}) {
  std::vector<Override> overrides;
  for (const auto& [key, value] : changes) overrides.push_back({.key = key, .value = value, .place = key});
  const std::string root = ORRERY_SOURCE_DIR;
  Planned out{.scenario = load_scenario(root + "/docs/examples/" + file, overrides,
                                        {.roots = {root + "/hwprofiles"}}),
              .metrics = {}};
  out.metrics = simulate(out.scenario).metrics;
  EXPECT_FALSE(out.metrics.infeasible) << (out.metrics.infeasible ? out.metrics.infeasible->text : "");
  return out;
}

/// Documented names of a framework with their allowed values; "-" any, "switch" none.
std::map<std::string, std::string> documented(const std::string& framework) {
  std::map<std::string, std::string> out;
  std::ifstream in(ORRERY_SOURCE_DIR "/tests/data/launch_flags.txt");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string who, name, values;
    words >> who >> name >> values;
    if (who == framework) out[name] = values;
  }
  return out;
}

bool allows(const std::string& values, const std::string& value) {
  if (values == "-") return !value.empty();
  if (values == "switch") return value.empty();
  std::istringstream given(value);
  for (std::string word; given >> word;) {
    if (("|" + values + "|").find("|" + word + "|") == std::string::npos) return false;
  }
  return !value.empty();
}

std::map<std::string, std::string> flags_of(const LaunchPlan& plan) {
  const LaunchFlags flags = megatron_flags(plan);
  std::map<std::string, std::string> out;
  for (const auto* group : {&flags.model, &flags.parallel, &flags.training}) {
    for (const LaunchFlag& flag : *group) {
      EXPECT_TRUE(out.emplace(flag.name, flag.value).second) << flag.name << " is given twice";
    }
  }
  return out;
}

/// "section.key" and value of a TOML file as we write it.
std::map<std::string, std::string> keys_of(const std::string& toml) {
  std::map<std::string, std::string> out;
  std::istringstream in(toml);
  std::string section;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#') continue;
    if (line[0] == '[') {
      section = line.substr(1, line.size() - 2) + ".";
      continue;
    }
    const std::size_t equals = line.find(" = ");
    std::string value = line.substr(equals + 3);
    std::erase(value, '"');
    out[section + line.substr(0, equals)] = value;
  }
  return out;
}

bool mentions(const std::vector<std::string>& lines, const std::string& words) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& l) { return l.find(words) != std::string::npos; });
}

std::vector<Planned> many_plans() {
  std::vector<Planned> all;
  all.push_back(planned("deepseek-v3-2048-h800.json"));
  all.push_back(planned("mixtral-8x7b-h100.json", {{"layout.schedule", "zb-h1"}}));
  all.push_back(planned("llama-3.1-405b-16384-h100.json"));
  all.push_back(planned("mixtral-8x7b-h100.json"));
  all.push_back(planned("llama-2-70b-a100.json", {{"training.loss", "fused"}}));
  all.push_back(planned("deepseek-v3-2048-h800.json", {{"layout.moe_dispatcher", "alltoall"}}));
  all.push_back(planned("deepseek-v3-2048-h800.json", {{"layout.offload", "optimizer+activations"}}));
  all.push_back(planned("llama-3.1-405b-16384-h100.json", {{"layout.tp_overlap", "products"}}));
  all.push_back(
      planned("mixtral-8x7b-h100.json", {{"layout.schedule", "combined-1f1b"}, {"layout.vpp", "2"}}));
  return all;
}

TEST(LaunchFlags, EveryNameAndValueIsDocumentedByItsFramework) {
  const auto megatron = documented("megatron");
  const auto torchtitan = documented("torchtitan");
  const auto deepspeed = documented("deepspeed");
  ASSERT_GT(megatron.size(), 50U);
  for (const Planned& p : many_plans()) {
    for (const auto& [name, value] : flags_of(p.plan())) {
      ASSERT_TRUE(megatron.contains(name)) << name;
      EXPECT_TRUE(allows(megatron.at(name), value)) << name << " " << value;
    }
    for (const auto& [name, value] : keys_of(torchtitan_toml(p.plan(), "s.csv"))) {
      ASSERT_TRUE(torchtitan.contains(name)) << name;
      EXPECT_TRUE(allows(torchtitan.at(name), value)) << name << " " << value;
    }
    const Json json = Json::parse(deepspeed_json(p.plan()));
    for (const auto& item : json.items()) {
      if (item.key() == "_comment") continue;
      if (!item.value().is_object()) {
        EXPECT_TRUE(deepspeed.contains(item.key())) << item.key();
        continue;
      }
      for (const auto& inner : item.value().items())
        EXPECT_TRUE(deepspeed.contains(item.key() + "." + inner.key())) << item.key() << "." << inner.key();
    }
  }
}

TEST(Megatron, TheDispatcherIsTheScenarios) {
  const Planned once = planned("deepseek-v3-2048-h800.json");
  EXPECT_EQ(flags_of(once.plan()).at("--moe-token-dispatcher-type"), "flex");
  const Planned each = planned("deepseek-v3-2048-h800.json", {{"layout.moe_dispatcher", "alltoall"}});
  EXPECT_EQ(flags_of(each.plan()).at("--moe-token-dispatcher-type"), "alltoall");
  EXPECT_FALSE(flags_of(each.plan()).contains("--moe-enable-deepep"));
  // The profile of A100 has rates of NCCL's all-to-all, and nobody's of DeepEP.
  const Planned a100 = planned("mixtral-8x7b-h100.json", {{"cluster.profile", "a100-sxm-ib200"}});
  EXPECT_EQ(flags_of(a100.plan()).at("--moe-token-dispatcher-type"), "alltoall");
}

TEST(Megatron, WhatGptOssHasBesidesIsSaidToBeMissing) {
  const Planned p = planned("mixtral-8x7b-h100.json", {{"model", "gpt-oss-20b"}});
  const LaunchFlags flags = megatron_flags(p.plan());
  for (const char* words : {"a sliding window of 128 tokens in 12 of 24 layers", "attention sinks",
                            "clamped gate", "a bias in the router's projection"})
    EXPECT_TRUE(mentions(flags.missing, words)) << words;
  // All its linear layers have biases.
  EXPECT_FALSE(mentions(flags.missing, "biases in some linear layers only"));
  EXPECT_FALSE(flags_of(p.plan()).contains("--disable-bias-linear"));
}

TEST(Megatron, DeepSeekV3IsDescribedAsItsReportDoes) {
  // arXiv 2412.19437, section 4.2: 61 layers of which 3 dense, hidden 7168, 128 heads, latent ranks 1536 and
  // 512, head sizes 128 + 64, 1 shared and 256 routed experts of 2048, 8 active, at most 4 of 8 groups, MTP
  // depth 1.
  const auto flags = flags_of(planned("deepseek-v3-2048-h800.json").plan());
  const std::map<std::string, std::string> expected{{"--num-layers", "61"},
                                                    {"--hidden-size", "7168"},
                                                    {"--ffn-hidden-size", "18432"},
                                                    {"--num-attention-heads", "128"},
                                                    {"--q-lora-rank", "1536"},
                                                    {"--kv-lora-rank", "512"},
                                                    {"--qk-head-dim", "128"},
                                                    {"--qk-pos-emb-head-dim", "64"},
                                                    {"--v-head-dim", "128"},
                                                    {"--num-experts", "256"},
                                                    {"--moe-router-topk", "8"},
                                                    {"--moe-ffn-hidden-size", "2048"},
                                                    {"--moe-layer-freq", "([0]*3+[1]*58)"},
                                                    {"--moe-shared-expert-intermediate-size", "2048"},
                                                    {"--moe-router-num-groups", "8"},
                                                    {"--moe-router-group-topk", "4"},
                                                    {"--mtp-num-layers", "1"},
                                                    {"--moe-enable-deepep", ""},
                                                    {"--expert-model-parallel-size", "64"},
                                                    {"--pipeline-model-parallel-size", "16"},
                                                    {"--micro-batch-size", "1"},
                                                    {"--global-batch-size", "15360"},
                                                    {"--train-samples", "3613281250"},  // 14.8e12 / 4096
                                                    {"--recompute-granularity", "selective"},
                                                    {"--recompute-modules", "layernorm mla_up_proj moe_act"},
                                                    {"--fp8-format", "e4m3"},
                                                    {"--fp8-recipe", "blockwise"}};
  for (const auto& [name, value] : expected) {
    ASSERT_TRUE(flags.contains(name)) << name;
    EXPECT_EQ(flags.at(name), value) << name;
  }
  EXPECT_FALSE(flags.contains("--kv-channels"));
  EXPECT_FALSE(flags.contains("--fp16"));
}

TEST(Megatron, WhatHasNoFlagIsSaid) {
  const Planned dualpipe = planned("deepseek-v3-2048-h800.json");
  const auto missing = megatron_flags(dualpipe.plan()).missing;
  EXPECT_TRUE(mentions(missing, "the schedule 'dualpipe'"));
  EXPECT_TRUE(mentions(missing, "without overlap"));
  const Planned beside = planned("deepseek-v3-2048-h800.json", {{"layout.overlap_grad_reduce", "true"},
                                                                {"layout.overlap_param_gather", "true"}});
  EXPECT_FALSE(mentions(megatron_flags(beside.plan()).missing, "without overlap"));
  EXPECT_NE(megatron_script(beside.plan()).find("--overlap-grad-reduce"), std::string::npos);
  EXPECT_NE(megatron_script(dualpipe.plan()).find("# - the schedule 'dualpipe'"), std::string::npos);
  const Planned plain = planned("deepseek-v3-2048-h800.json", {{"layout.schedule", "1f1b"}});
  EXPECT_FALSE(mentions(megatron_flags(plain.plan()).missing, "the schedule"));
}

TEST(Megatron, OverlapsHaveTheirSwitches) {
  const Planned products = planned("llama-3.1-405b-16384-h100.json", {{"layout.tp_overlap", "products"}});
  EXPECT_TRUE(flags_of(products.plan()).contains("--tp-comm-overlap"));
  EXPECT_FALSE(flags_of(planned("llama-3.1-405b-16384-h100.json").plan()).contains("--tp-comm-overlap"));
  const Planned combined =
      planned("mixtral-8x7b-h100.json", {{"layout.schedule", "combined-1f1b"}, {"layout.vpp", "2"}});
  EXPECT_TRUE(flags_of(combined.plan()).contains("--overlap-moe-expert-parallel-comm"));
  EXPECT_FALSE(mentions(megatron_flags(combined.plan()).missing, "the schedule"));
}

TEST(Megatron, WhatIsComputedAgainIsNotOffloadedToo) {
  const Planned p = planned("deepseek-v3-2048-h800.json", {{"layout.offload", "activations"}});
  const auto flags = flags_of(p.plan());
  EXPECT_TRUE(flags.contains("--fine-grained-activation-offloading"));
  EXPECT_FALSE(flags.contains("--optimizer-cpu-offload"));
  // V3 computes norms and activation functions again.
  EXPECT_EQ(flags.at("--offload-modules"), "qkv_linear attn_proj core_attn expert_fc1");
}

TEST(Megatron, LayoutNotationHoldsEveryLayerOnce) {
  const Planned p = planned("llama-3.1-405b-16384-h100.json");
  const auto flags = flags_of(p.plan());
  std::int64_t layers = 0;
  for (const std::int64_t n : p.plan().stage_layers) layers += n;
  EXPECT_EQ(layers, 126);
  EXPECT_EQ(std::count(flags.at("--pipeline-model-parallel-layout").begin(),
                       flags.at("--pipeline-model-parallel-layout").end(), '|'),
            p.scenario.layout.pp * p.scenario.layout.vpp - 1);
}

TEST(Torchtitan, BatchesAndDegreesMultiplyToWhatTheScenarioHas) {
  const Planned p = planned("llama-3.1-405b-16384-h100.json");
  const auto keys = keys_of(torchtitan_toml(p.plan(), "s.csv"));
  const auto number = [&](const std::string& key) { return std::stoll(keys.at(key)); };
  const std::int64_t dp =
      number("parallelism.data_parallel_replicate_degree") * number("parallelism.data_parallel_shard_degree");
  EXPECT_EQ(dp * number("parallelism.tensor_parallel_degree") *
                number("parallelism.context_parallel_degree") *
                number("parallelism.pipeline_parallel_degree"),
            p.scenario.gpus);
  EXPECT_EQ(number("training.local_batch_size") * dp, p.scenario.training.global_batch_size);
  EXPECT_EQ(number("training.local_batch_size") / number("parallelism.pipeline_parallel_microbatch_size"),
            p.plan().microbatches);
  EXPECT_EQ(keys.at("model.flavor"), "405B");
}

TEST(Torchtitan, AScheduleWithoutANameGoesByItsFile) {
  const Planned zb = planned("mixtral-8x7b-h100.json", {{"layout.schedule", "zb-h1"}});
  EXPECT_TRUE(torchtitan_needs_csv(zb.plan()));
  EXPECT_EQ(keys_of(torchtitan_toml(zb.plan(), "zb.csv")).at("parallelism.pipeline_parallel_schedule_csv"),
            "zb.csv");
  const Planned plain = planned("deepseek-v3-2048-h800.json", {{"layout.schedule", "1f1b"}});
  EXPECT_FALSE(torchtitan_needs_csv(plain.plan()));
  EXPECT_EQ(keys_of(torchtitan_toml(plain.plan(), "")).at("parallelism.pipeline_parallel_schedule"), "1F1B");
}

TEST(DeepSpeed, BatchIsMicrobatchTimesStepsTimesDataParallel) {
  for (const Planned& p : many_plans()) {
    const Json json = Json::parse(deepspeed_json(p.plan()));
    EXPECT_EQ(json.at("train_batch_size").get<std::int64_t>(),
              json.at("train_micro_batch_size_per_gpu").get<std::int64_t>() *
                  json.at("gradient_accumulation_steps").get<std::int64_t>() * p.plan().dp);
  }
}

TEST(DeepSpeed, AnOptimizerOnTheHostHasItsKey) {
  const Planned p = planned("deepseek-v3-2048-h800.json", {{"layout.offload", "optimizer"}});
  EXPECT_EQ(
      Json::parse(deepspeed_json(p.plan())).at("zero_optimization").at("offload_optimizer").at("device"),
      "cpu");
}

TEST(Sbatch, NodesHoldAllGpus) {
  const Planned p = planned("deepseek-v3-2048-h800.json");
  const std::string script = sbatch_script(p.plan());
  EXPECT_NE(script.find("#SBATCH --nodes=256\n"), std::string::npos);  // 2048 / 8
  EXPECT_NE(script.find("#SBATCH --gpus-per-node=8\n"), std::string::npos);
  EXPECT_NE(script.find("predicted to take"), std::string::npos);
}

}  // namespace
}  // namespace orrery
