#include "sim/chunk_step.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "sim/base/work_control.hpp"
#include "sim/engine/engine.hpp"
#include "sim/engine/task_graph_builder.hpp"
#include "sim/layout/data_parallel.hpp"
#include "sim/lower/step_tail.hpp"
#include "sim/lower/step_times.hpp"
#include "sim/report/measure.hpp"
#include "sim/schedule/schedule_costs.hpp"

namespace orrery {
namespace {

/// One message between neighbour stages, as `lower` sends it.
std::uint32_t message_item(Plan& plan) {
  const GroupSpan span = plan.ranks->span(GpuId{0}, Axis::kPp);
  const bool out = span.per_node == 1;
  return plan.templates->add_item(CommOp{.name = "message",
                                         .kind = CommKind::kSendRecv,
                                         .axis = Axis::kPp,
                                         .bytes = plan.workload.boundary_bytes},
                                  {.size = 2, .per_node = out ? 1 : 2, .nodes = out ? 2 : 1}, Lane::kNic,
                                  TaskKind::kPp);
}

/// Whether data-parallel traffic waits for the end of the pipeline, and nothing else runs beside the steps.
bool nothing_beside(const Layout& layout) {
  if (layout.offload.activations) return false;
  const DataParallelPlan data = data_parallel_plan(layout);
  return data.gather == DataTraffic::kAfterPipeline && data.reduce == DataTraffic::kAfterPipeline;
}

class Chunks {
 public:
  Chunks(const Scenario& scenario, Plan& plan)
      : scenario_(scenario),
        plan_(plan),
        blocking_(scenario.layout.messages == MessageRule::kBlocking && nothing_beside(scenario.layout)),
        item_(message_item(plan)) {}

  ChunkStep run() {
    check_control();
    price();
    check_control();
    ScheduleTimer timer(costs_);
    std::vector<std::vector<StepTime>> times;
    const Evaluation& evaluation = timer.run(plan_.schedule, &times);
    SIM_CHECK(evaluation.runs, "the schedule does not run to its end");
    ChunkStep result{.time = {}, .pipeline = {}, .exact = blocking_};
    std::vector<End> ends(times.size());
    for (std::size_t r = 0; r < times.size(); ++r) {
      if (times[r].empty()) continue;
      const SimTime begin{times[r].back().begin};
      const Step& last = plan_.schedule.ranks[r].back();
      const StepTimes& alone = times_[slot_of(last)];
      ends[r] = {.time = begin + alone.duration,
                 .message_left = std::max(SimTime{}, alone.message_left - (alone.duration - alone.work))};
      result.exact = result.exact && alone.message_left.ps == 0;
      result.pipeline = std::max(result.pipeline, ends[r].time);
    }
    result.time = tail(ends);
    return result;
  }

 private:
  [[nodiscard]] std::size_t stages() const { return static_cast<std::size_t>(plan_.schedule.stages); }

  /// Number of a kind of step: the four kinds by stage, then the pairs.
  [[nodiscard]] std::size_t slot_of(const Step& step) const {
    const std::size_t first = step.first.stage.at();
    if (step.overlapped) return (4 + step.second.stage.at()) * stages() + first;
    return static_cast<std::size_t>(step.first.kind) * stages() + first;
  }

  [[nodiscard]] StepMessages messages_of(const Step& step, RankId rank) const {
    StepMessages m;
    if (!blocking_) return m;
    for (int i = 0; i < step.count(); ++i) {
      const Action& a = step.action(i);
      const auto leaves = [&](int to) { return plan_.schedule.rank_of(StageId{to}, a.microbatch) != rank; };
      if (a.kind == ActionKind::kForward && a.stage.value + 1 < plan_.schedule.stages &&
          leaves(a.stage.value + 1))
        m.output = item_;
      if (is_backward(a.kind) && a.stage.value > 0 && leaves(a.stage.value - 1)) m.gradient = item_;
    }
    return m;
  }

  [[nodiscard]] StepTicks ticks_of(const StepTimes& t) const {
    return {
        .duration = blocking_ ? t.free.ps : t.duration.ps, .output = t.output.ps, .gradient = t.gradient.ps};
  }

  /// Times of a template with its messages, each worked out once: stages share templates.
  const StepTimes& times_of(std::size_t index, const StepMessages& messages) {
    if (index >= by_template_.size()) by_template_.resize(index + 1);
    const std::size_t which =
        (messages.output != kNoMessage ? 1U : 0U) + (messages.gradient != kNoMessage ? 2U : 0U);
    std::optional<StepTimes>& times = by_template_[index][which];
    if (!times) times = step_times(*plan_.templates, plan_.templates->at(index), messages, blocking_);
    return *times;
  }

  /// Times of every kind of step in the schedule.
  void price() {
    const std::size_t n = stages();
    costs_.stages.resize(n);
    bool pairs = false;
    known_.assign((4 + n) * n, 0);
    times_.resize(known_.size());
    for (std::size_t r = 0; r < plan_.schedule.ranks.size(); ++r) {
      for (const Step& step : plan_.schedule.ranks[r]) {
        const std::size_t slot = slot_of(step);
        if (known_[slot] != 0) continue;
        known_[slot] = 1;
        times_[slot] = times_of(plan_.templates->template_of(step), messages_of(step, RankId{r}));
        if (step.overlapped && !pairs) {
          pairs = true;
          costs_.pairs.assign(n * n, {.duration = -1});
        }
        store(step, ticks_of(times_[slot]));
      }
    }
    if (!blocking_) costs_.message = plan_.templates->items()[item_].duration.ps;
  }

  void store(const Step& step, const StepTicks& ticks) {
    StageCost& stage = costs_.stages[step.first.stage.at()];
    if (step.overlapped) {
      costs_.pairs[step.first.stage.at() * stages() + step.second.stage.at()] = ticks;
      return;
    }
    switch (step.first.kind) {
      case ActionKind::kForward: stage.forward = ticks; break;
      case ActionKind::kBackward: stage.backward = ticks; break;
      case ActionKind::kInputGrad: stage.input_grad = ticks; break;
      case ActionKind::kWeightGrad: stage.weight_grad = ticks; break;
    }
  }

  /// Where a rank's pipeline ends, and how much of its last message is still to be sent then.
  struct End {
    SimTime time;
    SimTime message_left;
  };

  /// End of the step.
  SimTime tail(const std::vector<End>& ends) {
    TaskGraphBuilder builder;
    std::vector<TaskId> pipeline_end;
    for (std::size_t r = 0; r < ends.size(); ++r) {
      const GroupId group = builder.add_group();
      for (int lane = 0; lane < kLaneCount; ++lane) builder.add_lane("", group);
    }
    for (std::size_t r = 0; r < ends.size(); ++r) {
      const std::size_t first = r * kLaneCount;
      const ResourceId lane{first + static_cast<std::size_t>(Lane::kHost)};
      pipeline_end.push_back(builder.add_task({.lane = lane, .duration = ends[r].time, .name = {}}));
      if (ends[r].message_left.ps == 0) continue;
      const TaskId message =
          builder.add_task({.lane = ResourceId{first + static_cast<std::size_t>(Lane::kNic)},
                            .duration = ends[r].message_left,
                            .name = {},
                            .slowdown_row = plan_.templates->items()[item_].slowdown_row});
      builder.add_dependency(pipeline_end.back(), message);
    }
    std::vector<std::int32_t> items(builder.task_count(), -1);
    const std::vector<TaskId> data_end(ends.size(), kNoTask);
    add_step_tail({plan_.workload, plan_.schedule, scenario_.layout, plan_.derived, *plan_.ranks,
                   *plan_.templates, pipeline_end, data_end, optimizer_traffic(plan_.rules)},
                  builder, items);
    builder.set_slowdowns(plan_.templates->slowdowns());
    return orrery::run(std::move(builder).freeze()).makespan;
  }

  const Scenario& scenario_;
  Plan& plan_;
  bool blocking_;
  std::uint32_t item_;
  ScheduleCosts costs_;
  std::vector<char> known_;  ///< [slot]
  std::vector<std::array<std::optional<StepTimes>, 4>> by_template_;
  std::vector<StepTimes> times_;
};

}  // namespace

ChunkStep chunk_step(const Scenario& scenario, Plan& plan) {
  SIM_CHECK(!plan.verdict, "an infeasible plan has no times");
  return Chunks(scenario, plan).run();
}

}  // namespace orrery
