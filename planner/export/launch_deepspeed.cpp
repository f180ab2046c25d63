// Keys and meanings: https://www.deepspeed.ai/docs/config-json/.
#include <fmt/format.h>

#include "planner/export/launch.hpp"
#include "sim/base/fields.hpp"
#include "sim/layout/data_parallel.hpp"

namespace orrery {
namespace {

bool reduces_beside(const Layout& layout) {
  const DataTraffic reduce = data_parallel_plan(layout).reduce;
  return reduce == DataTraffic::kOnce || reduce == DataTraffic::kEveryUse;
}

/// What the caller's own program decides, not this file.
std::vector<std::string> missing_of(const LaunchPlan& plan) {
  const Layout& l = plan.scenario.layout;
  std::vector<std::string> out;
  const auto degree = [&](const char* what, std::int64_t size) {
    if (size > 1)
      out.push_back(
          fmt::format("{} {}: decided by the model code (its mpu or groups), not by this file", what, size));
  };
  degree("tensor parallel", l.tp);
  degree("context parallel", l.cp);
  degree("expert parallel", l.ep);
  degree("tensor parallel inside an expert", l.etp);
  if (plan.scenario.model.moe && l.ep > 1) out.push_back(dispatcher_words(l));
  if (plan.scenario.training.loss == LossKernel::kFused) out.emplace_back(kFusedLossWords);
  if (l.pp > 1)
    out.push_back(
        fmt::format("pipeline of {} ranks and schedule '{}': PipelineModule runs 1F1B with one stage a rank",
                    l.pp, l.schedule));
  if (l.pp > 1 && l.zero_stage >= 2) out.push_back("ZeRO 2 and 3 do not go with DeepSpeed's pipeline");
  if (l.recompute.policy != "none")
    out.push_back(fmt::format("recompute '{}': decided by the model code", l.recompute.policy));
  if (l.offload.optimizer && l.zero_stage == 0)
    out.emplace_back("an optimizer on the host: offload_optimizer needs ZeRO 1 or more");
  if (l.offload.activations)
    out.emplace_back(
        "activations on the host: decided by the model code (cpu_checkpointing keeps only inputs)");
  if (is_fp8(plan.scenario.training.precision))
    out.push_back(
        fmt::format("precision {}: the FP8 linear layers are those of the model code; BF16 is set here",
                    to_text(plan.scenario.training.precision)));
  if (!reduces_beside(l))
    out.emplace_back(
        "the reduction of gradients is predicted without overlap; layout.overlap_grad_reduce predicts it "
        "with");
  out.emplace_back("optimizer, learning rate and data are not part of a plan");
  return out;
}

}  // namespace

std::string deepspeed_json(const LaunchPlan& plan) {
  const Scenario& s = plan.scenario;
  Json comment = Json::array();
  comment.push_back(launch_title(plan));
  comment.push_back(
      "Configuration of DeepSpeed 0.16, https://www.deepspeed.ai/docs/config-json/. Without a key:");
  for (const std::string& line : missing_of(plan)) comment.push_back(line);
  Json out{
      {"_comment", std::move(comment)},
      {"train_batch_size", s.training.global_batch_size},
      {"train_micro_batch_size_per_gpu", s.layout.microbatch_size},
      {"gradient_accumulation_steps", plan.microbatches},
      {"zero_optimization", {{"stage", s.layout.zero_stage}, {"overlap_comm", reduces_beside(s.layout)}}}};
  if (s.layout.offload.optimizer && s.layout.zero_stage > 0)
    out["zero_optimization"]["offload_optimizer"] = {{"device", "cpu"}, {"pin_memory", true}};
  out[s.training.precision == Precision::kFp16 ? "fp16" : "bf16"] = {{"enabled", true}};
  return out.dump(2) + "\n";
}

}  // namespace orrery
