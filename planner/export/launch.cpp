#include "planner/export/launch.hpp"

#include <fmt/format.h>

#include "sim/layout/layout.hpp"

namespace orrery {

std::string dispatcher_words(const Layout& layout) {
  return layout.moe_dispatcher == TokenDispatcher::kDeepEp
             ? "tokens sent once to each rank and node of their experts, by kernels of DeepEP's kind "
               "(layout.moe_dispatcher)"
             : "a copy of a token for each of its experts, by the library's all-to-all "
               "(layout.moe_dispatcher)";
}

LaunchPlan launch_plan(const Scenario& scenario, const Metrics& metrics) {
  const Derived derived = derive(scenario.layout, scenario.training, scenario.gpus);
  LaunchPlan plan{.scenario = scenario,
                  .stage_layers = {},
                  .dp = derived.dp,
                  .microbatches = derived.microbatches,
                  .communication_sms = 0,
                  .days = metrics.run.days.value_or(0)};
  for (const StageRow& stage : metrics.stages) plan.stage_layers.push_back(stage.layers);
  if (scenario.model.moe && scenario.layout.ep > 1) {
    const std::int64_t given = scenario.layout.communication_sms;
    plan.communication_sms = given > 0 ? given : scenario.cluster.expert_all_to_all.sm_count;
  }
  return plan;
}

std::string launch_title(const LaunchPlan& plan) {
  const Scenario& s = plan.scenario;
  const Layout& l = s.layout;
  return fmt::format(
      "{} on {} GPUs of {}: tp {}, cp {}, pp {}, vpp {}, ep {}, etp {}, dp {}, {}, ZeRO {}, {}", s.model_ref,
      s.gpus, s.cluster_ref, l.tp, l.cp, l.pp, l.vpp, l.ep, l.etp, plan.dp, l.schedule, l.zero_stage,
      to_text(s.training.precision));
}

}  // namespace orrery
