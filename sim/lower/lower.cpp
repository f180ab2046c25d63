#include "sim/lower/lower.hpp"

#include <algorithm>

#include "sim/engine/task_graph_builder.hpp"
#include "sim/lower/memory.hpp"
#include "sim/lower/step_tail.hpp"

namespace orrery {
namespace {

constexpr std::uint8_t kind_byte(TaskKind kind) {
  return static_cast<std::uint8_t>(kind);
}

/// Producers of what crosses stage boundaries, by (stage, microbatch).
struct Boundary {
  std::vector<TaskId> output;    ///< task after which the stage's output is at the next stage
  std::vector<TaskId> gradient;  ///< task after which the gradient is at the stage before
};

class Lowering {
 public:
  explicit Lowering(const LowerInput& in) : in_(in) {}

  LoweredStep run() {
    prepare();
    for (std::size_t r = 0; r < in_.schedule.ranks.size(); ++r) place_rank(RankId{r});
    out_.rank_begin.push_back(out_.steps.size());
    connect();
    out_.tail_begin = TaskId{builder_.task_count()};
    if (in_.tail) {
      add_step_tail({in_.workload, in_.schedule, in_.layout, in_.derived, in_.ranks, in_.templates,
                     out_.pipeline_end, in_.optimizer_bytes_per_param},
                    builder_, out_.item_by_task);
    }
    out_.items = in_.templates.items();
    builder_.set_slowdowns(in_.templates.slowdowns());
    out_.graph = std::move(builder_).freeze();
    return std::move(out_);
  }

 private:
  void prepare() {
    out_.ranks = static_cast<int>(in_.schedule.ranks.size());
    std::size_t tasks = 0;
    for (const std::vector<Step>& rank : in_.schedule.ranks) {
      for (const Step& step : rank) {
        const std::size_t t = in_.templates.template_of(step);
        tasks += in_.templates.at(t).tasks.size() + 4;
      }
    }
    builder_.reserve(tasks + 64, tasks * 2);
    out_.item_by_task.reserve(tasks + 64);
    static constexpr const char* kLaneNames[kLaneCount] = {"compute", "communication", "nic", "host"};
    for (int r = 0; r < out_.ranks; ++r) {
      const GroupId group = builder_.add_group();
      for (const char* name : kLaneNames) builder_.add_lane(name, group);
    }
    marker_name_ = builder_.intern("begin");
    host_name_ = builder_.intern("enqueue kernels");
    const std::size_t slots =
        static_cast<std::size_t>(in_.schedule.stages) * static_cast<std::size_t>(in_.schedule.microbatches);
    boundary_.output.assign(slots, kNoTask);
    boundary_.gradient.assign(slots, kNoTask);
    add_message_items();
  }

  void add_message_items() {
    // Neighbours along the pipeline; all pairs lie alike on the nodes.
    const GroupSpan span = in_.ranks.span(GpuId{0}, Axis::kPp);
    const bool out = span.per_node == 1;
    const EndpointGroup pair{.size = 2, .per_node = out ? 1 : 2, .nodes = out ? 2 : 1};
    const auto message = [&](const char* name) {
      return in_.templates.add_item(CommOp{.name = name,
                                           .kind = CommKind::kSendRecv,
                                           .axis = Axis::kPp,
                                           .bytes = in_.workload.boundary_bytes},
                                    pair, Lane::kNic, TaskKind::kPp);
    };
    send_output_ = message("send activation");
    send_gradient_ = message("send gradient");
  }

  TaskId add(const TaskSpec& spec, std::int32_t item) {
    out_.item_by_task.push_back(item);
    return builder_.add_task(spec);
  }

  TaskId add_item(RankId rank, std::uint32_t item, std::int32_t tag) {
    const CostedItem& c = in_.templates.items()[item];
    while (names_.size() <= item) names_.push_back(NameId{-1});
    if (names_[item].value < 0) names_[item] = builder_.intern(c.name);
    return add({.lane = out_.lane(rank, c.lane),
                .duration = c.duration,
                .kind = kind_byte(c.kind),
                .name = names_[item],
                .tag = tag,
                .slowdown_row = c.slowdown_row},
               static_cast<std::int32_t>(item));
  }

  void place_rank(RankId rank) {
    out_.rank_begin.push_back(out_.steps.size());
    TaskId last_other = kNoTask;  // last task of the step before on the communication lane
    TaskId last_host = kNoTask;
    last_message_ = kNoTask;
    for (const Step& step : in_.schedule.ranks[rank.at()]) {
      const auto tag = static_cast<std::int32_t>(out_.steps.size());
      PlacedStep placed{.step = step,
                        .rank = rank,
                        .template_index = static_cast<std::uint32_t>(in_.templates.template_of(step)),
                        .begin = {},
                        .first_task = {}};
      const StepTemplate& t = in_.templates.at(placed.template_index);
      placed.begin = add({.lane = out_.lane(rank, Lane::kCompute),
                          .duration = {},
                          .kind = kind_byte(TaskKind::kMarker),
                          .name = marker_name_,
                          .tag = tag},
                         -1);
      if (last_other != kNoTask) builder_.add_dependency(last_other, placed.begin);
      if (in_.layout.messages == MessageRule::kBlocking && last_message_ != kNoTask) {
        builder_.add_dependency(last_message_, placed.begin);
        placed.inputs[2] = last_message_;
      }
      last_message_ = kNoTask;
      // The host enqueues a step while the one before runs; it cannot be further behind than that.
      if (last_host != kNoTask) builder_.add_dependency(last_host, placed.begin);
      last_host = add({.lane = out_.lane(rank, Lane::kHost),
                       .duration = t.host,
                       .kind = kind_byte(TaskKind::kHost),
                       .name = host_name_,
                       .tag = tag},
                      -1);
      builder_.add_dependency(placed.begin, last_host);
      last_other = place_tasks(placed, t, tag);
      place_messages(placed, t, tag);
      out_.steps.push_back(placed);
    }
    const TaskId end = add({.lane = out_.lane(rank, Lane::kCompute),
                            .duration = {},
                            .kind = kind_byte(TaskKind::kMarker),
                            .name = marker_name_},
                           -1);
    if (last_other != kNoTask) builder_.add_dependency(last_other, end);
    out_.pipeline_end.push_back(end);
  }

  /// Returns the last task on the communication lane, kNoTask when there is none.
  TaskId place_tasks(PlacedStep& placed, const StepTemplate& t, std::int32_t tag) {
    const auto first = static_cast<std::int32_t>(builder_.task_count());
    placed.first_task = TaskId{first};
    placed.tasks = static_cast<std::uint32_t>(t.tasks.size());
    TaskId last_other = kNoTask;
    for (const TemplateTask& task : t.tasks) {
      const TaskId id = add_item(placed.rank, task.item, tag);
      if (task.after >= 0) builder_.add_dependency(TaskId{first + task.after}, id);
      if (in_.templates.items()[task.item].lane == Lane::kCommunication) last_other = id;
    }
    if (t.first_other >= 0 && t.tasks[static_cast<std::size_t>(t.first_other)].after < 0) {
      builder_.add_dependency(placed.begin, TaskId{first + t.first_other});
    }
    return last_other;
  }

  void place_messages(const PlacedStep& placed, const StepTemplate& t, std::int32_t tag) {
    const auto at = [&](std::int32_t index) {
      return index < 0 ? placed.begin : TaskId{placed.first_task.value + index};
    };
    for (int i = 0; i < placed.step.count(); ++i) {
      const Action& a = placed.step.action(i);
      const std::size_t slot = in_.schedule.slot(a.stage, a.microbatch);
      if (a.kind == ActionKind::kForward) {
        boundary_.output[slot] = at(t.forward_end);
        if (a.stage.value + 1 < in_.schedule.stages) {
          boundary_.output[slot] = message(placed.rank, StageId{a.stage.value + 1}, a.microbatch,
                                           at(t.forward_end), send_output_, tag);
        }
      } else if (is_backward(a.kind)) {
        boundary_.gradient[slot] = at(t.gradient_end);
        if (a.stage.value > 0) {
          boundary_.gradient[slot] = message(placed.rank, StageId{a.stage.value - 1}, a.microbatch,
                                             at(t.gradient_end), send_gradient_, tag);
        }
      }
    }
  }

  /// A message to the rank of the other stage; the producer itself when that is the same rank.
  TaskId message(RankId from, StageId to, MicrobatchId microbatch, TaskId producer, std::uint32_t item,
                 std::int32_t tag) {
    if (in_.schedule.rank_of(to, microbatch) == from) return producer;
    const TaskId send = add_item(from, item, tag);
    builder_.add_dependency(producer, send);
    last_message_ = send;
    return send;
  }

  /// Makes every step wait for its inputs.
  void connect() {
    for (PlacedStep& placed : out_.steps) {
      for (int i = 0; i < placed.step.count(); ++i) {
        const Action& a = placed.step.action(i);
        TaskId input = kNoTask;
        if (a.kind == ActionKind::kForward && a.stage.value > 0) {
          input = boundary_.output[in_.schedule.slot(StageId{a.stage.value - 1}, a.microbatch)];
        } else if (is_backward(a.kind) && a.stage.value + 1 < in_.schedule.stages) {
          input = boundary_.gradient[in_.schedule.slot(StageId{a.stage.value + 1}, a.microbatch)];
        }
        if (input == kNoTask) continue;
        SIM_CHECK(input != placed.begin, "a step waits for itself");
        builder_.add_dependency(input, placed.begin);
        placed.inputs[static_cast<std::size_t>(i)] = input;
      }
    }
  }

  const LowerInput& in_;
  LoweredStep out_;
  TaskGraphBuilder builder_;
  Boundary boundary_;
  std::vector<NameId> names_;
  NameId marker_name_, host_name_;
  TaskId last_message_ = kNoTask;  // of the step before on this rank
  std::uint32_t send_output_ = 0, send_gradient_ = 0;
};

}  // namespace

const CostedItem* LoweredStep::item_of(TaskId task) const {
  const std::int32_t item = item_by_task[task.at()];
  return item < 0 ? nullptr : &items[static_cast<std::size_t>(item)];
}

LoweredStep lower(const LowerInput& input) {
  return Lowering(input).run();
}

}  // namespace orrery
