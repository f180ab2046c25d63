#include "sim/pick_schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "sim/cost/comm_cost.hpp"
#include "sim/engine/timeline.hpp"
#include "sim/layout/check_layout.hpp"
#include "sim/lower/step_window.hpp"
#include "sim/plan.hpp"
#include "sim/schedule/auto_schedule.hpp"
#include "sim/schedule/generators.hpp"

namespace orrery {
namespace {

/// An order found that takes so much longer than the best simulated step is not simulated: times of steps
/// alone are not that far off.
constexpr double kWorthSimulating = 1.1;

/// Orders timed per placement on sizes below DeepSeek-V3's; larger ones get as much effort as that.
constexpr std::int64_t kTries = 15'000;

double seconds_of(std::int64_t ticks) {
  return to_seconds(SimTime{ticks}).value;
}

std::int64_t message_ticks(const Scenario& s, const Plan& plan) {
  if (s.layout.pp == 1) return 0;
  const GroupSpan span = plan.ranks->span(GpuId{0}, Axis::kPp);
  const bool out = span.per_node == 1;
  const CommOp op{.name = "message",
                  .kind = CommKind::kSendRecv,
                  .axis = Axis::kPp,
                  .bytes = plan.workload.boundary_bytes};
  const EndpointGroup ends{.size = 2, .per_node = out ? 1 : 2, .nodes = out ? 2 : 1};
  return to_sim_time(comm_cost(op, ends, s.cluster).alone).ps;
}

StepTicks ticks_of(Plan& plan, const Step& step) {
  const TemplateTimes t = plan.templates->times_alone(plan.templates->template_of(step));
  return {.duration = t.duration.ps, .output = t.output.ps, .gradient = t.gradient.ps};
}

StageCost stage_cost(Plan& plan, StageId stage) {
  const auto lone = [&](ActionKind kind) {
    return ticks_of(plan, alone({.kind = kind, .stage = stage, .microbatch = {}}));
  };
  StageCost cost{.forward = lone(ActionKind::kForward),
                 .backward = lone(ActionKind::kBackward),
                 .input_grad = lone(ActionKind::kInputGrad),
                 .weight_grad = lone(ActionKind::kWeightGrad)};
  double kept = 0;
  double deferred = 0;
  for (const std::size_t u : plan.workload.stages[stage.at()].units) {
    kept += plan.workload.units[u].kept_bytes;
    deferred += plan.workload.units[u].deferred_bytes;
  }
  cost.kept = std::llround(std::ceil(kept));
  cost.deferred = std::llround(std::ceil(deferred));
  return cost;
}

/// Pairs of stages that share a rank; ticks in picoseconds, units in bytes.
void add_pairs(Plan& plan, ScheduleCosts& costs) {
  const std::size_t stages = costs.stages.size();
  costs.pairs.assign(stages * stages, {.duration = -1});
  for (std::size_t r = 0; r < plan.schedule.ranks.size(); ++r) {
    const std::vector<StageId> here = plan.schedule.stages_of(RankId{r});
    for (const StageId f : here) {
      for (const StageId b : here) {
        costs.pairs[f.at() * stages + b.at()] =
            ticks_of(plan, overlap({.kind = ActionKind::kForward, .stage = f, .microbatch = {}},
                                   {.kind = ActionKind::kBackward, .stage = b, .microbatch = {}}));
      }
    }
  }
}

/// Of a plan whose schedule has no steps, so that its memory is what every order of this placement holds.
ScheduleCosts costs_of(const Scenario& s, Plan& plan, bool pairs) {
  ScheduleCosts costs;
  for (int stage = 0; stage < plan.schedule.stages; ++stage)
    costs.stages.push_back(stage_cost(plan, StageId{stage}));
  if (pairs) add_pairs(plan, costs);
  costs.message = message_ticks(s, plan);
  // A batch that waits for both sides is not modelled there: as a message that holds its sender up.
  costs.blocking = s.layout.messages != MessageRule::kAsync;
  for (const RankMemory& m : plan.memory) {
    // Two bytes less than there are: sums of doubles are compared with the capacity in the end.
    costs.memory_limit.push_back(std::llround(std::floor(s.cluster.gpu.memory_bytes.value - m.total())) - 2);
  }
  return costs;
}

class Picker {
 public:
  Picker(const Scenario& scenario, PickEffort effort, const Derived& derived)
      : scenario_(scenario), effort_(effort) {
    shape_ = {.pp = static_cast<int>(scenario.layout.pp),
              .vpp = static_cast<int>(scenario.layout.vpp),
              .microbatches = static_cast<int>(derived.microbatches)};
  }

  PickedSchedule run() {
    // Sizes beyond what any schedule may have are found by the plainest one.
    if ((result_.verdict = check_schedule("1f1b", shape_.pp * shape_.vpp, 1, shape_.microbatches)))
      return std::move(result_);
    const int given = shape_.vpp;
    given_vpp_ = given;
    for (const GeneratorInfo& info : generators()) {
      if (info.name == "auto") continue;
      if (!take_vpp(given) || check_schedule(info.name, shape_.pp, given, shape_.microbatches)) {
        if (!take_vpp(info.default_vpp) ||
            check_schedule(info.name, shape_.pp, info.default_vpp, shape_.microbatches))
          continue;
      }
      PipelineShape shape = shape_;
      if (info.takes_live_limit) shape.live_limit = static_cast<int>(scenario_.layout.live_microbatches);
      if (!info.check(shape)) offer(info.make(shape), info.name);
      if (effort_ == PickEffort::kAny && best_) return std::move(result_);
    }
    std::vector<int> searched{given};
    if (best_ && result_.vpp != given) searched.push_back(static_cast<int>(result_.vpp));
    for (const int vpp : searched) {
      if (!take_vpp(vpp)) continue;
      for (const Placement& placement : placements(shape_)) {
        for (const bool pairs : {false, true}) {
          find(placement, pairs);
          if (effort_ == PickEffort::kAny && best_) return std::move(result_);
        }
      }
    }
    if (best_) {
      result_.verdict.reset();
      note();
    } else if (!result_.verdict) {
      result_.verdict =
          Infeasible{Reason::kMemory, "bytes for activations", 0, 0,
                     "no order of the steps keeps the activations within what weights and states leave"};
    }
    return std::move(result_);
  }

 private:
  /// Goes on with so many stages per rank; false where the layout cannot have them.
  bool take_vpp(int vpp) {
    if (vpp == shape_.vpp) return true;
    if (!scenario_.layout.stage_layers.empty()) return false;
    Scenario other = scenario_;
    other.layout.vpp = vpp;
    if (check_layout(other.model, other.layout, other.training, other.gpus)) return false;
    scenario_ = std::move(other);
    shape_.vpp = vpp;
    return true;
  }

  /// The plan of a placement with no step yet; false where not even that fits.
  bool plan_bare(const Placement& placement, bool pairs, Plan& plan) {
    if (!plan_layout(scenario_, plan)) return false;
    Schedule bare;
    bare.stages = placement.stages;
    bare.microbatches = placement.microbatches;
    bare.owner = placement.owner;
    bare.ranks.resize(static_cast<std::size_t>(placement.ranks));
    plan_schedule(scenario_, std::move(bare), pairs, plan);
    return !plan.verdict;
  }

  void find(const Placement& placement, bool pairs) {
    Plan plan;
    if (!plan_bare(placement, pairs, plan)) {
      if (!result_.verdict) reject(plan);
      return;
    }
    AutoInput input{.placement = placement, .costs = costs_of(scenario_, plan, pairs)};
    input.effort =
        effort_ == PickEffort::kAny ? 0 : std::min(input.effort, kTries * 2 * std::ssize(placement.owner));
    AutoSchedule found = find_schedule(input);
    if (!found.found) return;
    if (best_ && seconds_of(found.makespan) > kWorthSimulating * best_seconds_) return;
    const std::string stages = describe(placement);
    offer(std::move(found.schedule), fmt::format("{}; stages {}", found.how, stages),
          fmt::format("found {} pairs, stages {}", pairs ? "with" : "without", stages));
  }

  [[nodiscard]] static std::string describe(const Placement& p) {
    if (p.microbatches > 1 && p.rank_of(0, 0) != p.rank_of(0, p.microbatches - 1)) return "from both ends";
    if (p.stages == p.ranks) return "one per rank";
    return p.rank_of(p.ranks, 0) == RankId{p.ranks - 1} ? "in a V" : "interleaved";
  }

  /// Simulates it where it fits and keeps the fastest.
  void offer(Schedule schedule, const std::string& how, const std::string& kind = {}) {
    Plan plan;
    if (!plan_layout(scenario_, plan)) return;
    const bool pairs = overlaps(schedule);
    plan_schedule(scenario_, std::move(schedule), pairs, plan);
    if (plan.verdict) return reject(plan);
    if (effort_ == PickEffort::kAny) {
      best_ = how;
      result_.verdict.reset();
      keep(plan);
      return;
    }
    const LoweredStep step = lower_plan(scenario_, plan);
    const double seconds = to_seconds(step_period(step, run_step(step)).length).value;
    if (!tried_.empty()) tried_ += "; ";
    tried_ += fmt::format("{} {:.4g} s", kind.empty() ? how : kind, seconds);
    if (best_ && seconds >= best_seconds_) return;
    best_ = how;
    best_seconds_ = seconds;
    keep(plan);
  }

  void keep(Plan& plan) {
    result_.schedule = std::move(plan.schedule);
    result_.vpp = scenario_.layout.vpp;
  }

  /// Remembers what comes nearest to fitting.
  void reject(Plan& plan) {
    if (best_) return;
    const Infeasible& why = *plan.verdict;
    if (result_.verdict && why.needed - why.available >= result_.verdict->needed - result_.verdict->available)
      return;
    result_.verdict = plan.verdict;
    keep(plan);
  }

  void note() {
    const std::string stages =
        result_.vpp == given_vpp_ ? "" : fmt::format("; {} stages per rank", result_.vpp);
    result_.notes.push_back({"schedule.auto", *best_ + stages, "the shortest simulated step of: " + tried_});
    if (!take_vpp(static_cast<int>(result_.vpp))) return;
    Plan plan;
    const Placement placement = placement_of(result_.schedule);
    const bool pairs = overlaps(result_.schedule);
    if (!plan_bare(placement, pairs, plan)) return;
    const ScheduleCosts costs = costs_of(scenario_, plan, pairs);
    const double bound = seconds_of(lower_bound(placement, costs));
    const double makespan = seconds_of(evaluate(result_.schedule, costs).makespan);
    result_.notes.push_back(
        {"schedule.auto.lower_bound", fmt::format("{:.4g} s", bound),
         fmt::format(
             "no order of whole steps on the same ranks ends sooner; this one takes {:.4g} s, {:.2f} % "
             "more, before the optimizer and with every step as fast as alone",
             makespan, bound > 0 ? 100 * (makespan / bound - 1) : 0.0)});
  }

  Scenario scenario_;  ///< its vpp is that of `shape_`
  PickEffort effort_;
  PipelineShape shape_;
  PickedSchedule result_;
  std::int64_t given_vpp_ = 1;
  std::optional<std::string> best_;
  double best_seconds_ = std::numeric_limits<double>::infinity();
  std::string tried_;
};

}  // namespace

PickedSchedule pick_schedule(const Scenario& scenario, PickEffort effort) {
  Plan plan;
  if (!plan_layout(scenario, plan)) return {.verdict = plan.verdict, .schedule = {}, .notes = {}};
  return Picker(scenario, effort, plan.derived).run();
}

}  // namespace orrery
