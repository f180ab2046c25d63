// Keys and meanings: torchtitan/config/job_config.py of pytorch/torchtitan, commit 000204a4a8bf.
#include <fmt/format.h>

#include <cmath>
#include <map>

#include "planner/export/launch.hpp"

namespace orrery {
namespace {

/// Our schedules by the names of torch.distributed.pipelining; empty where it has none.
std::string schedule_name(const std::string& ours) {
  static const std::map<std::string, std::string> kNames{{"gpipe", "GPipe"},
                                                         {"1f1b", "1F1B"},
                                                         {"interleaved-1f1b", "Interleaved1F1B"},
                                                         {"zb-v", "ZBVZeroBubble"}};
  const auto found = kNames.find(ours);
  return found == kNames.end() ? std::string{} : found->second;
}

/// Two copies of the weights run through the pipeline in opposite directions: no runtime of torch does that.
bool has_two_directions(const std::string& schedule) {
  return schedule == "dualpipe" || schedule == "chimera";
}

/// Name and size that torchtitan knows of a built-in model.
std::pair<std::string, std::string> model_of(const std::string& ref) {
  static const std::map<std::string, std::pair<std::string, std::string>> kModels{
      {"llama-3-8b", {"llama3", "8B"}},
      {"llama-3-70b", {"llama3", "70B"}},
      {"llama-3.1-405b", {"llama3", "405B"}},
      {"deepseek-v3", {"deepseek_v3", "671B"}}};
  const auto found = kModels.find(ref);
  return found == kModels.end() ? std::pair<std::string, std::string>{} : found->second;
}

/// Lines of one TOML table.
class Section {
 public:
  explicit Section(const char* name) : text_(fmt::format("\n[{}]\n", name)) {}
  Section& set(const char* key, std::int64_t value) { return line(key, std::to_string(value)); }
  Section& set(const char* key, const std::string& value) { return line(key, "\"" + value + "\""); }
  Section& line(const char* key, const std::string& value) {
    text_ += fmt::format("{} = {}\n", key, value);
    return *this;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string model_section(const LaunchPlan& plan, std::vector<std::string>& missing) {
  Section out("model");
  const auto [name, flavor] = model_of(plan.scenario.model_ref);
  if (name.empty()) {
    missing.push_back(
        fmt::format("the model '{}': set model.name and model.flavor", plan.scenario.model_ref));
  } else {
    out.set("name", name).set("flavor", flavor);
  }
  const Precision precision = plan.scenario.training.precision;
  if (precision == Precision::kFp8Tensor) out.line("converters", "[\"float8\"]");
  if (precision == Precision::kMxfp8) out.line("converters", "[\"mx\"]");
  if (precision == Precision::kFp8Block)
    missing.emplace_back("FP8 with block scales: float8.recipe_name has tensorwise and rowwise");
  if (precision == Precision::kFp16)
    missing.emplace_back("FP16: training.mixed_precision_param has bfloat16 and float32");
  if (plan.scenario.training.mtp && plan.scenario.model.mtp_modules > 0)
    missing.emplace_back("multi-token-prediction modules");
  if (plan.scenario.training.loss == LossKernel::kFused) missing.emplace_back(kFusedLossWords);
  return out.text();
}

std::string training_section(const LaunchPlan& plan) {
  const Scenario& s = plan.scenario;
  Section out("training");
  // With a pipeline the local batch is cut into microbatches; without one, steps of one microbatch are
  // accumulated.
  const std::int64_t local =
      s.layout.pp > 1 ? s.training.global_batch_size / plan.dp : s.layout.microbatch_size;
  out.set("local_batch_size", local).set("global_batch_size", s.training.global_batch_size);
  out.set("seq_len", s.training.sequence_length);
  if (s.training.tokens > 0) {
    const double step = static_cast<double>(s.training.global_batch_size * s.training.sequence_length);
    out.set("steps", static_cast<std::int64_t>(std::ceil(s.training.tokens / step)));
  }
  if (s.training.precision != Precision::kFp16) out.set("mixed_precision_param", std::string("bfloat16"));
  return out.text();
}

void add_sharding(const LaunchPlan& plan, Section& out, std::vector<std::string>& missing) {
  const std::int64_t zero = plan.scenario.layout.zero_stage;
  out.set("data_parallel_replicate_degree", zero == 0 ? plan.dp : 1);
  out.set("data_parallel_shard_degree", zero == 0 ? 1 : plan.dp);
  if (zero > 0) out.set("fsdp_reshard_after_forward", std::string(zero == 3 ? "always" : "never"));
  if (plan.scenario.layout.offload != Offload{})
    missing.push_back(fmt::format("offload {}: torchtitan's enable_cpu_offload moves the parameters too",
                                  to_text(plan.scenario.layout.offload)));
  if (zero == 1)
    missing.emplace_back(
        "ZeRO 1: FSDP shares gradients as well, which is ZeRO 2; memory is lower than predicted");
}

void add_pipeline(const LaunchPlan& plan, const std::string& csv, Section& out,
                  std::vector<std::string>& missing) {
  const Layout& l = plan.scenario.layout;
  out.set("pipeline_parallel_degree", l.pp);
  if (l.pp == 1) return;
  out.set("pipeline_parallel_microbatch_size", l.microbatch_size);
  std::string points;
  std::int64_t layer = 0;
  for (std::size_t i = 0; i + 1 < plan.stage_layers.size(); ++i) {
    layer += plan.stage_layers[i];
    points += fmt::format("{}\"layers.{}\"", points.empty() ? "" : ", ", layer);
  }
  out.line("pipeline_parallel_split_points", "[" + points + "]");
  const std::string name = schedule_name(l.schedule);
  if (!name.empty()) {
    out.set("pipeline_parallel_schedule", name);
  } else if (has_two_directions(l.schedule)) {
    missing.push_back(fmt::format(
        "the schedule '{}': it needs two copies of the weights in opposite directions", l.schedule));
  } else {
    out.set("pipeline_parallel_schedule", std::string("PipelineScheduleMulti"))
        .set("pipeline_parallel_schedule_csv", csv);
  }
}

std::string parallel_section(const LaunchPlan& plan, const std::string& csv,
                             std::vector<std::string>& missing) {
  const Layout& l = plan.scenario.layout;
  Section out("parallelism");
  add_sharding(plan, out, missing);
  out.set("tensor_parallel_degree", l.tp).set("context_parallel_degree", l.cp);
  if (plan.scenario.model.moe) {
    out.set("expert_parallel_degree", l.ep);
    if (l.etp > 1) missing.emplace_back("tensor parallelism inside an expert (etp)");
    if (l.ep > 1) missing.push_back(dispatcher_words(l));
    if (l.ep > 1 && (l.ep < l.cp || l.ep > plan.dp * l.cp))
      missing.emplace_back(
          "expert parallelism outside context_parallel_degree to shard degree times context_parallel_degree");
  }
  if (l.tp > 1 && !l.sequence_parallel)
    missing.emplace_back("tensor parallelism without sequence parallelism: torchtitan always uses both");
  add_pipeline(plan, csv, out, missing);
  return out.text();
}

std::string recompute_section(const LaunchPlan& plan, std::vector<std::string>& missing) {
  const Recompute& r = plan.scenario.layout.recompute;
  Section out("activation_checkpoint");
  out.set("mode", std::string(r.layer ? "full" : "none"));
  if (!r.layer && r.policy != "none")
    missing.push_back(
        fmt::format("recompute of '{}': the selective mode of torchtitan keeps other operators", r.policy));
  return out.text();
}

}  // namespace

bool torchtitan_needs_csv(const LaunchPlan& plan) {
  const Layout& l = plan.scenario.layout;
  return l.pp > 1 && schedule_name(l.schedule).empty() && !has_two_directions(l.schedule);
}

std::string torchtitan_toml(const LaunchPlan& plan, const std::string& csv) {
  std::vector<std::string> missing;
  std::string body = model_section(plan, missing);
  body += training_section(plan);
  body += parallel_section(plan, csv, missing);
  body += recompute_section(plan, missing);
  const Precision precision = plan.scenario.training.precision;
  if (precision == Precision::kFp8Tensor)
    body += Section("float8").set("recipe_name", std::string("tensorwise")).text();
  if (precision == Precision::kMxfp8) body += Section("mx").set("recipe_name", std::string("mxfp8")).text();
  std::string out = "# " + launch_title(plan) +
                    "\n# Job file of torchtitan: torchtitan/config/job_config.py of commit 000204a4a8bf, "
                    "after release 0.1.0.\n"
                    "# Without a key:\n";
  for (const std::string& line : missing) out += "# - " + line + "\n";
  out += "# - data, tokenizer, optimizer, learning rate and checkpoints are not part of a plan\n";
  return out + body;
}

}  // namespace orrery
