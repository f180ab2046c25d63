#include "sim/simulate.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/fields.hpp"
#include "sim/engine/engine.hpp"
#include "sim/engine/graph_checks.hpp"
#include "sim/layout/check_layout.hpp"
#include "sim/layout/rank_map.hpp"
#include "sim/layout/stage_partition.hpp"
#include "sim/lower/lower.hpp"
#include "sim/lower/memory.hpp"
#include "sim/report/measure.hpp"
#include "sim/schedule/generators.hpp"
#include "sim/schedule/validate.hpp"

namespace orrery {
namespace {

bool overlaps(const Schedule& schedule) {
  for (const std::vector<Step>& rank : schedule.ranks) {
    for (const Step& step : rank) {
      if (step.overlapped) return true;
    }
  }
  return false;
}

/// SMs set apart for communication: as given, else the all-to-all kernels' own number where pairs overlap,
/// else none.
std::int64_t communication_sms(const Scenario& s, const Schedule& schedule) {
  if (s.layout.communication_sms >= 0) return s.layout.communication_sms;
  return overlaps(schedule) && s.layout.ep > 1 ? s.cluster.expert_all_to_all.sm_count : 0;
}

Verdict check_capability(const Scenario& s) {
  if (!is_fp8(s.training.precision) || s.cluster.gpu.peak_flops_per_s.contains("fp8")) return {};
  return Infeasible{Reason::kCapability, "FP8 tensor cores", 1, 0,
                    fmt::format("{} has no FP8 tensor cores, so precision {} cannot run; use bf16",
                                s.cluster.gpu.device, to_text(s.training.precision))};
}

std::vector<std::int64_t> partition(const Scenario& s, const Workload& workload,
                                    const StepTemplates& templates, std::int64_t stages,
                                    bool hidden_communication) {
  if (!s.layout.stage_layers.empty()) return s.layout.stage_layers;
  std::vector<double> costs;
  for (std::size_t unit : layer_units(workload, s.model))
    costs.push_back(templates.unit_seconds(unit, !hidden_communication));
  const auto cost = [&](UnitKind kind) {
    return templates.unit_seconds(unit_of(workload, kind), !hidden_communication);
  };
  costs.front() += cost(UnitKind::kEmbedding);
  costs.back() += cost(UnitKind::kHead);
  if (s.training.mtp) {
    for (std::int64_t i = 0; i < s.model.mtp_modules; ++i)
      costs.back() += cost(UnitKind::kMtp) + cost(UnitKind::kHead);
  }
  return balance_stages(costs, stages);
}

Verdict check_memory(const std::vector<RankMemory>& memory, double capacity) {
  const auto worst =
      std::max_element(memory.begin(), memory.end(),
                       [](const RankMemory& a, const RankMemory& b) { return a.total() < b.total(); });
  if (worst->total() <= capacity) return {};
  const std::pair<const char*, double> parts[] = {{"weights", worst->weights},
                                                  {"gradients", worst->gradients},
                                                  {"optimizer state", worst->optimizer},
                                                  {"activations", worst->activations},
                                                  {"buffers", worst->buffers}};
  const auto* largest = std::max_element(std::begin(parts), std::end(parts),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
  return Infeasible{Reason::kMemory, fmt::format("bytes on pipeline rank {}", worst - memory.begin()),
                    worst->total(), capacity,
                    fmt::format("pipeline rank {} needs {:.1f} GB of {:.1f} GB; largest part: {} {:.1f} GB",
                                worst - memory.begin(), worst->total() / 1e9, capacity / 1e9, largest->first,
                                largest->second / 1e9)};
}

/// Everything between the scenario and the task graph.
struct Plan {
  Verdict verdict;
  Schedule schedule;
  Derived derived;
  Workload workload;
  std::optional<RankMap> ranks;
  std::optional<StepTemplates> templates;
  MemoryRules rules;
  std::vector<RankMemory> memory;
  std::int64_t communication_sms = 0;
};

void make_plan(const Scenario& s, Plan& plan) {
  plan.rules = memory_rules(s.training.precision);
  plan.verdict = check_capability(s);
  if (!plan.verdict) plan.verdict = check_layout(s.model, s.layout, s.training, s.gpus);
  if (plan.verdict) return;
  plan.derived = derive(s.layout, s.training, s.gpus);
  plan.verdict = scenario_schedule(s, plan.schedule);
  if (plan.verdict) return;
  plan.ranks.emplace(s.layout, s.gpus, s.cluster.gpus_per_node);
  plan.workload = make_units({s.model, s.layout, s.training, s.cluster.gpus_per_node, s.routing});
  plan.communication_sms = communication_sms(s, plan.schedule);
  const auto sms = static_cast<std::int64_t>(s.cluster.gpu.sm_count.value) - plan.communication_sms;
  if (sms < 1) {
    plan.verdict = Infeasible{Reason::kCapability, "SMs", static_cast<double>(plan.communication_sms),
                              s.cluster.gpu.sm_count.value,
                              fmt::format("communication_sms = {} leaves no SM of {} for compute",
                                          plan.communication_sms, s.cluster.gpu.sm_count.value)};
    return;
  }
  plan.templates.emplace(plan.workload, *plan.ranks, s.cluster, sms);
  assign_stages(plan.workload, s.model, s.training,
                partition(s, plan.workload, *plan.templates, plan.schedule.stages, overlaps(plan.schedule)));
  const double capacity = s.cluster.gpu.memory_bytes.value;
  plan.memory =
      memory_by_rank({plan.workload, plan.schedule, s.layout, plan.derived, s.model, plan.rules, capacity});
  plan.verdict = check_memory(plan.memory, capacity);
}

/// The first of a row of single changes that fits; empty when none does.
std::vector<std::pair<std::string, std::string>> nearest_fit(const Scenario& s) {
  using Change = std::pair<std::pair<std::string, std::string>, Scenario>;
  std::vector<Change> changes;
  const auto add = [&](const char* key, std::string value, auto&& edit) {
    Scenario other = s;
    edit(other);
    changes.push_back({{key, std::move(value)}, std::move(other)});
  };
  if (s.layout.zero_stage < 1) add("layout.zero_stage", "1", [](Scenario& o) { o.layout.zero_stage = 1; });
  if (s.layout.microbatch_size > 1) {
    add("layout.microbatch_size", "1", [](Scenario& o) { o.layout.microbatch_size = 1; });
  }
  if (s.model.mla && !s.layout.recompute.mla_up && !s.layout.recompute.layer) {
    add("layout.recompute", "deepseek-v3",
        [](Scenario& o) { o.layout.recompute = make_recompute({"deepseek-v3"}, ""); });
  }
  if (!s.layout.recompute.layer && !s.layout.recompute.norms && !s.layout.recompute.activation) {
    add("layout.recompute", "[\"norms\", \"activation\"]", [](Scenario& o) {
      o.layout.recompute = make_recompute({"norms", "activation"}, "");
    });
  }
  if (!s.layout.recompute.layer) {
    add("layout.recompute", "full", [](Scenario& o) { o.layout.recompute = make_recompute({"full"}, ""); });
  }
  for (std::int64_t ep : {s.layout.ep * 2, s.layout.ep * 4, s.layout.ep * 8}) {
    if (s.model.moe && ep <= s.model.moe->experts)
      add("layout.ep", std::to_string(ep), [ep](Scenario& o) { o.layout.ep = ep; });
  }
  for (std::int64_t k : {2, 4, 8}) {
    add("layout.tp", std::to_string(s.layout.tp * k), [k](Scenario& o) {
      o.layout.tp *= k;
      o.layout.sequence_parallel = true;
      o.layout.dp = 0;
    });
    add("layout.pp", std::to_string(s.layout.pp * k), [k](Scenario& o) {
      o.layout.pp *= k;
      o.layout.dp = 0;
      o.layout.stage_layers.clear();
    });
  }
  for (Change& change : changes) {
    // A change can ask for a curve the profile lacks, or for sizes that a schedule file does not have.
    try {
      Plan plan;
      make_plan(change.second, plan);
      if (plan.verdict) continue;
      // Tensor parallelism was tried together with sequence parallelism: name both.
      const bool both = change.second.layout.sequence_parallel && !s.layout.sequence_parallel;
      if (both) return {change.first, {"layout.sequence_parallel", "true"}};
      return {change.first};
    } catch (const InputError&) {
    }
  }
  return {};
}

}  // namespace

Verdict scenario_schedule(const Scenario& s, Schedule& out) {
  const Derived d = derive(s.layout, s.training, s.gpus);
  const bool file = s.layout.schedule.size() > 4 && s.layout.schedule.ends_with(".csv");
  if (!file) {
    const auto pp = static_cast<int>(s.layout.pp);
    const auto vpp = static_cast<int>(s.layout.vpp);
    const auto n = static_cast<int>(d.microbatches);
    if (Verdict v = check_schedule(s.layout.schedule, pp, vpp, n)) return v;
    out = make_schedule(s.layout.schedule, pp, vpp, n);
    return {};
  }
  out = parse_csv(read_file(s.layout.schedule), s.layout.schedule);
  const auto differ = [&](const char* what, std::int64_t wanted, std::int64_t found) {
    throw InputError(s.layout.schedule,
                     fmt::format("holds {} {}, but the scenario has {}", found, what, wanted));
  };
  if (static_cast<std::int64_t>(out.ranks.size()) != s.layout.pp)
    differ("ranks", s.layout.pp, static_cast<std::int64_t>(out.ranks.size()));
  if (out.stages != s.layout.pp * s.layout.vpp) differ("stages", s.layout.pp * s.layout.vpp, out.stages);
  if (out.microbatches != d.microbatches) differ("microbatches", d.microbatches, out.microbatches);
  return {};
}

SimResult simulate(const Scenario& scenario) {
  Plan plan;
  make_plan(scenario, plan);
  SimResult result;
  Measured m{.scenario = scenario,
             .derived = plan.derived,
             .workload = plan.workload,
             .memory = plan.memory,
             .rules = plan.rules,
             .communication_sms = plan.communication_sms};
  if (plan.verdict) {
    result.metrics = infeasible_metrics(m, *plan.verdict);
    if (plan.verdict->reason == Reason::kMemory) result.metrics.nearest = nearest_fit(scenario);
    return result;
  }
  const LowerInput input{.workload = plan.workload,
                         .schedule = plan.schedule,
                         .layout = scenario.layout,
                         .derived = plan.derived,
                         .ranks = *plan.ranks,
                         .cluster = scenario.cluster,
                         .templates = *plan.templates,
                         .optimizer_bytes_per_param = optimizer_traffic(plan.rules)};
  auto step = std::make_shared<LoweredStep>(lower(input));
  auto timeline = std::make_shared<Timeline>(run(step->graph));
  if (timeline->stop == StopReason::kDeadlock) {
    const std::vector<TaskId> cycle = find_cycle(step->graph);
    throw InternalError(fmt::format("the task graph deadlocks ({} tasks on a cycle):\n{}", cycle.size(),
                                    deadlock_text(*timeline)));
  }
  result.schedule = std::make_shared<Schedule>(std::move(plan.schedule));
  result.metrics = measure(m, *step, *timeline);
  result.step = std::move(step);
  result.timeline = std::move(timeline);
  return result;
}

PairResult simulate_pair(const Scenario& scenario, int layers) {
  Scenario s = scenario;
  s.training.mtp = false;
  const RankMap ranks(s.layout, s.gpus, s.cluster.gpus_per_node);
  Workload workload = make_units({s.model, s.layout, s.training, s.cluster.gpus_per_node, s.routing});
  const std::size_t moe = unit_of(workload, UnitKind::kMoe);
  workload.stages.push_back({.units = std::vector<std::size_t>(static_cast<std::size_t>(layers), moe),
                             .first_layer = 0,
                             .layers = layers});
  // One rank, one stage; the forward belongs to microbatch 1, the backward to microbatch 0.
  Schedule schedule;
  schedule.name = "pair";
  schedule.stages = 1;
  schedule.microbatches = 2;
  const StageId stage{0};
  schedule.ranks.push_back({overlap({ActionKind::kForward, stage, MicrobatchId{1}},
                                    {ActionKind::kBackward, stage, MicrobatchId{0}})});
  schedule.owner.assign(2, RankId{0});
  const std::int64_t sms =
      static_cast<std::int64_t>(s.cluster.gpu.sm_count.value) - communication_sms(s, schedule);
  StepTemplates templates(workload, ranks, s.cluster, sms);
  const Derived derived = derive(s.layout, s.training, s.gpus);
  const LoweredStep step = lower({.workload = workload,
                                  .schedule = schedule,
                                  .layout = s.layout,
                                  .derived = derived,
                                  .ranks = ranks,
                                  .cluster = s.cluster,
                                  .templates = templates,
                                  .tail = false});
  const Timeline timeline = run(step.graph);
  SIM_CHECK(timeline.stop == StopReason::kDone, "the pair does not finish");
  return {
      .time_s = to_seconds(timeline.makespan).value,
      .compute_busy_s = to_seconds(timeline.busy(step.lane(RankId{0}, Lane::kCompute))).value,
      .communication_busy_s = to_seconds(timeline.busy(step.lane(RankId{0}, Lane::kCommunication))).value};
}

}  // namespace orrery
