#include "sim/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/engine/engine.hpp"
#include "sim/engine/graph_checks.hpp"
#include "sim/hw/host_rules.hpp"
#include "sim/layout/check_layout.hpp"
#include "sim/layout/data_parallel.hpp"
#include "sim/layout/stage_partition.hpp"
#include "sim/report/measure.hpp"
#include "sim/schedule/messages.hpp"
#include "sim/schedule/passes.hpp"

namespace orrery {
namespace {

Verdict check_capability(const Scenario& s) {
  const auto& peaks = s.cluster.gpu.peak_flops_per_s;
  if (s.training.precision == Precision::kMxfp8 && peaks.contains("fp8") && !peaks.contains("mxfp8"))
    return Infeasible{
        Reason::kCapability, "MXFP8 tensor cores", 1, 0,
        fmt::format("{} has no tensor cores for MXFP8; use fp8-block or fp8-tensor", s.cluster.gpu.device)};
  if (!is_fp8(s.training.precision) || peaks.contains("fp8")) return {};
  return Infeasible{Reason::kCapability, "FP8 tensor cores", 1, 0,
                    fmt::format("{} has no FP8 tensor cores, so precision {} cannot run; use bf16",
                                s.cluster.gpu.device, to_text(s.training.precision))};
}

/// Layers per stage: as given, else balanced by computed time. Where ranks hold one stage each (or, in
/// bidirectional schedules, copies of two) the slowest stage counts, with virtual stages the busiest rank.
std::vector<std::int64_t> partition(const Scenario& s, const Workload& workload,
                                    const StepTemplates& templates, const Schedule& schedule,
                                    bool hidden_communication) {
  if (!s.layout.stage_layers.empty()) return s.layout.stage_layers;
  std::vector<double> costs;
  for (std::size_t unit : layer_units(workload, s.model))
    costs.push_back(templates.unit_seconds(unit, !hidden_communication));
  const auto cost = [&](UnitKind kind) {
    return templates.unit_seconds(unit_of(workload, kind), !hidden_communication);
  };
  const double first = cost(UnitKind::kEmbedding);
  double last = cost(UnitKind::kHead);
  if (s.training.mtp) {
    for (std::int64_t i = 0; i < s.model.mtp_modules; ++i)
      last += cost(UnitKind::kMtp) + cost(UnitKind::kHead);
  }
  if (s.layout.vpp > 1) {
    std::vector<std::int32_t> ranks;
    for (int stage = 0; stage < schedule.stages; ++stage)
      ranks.push_back(schedule.rank_of(StageId{stage}, MicrobatchId{0}).value);
    return balance_ranks(costs, first, last, ranks);
  }
  costs.front() += first;
  costs.back() += last;
  return balance_stages(costs, schedule.stages);
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

/// What is offloaded must fit on the host too.
Verdict check_host(const Scenario& s, const std::vector<RankMemory>& memory) {
  if (s.layout.offload == Offload{}) return {};
  const auto worst = std::max_element(
      memory.begin(), memory.end(), [](const RankMemory& a, const RankMemory& b) { return a.host < b.host; });
  const double usable = kUsableHostMemory * s.cluster.host_memory_bytes->value;
  if (worst->host <= usable) return {};
  return Infeasible{
      Reason::kMemory, fmt::format("bytes on the host of pipeline rank {}", worst - memory.begin()),
      worst->host, usable,
      fmt::format("pipeline rank {} keeps {:.1f} GB on its host, where a GPU's share is {:.1f} GB",
                  worst - memory.begin(), worst->host / 1e9, usable / 1e9)};
}

/// Under the rendezvous rule an order of work that is fine in itself can leave ranks waiting for one another.
Verdict check_messages(const Scenario& s, const Schedule& schedule) {
  if (s.layout.messages != MessageRule::kRendezvous) return {};
  const auto circle = rendezvous_deadlock(schedule, rendezvous_batches(schedule));
  if (!circle) return {};
  return Infeasible{Reason::kSchedule, "ranks in a circle of waits", 1, 0,
                    "messages that wait for both sides deadlock with this schedule; use messages blocking or "
                    "async. The circle:\n" +
                        *circle};
}

}  // namespace

std::int64_t communication_sms(const Scenario& s, bool pairs) {
  if (s.layout.communication_sms >= 0) return s.layout.communication_sms;
  return pairs && s.layout.ep > 1 ? s.cluster.expert_all_to_all.sm_count : 0;
}

Schedule with_passes(const Layout& layout, Schedule schedule) {
  switch (layout.weight_gradients) {
    case WeightGradients::kAsScheduled: break;
    case WeightGradients::kSplit: return split_weight_gradients(schedule);
    case WeightGradients::kMerged: return merge_weight_gradients(schedule);
  }
  return schedule;
}

bool overlaps(const Schedule& schedule) {
  for (const std::vector<Step>& rank : schedule.ranks) {
    for (const Step& step : rank) {
      if (step.overlapped) return true;
    }
  }
  return false;
}

void demand_host(const Offload& offload, const ClusterProfile& cluster) {
  if (offload == Offload{} || (cluster.host_memory_bytes && cluster.host_memory_bytes_per_s)) return;
  throw InputError(
      "layout.offload",
      fmt::format("the profile {} does not say what memory its hosts have: give host_memory_bytes and "
                  "host_memory_bytes_per_s there, or leave offload out",
                  cluster.name));
}

bool plan_layout(const Scenario& s, Plan& plan) {
  demand_host(s.layout.offload, s.cluster);
  plan.rules = memory_rules(s.training);
  plan.verdict = check_capability(s);
  if (!plan.verdict) plan.verdict = check_layout(s.model, s.layout, s.training, s.gpus);
  if (plan.verdict) return false;
  plan.derived = derive(s.layout, s.training, s.gpus);
  return true;
}

void plan_schedule(const Scenario& s, Schedule schedule, bool pairs, Plan& plan) {
  plan.schedule = with_passes(s.layout, std::move(schedule));
  plan.ranks.emplace(s.layout, s.gpus, s.cluster.gpus_per_node);
  plan.workload = make_units({s.model, s.layout, s.training, s.cluster.gpus_per_node, s.routing});
  plan.communication_sms = communication_sms(s, pairs);
  const auto sms = static_cast<std::int64_t>(s.cluster.gpu.sm_count.value) - plan.communication_sms;
  if (pairs && s.layout.ep > 1 && plan.communication_sms == 0) {
    const std::int64_t usual = s.cluster.expert_all_to_all.sm_count;
    plan.verdict = Infeasible{
        Reason::kCapability, "SMs for communication", 1, 0,
        fmt::format("overlapped pairs run all-to-all beside compute, so communication_sms = 0 cannot be; "
                    "leave it out for the {} of the cluster's kernels",
                    usual)};
    return;
  }
  if (sms < 1) {
    plan.verdict = Infeasible{Reason::kCapability, "SMs", static_cast<double>(plan.communication_sms),
                              s.cluster.gpu.sm_count.value,
                              fmt::format("communication_sms = {} leaves no SM of {} for compute",
                                          plan.communication_sms, s.cluster.gpu.sm_count.value)};
    return;
  }
  plan.templates.emplace(plan.workload, *plan.ranks, s.cluster, sms, data_parallel_plan(s.layout),
                         stage_copies(plan.schedule), s.layout.offload.activations);
  assign_stages(plan.workload, s.model, s.training,
                partition(s, plan.workload, *plan.templates, plan.schedule, pairs), s.layout.mtp_stage);
  const double capacity = s.cluster.gpu.memory_bytes.value;
  plan.memory =
      memory_by_rank({plan.workload, plan.schedule, s.layout, plan.derived, s.model, plan.rules, capacity});
  plan.verdict = check_memory(plan.memory, capacity);
  if (!plan.verdict) plan.verdict = check_host(s, plan.memory);
  if (!plan.verdict) plan.verdict = check_messages(s, plan.schedule);
}

LoweredStep lower_plan(const Scenario& s, Plan& plan) {
  return lower({.workload = plan.workload,
                .schedule = plan.schedule,
                .layout = s.layout,
                .derived = plan.derived,
                .ranks = *plan.ranks,
                .cluster = s.cluster,
                .templates = *plan.templates,
                .optimizer_bytes_per_param = optimizer_traffic(plan.rules)});
}

Timeline run_step(const LoweredStep& step) {
  Timeline timeline = run(step.graph);
  if (timeline.stop == StopReason::kDeadlock) {
    const std::vector<TaskId> cycle = find_cycle(step.graph);
    throw InternalError(fmt::format("the task graph deadlocks ({} tasks on a cycle):\n{}", cycle.size(),
                                    deadlock_text(timeline)));
  }
  return timeline;
}

}  // namespace orrery
