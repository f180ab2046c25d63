#include "sim/simulate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sim/base/check.hpp"
#include "sim/base/fields.hpp"
#include "sim/base/work_control.hpp"
#include "sim/chunk_step.hpp"
#include "sim/engine/engine.hpp"
#include "sim/lower/step_window.hpp"
#include "sim/pick_schedule.hpp"
#include "sim/plan.hpp"
#include "sim/report/measure.hpp"
#include "sim/schedule/generators.hpp"

namespace orrery {
namespace {

constexpr const char* kAuto = "auto";

/// The plan of a scenario; what "auto" has to say goes into its notes, the stages per rank it took into its
/// layout.
void make_plan(Scenario& s, PickEffort effort, Plan& plan) {
  if (!plan_layout(s, plan)) return;
  Schedule schedule;
  Verdict unfit;
  if (s.layout.schedule == kAuto) {
    PickedSchedule picked = pick_schedule(s, effort);
    unfit = std::move(picked.verdict);
    schedule = std::move(picked.schedule);
    s.assumed.insert(s.assumed.end(), picked.notes.begin(), picked.notes.end());
    if (!schedule.ranks.empty() && picked.vpp != s.layout.vpp) {
      s.layout.vpp = picked.vpp;
      plan.derived = derive(s.layout, s.training, s.gpus);
    }
  } else {
    unfit = scenario_schedule(s, schedule);
  }
  if (!schedule.ranks.empty()) {
    const bool pairs = overlaps(schedule);
    plan_schedule(s, std::move(schedule), pairs, plan);
  }
  if (unfit) plan.verdict = std::move(unfit);
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
    check_control();
    // A change can ask for a curve the profile lacks, or for sizes that a schedule file does not have.
    try {
      Plan plan;
      make_plan(change.second, PickEffort::kAny, plan);
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
  if (s.layout.schedule == kAuto) {
    PickedSchedule picked = pick_schedule(s, PickEffort::kBest);
    out = std::move(picked.schedule);
    return std::move(picked.verdict);
  }
  const Derived d = derive(s.layout, s.training, s.gpus);
  const bool file = s.layout.schedule.size() > 4 && s.layout.schedule.ends_with(".csv");
  if (!file) {
    const auto pp = static_cast<int>(s.layout.pp);
    const auto vpp = static_cast<int>(s.layout.vpp);
    const auto n = static_cast<int>(d.microbatches);
    const auto limit = static_cast<int>(s.layout.live_microbatches);
    if (Verdict v = check_schedule(s.layout.schedule, pp, vpp, n, limit)) return v;
    out = with_passes(s.layout, make_schedule(s.layout.schedule, pp, vpp, n, limit));
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
  out = with_passes(s.layout, std::move(out));
  return {};
}

SimResult simulate(const Scenario& given) {
  Scenario scenario = given;
  Plan plan;
  make_plan(scenario, PickEffort::kBest, plan);
  check_control();
  SimResult result;
  Measured m{.scenario = scenario,
             .derived = plan.derived,
             .workload = plan.workload,
             .memory = plan.memory,
             .rules = plan.rules,
             .communication_sms = plan.communication_sms};
  if (plan.verdict) {
    result.metrics = infeasible_metrics(m, *plan.verdict);
    if (plan.verdict->reason == Reason::kMemory) result.metrics.nearest = nearest_fit(given);
    return result;
  }
  auto step = std::make_shared<LoweredStep>(lower_plan(scenario, plan));
  auto timeline = std::make_shared<Timeline>(run_step(*step));
  result.schedule = std::make_shared<Schedule>(std::move(plan.schedule));
  result.metrics = measure(m, *step, *timeline);
  result.step = std::move(step);
  result.timeline = std::move(timeline);
  return result;
}

double step_seconds(const Scenario& scenario, Schedule schedule) {
  Plan plan;
  SIM_CHECK(plan_layout(scenario, plan), "a plan without verdict has none the second time");
  const bool pairs = overlaps(schedule);
  plan_schedule(scenario, std::move(schedule), pairs, plan);
  const LoweredStep step = lower_plan(scenario, plan);
  return to_seconds(step_period(step, run_step(step)).length).value;
}

StepOutcome step_outcome(const Scenario& given) {
  Scenario scenario = given;
  Plan plan;
  make_plan(scenario, PickEffort::kBest, plan);
  check_control();
  if (plan.verdict) return {.infeasible = std::move(plan.verdict)};
  const ChunkStep chunk = chunk_step(scenario, plan);
  const std::int64_t tokens = scenario.training.global_batch_size * scenario.training.sequence_length;
  return {
      .infeasible = {},
      .time_s = chunk.exact ? to_seconds(chunk.time).value : step_seconds(scenario, std::move(plan.schedule)),
      .tokens = static_cast<double>(tokens)};
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
      static_cast<std::int64_t>(s.cluster.gpu.sm_count.value) - communication_sms(s, true);
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
