#include "sim/lower/lower.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "sim/base/work_control.hpp"
#include "sim/engine/task_graph_builder.hpp"
#include "sim/engine/timeline.hpp"
#include "sim/lower/memory.hpp"
#include "sim/lower/step_tail.hpp"
#include "sim/schedule/messages.hpp"
#include "sim/schedule/passes.hpp"

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
    connect_batches();
    connect();
    out_.tail_begin = TaskId{builder_.task_count()};
    if (in_.tail) {
      add_step_tail({in_.workload, in_.schedule, in_.layout, in_.derived, in_.ranks, in_.templates,
                     out_.pipeline_end, out_.data_end, in_.optimizer_bytes_per_param},
                    builder_, out_.item_by_task);
    }
    check_control();
    out_.items = in_.templates.items();
    builder_.set_slowdowns(in_.templates.slowdowns());
    out_.graph = std::move(builder_).freeze();
    return std::move(out_);
  }

 private:
  void prepare() {
    out_.ranks = static_cast<int>(in_.schedule.ranks.size());
    out_.barrier = in_.layout.optimizer_sync == OptimizerSync::kBarrier;
    uses_ = stage_uses(in_.schedule);
    if (in_.layout.messages == MessageRule::kRendezvous) batches_ = rendezvous_batches(in_.schedule);
    sends_.assign(batches_.messages.size(), kNoTask);
    std::size_t tasks = 0;
    for (std::size_t r = 0; r < in_.schedule.ranks.size(); ++r) {
      for (std::size_t s = 0; s < in_.schedule.ranks[r].size(); ++s) {
        const std::size_t t = in_.templates.template_of(in_.schedule.ranks[r][s], uses_[r][s]);
        tasks += in_.templates.at(t).tasks.size() + 5;
      }
    }
    builder_.reserve(tasks + 64, tasks * 2);
    out_.item_by_task.reserve(tasks + 64);
    static constexpr const char* kLaneNames[kLaneCount] = {"compute", "communication", "nic",   "host",
                                                           "gather",  "reduce",        "store", "fetch"};
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
    if (in_.layout.offload.activations) stored_.assign(slots, kNoTask);
    add_message_items();
  }

  void add_message_items() {
    // Neighbours along the pipeline; all pairs lie alike on the nodes.
    const GroupSpan span = in_.ranks.span(GpuId{0}, Axis::kPp);
    const bool out = span.per_node == 1;
    const EndpointGroup pair{.size = 2, .per_node = out ? 1 : 2, .nodes = out ? 2 : 1};
    std::int64_t most = 1;
    for (const StageUnits& stage : in_.workload.stages) most = std::max(most, stage.hidden_states);
    const auto message = [&](const char* name, std::int64_t hidden_states) {
      return in_.templates.add_item(
          CommOp{.name = name,
                 .kind = CommKind::kSendRecv,
                 .axis = Axis::kPp,
                 .bytes = static_cast<double>(hidden_states) * in_.workload.boundary_bytes},
          pair, Lane::kNic, TaskKind::kPp);
    };
    // One item per size: [hidden states - 1].
    for (std::int64_t n = 1; n <= most; ++n) {
      send_output_.push_back(message("send activation", n));
      send_gradient_.push_back(message("send gradient", n));
    }
  }

  /// Number of hidden states in a message over the boundary behind `stage`.
  [[nodiscard]] std::size_t size_behind(StageId stage) const {
    return static_cast<std::size_t>(in_.workload.stages[stage.at()].hidden_states) - 1;
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

  TaskId add_marker(RankId rank, std::int32_t tag) {
    return add({.lane = out_.lane(rank, Lane::kCompute),
                .duration = {},
                .kind = kind_byte(TaskKind::kMarker),
                .name = marker_name_,
                .tag = tag},
               -1);
  }

  [[nodiscard]] bool rendezvous() const { return in_.layout.messages == MessageRule::kRendezvous; }

  void place_rank(RankId rank) {
    out_.rank_begin.push_back(out_.steps.size());
    rank_ = {};
    const std::vector<Step>& steps = in_.schedule.ranks[rank.at()];
    for (std::size_t s = 0; s < steps.size(); ++s) {
      check_control();
      const Step& step = steps[s];
      const auto tag = static_cast<std::int32_t>(out_.steps.size());
      PlacedStep placed{
          .step = step,
          .rank = rank,
          .template_index = static_cast<std::uint32_t>(in_.templates.template_of(step, uses_[rank.at()][s])),
          .begin = {},
          .host = {},
          .first_task = {}};
      const StepTemplate& t = in_.templates.at(placed.template_index);
      placed.inputs[2] = issue_messages(rank, s, tag);
      placed.begin = add_marker(rank, tag);
      await_step_before(placed.begin);
      if (in_.layout.messages == MessageRule::kBlocking && rank_.last_message != kNoTask) {
        builder_.add_dependency(rank_.last_message, placed.begin);
        placed.inputs[2] = rank_.last_message;
      }
      rank_.last_message = kNoTask;
      rank_.last_host = add({.lane = out_.lane(rank, Lane::kHost),
                             .duration = t.host,
                             .kind = kind_byte(TaskKind::kHost),
                             .name = host_name_,
                             .tag = tag},
                            -1);
      builder_.add_dependency(placed.begin, rank_.last_host);
      placed.host = rank_.last_host;
      place_tasks(placed, t, tag);
      place_messages(placed, t, tag);
      out_.steps.push_back(placed);
      await_batch(placed.begin);
    }
    issue_messages(rank, steps.size(), -1);
    const TaskId end = add_marker(rank, -1);
    await_step_before(end);
    await_batch(end);
    out_.pipeline_end.push_back(end);
    out_.data_end.push_back(rank_.last_reduce);
  }

  /// A step begins when the one before has ended on the lanes that it waits for. The host enqueues a step
  /// while the one before runs; it cannot be further behind than that.
  void await_step_before(TaskId marker) {
    if (rank_.last_other != kNoTask) builder_.add_dependency(rank_.last_other, marker);
    if (rank_.last_host != kNoTask) builder_.add_dependency(rank_.last_host, marker);
  }

  /// Issues the rank's batch before its step `s`: its sends start when both sides have issued them. Returns
  /// the last send.
  TaskId issue_messages(RankId rank, std::size_t s, std::int32_t tag) {
    issued_ = {};
    if (!rendezvous() || batches_.batches[rank.at()][s].empty()) return kNoTask;
    issued_ = batches_.batches[rank.at()][s];
    const TaskId marker = add_marker(rank, tag);
    await_step_before(marker);
    TaskId last = kNoTask;
    for (const std::uint32_t m : issued_) {
      const Message& message = batches_.messages[m];
      if (message.sender != rank) {
        issues_.push_back({m, marker});
        continue;
      }
      last = add_send(rank, message, tag);
      builder_.add_dependency(marker, last);
      sends_[m] = last;
    }
    return last;
  }

  TaskId add_send(RankId rank, const Message& message, std::int32_t tag) {
    if (message.gradient)
      return add_item(rank, send_gradient_[size_behind(StageId{message.from.value - 1})], tag);
    return add_item(rank, send_output_[size_behind(message.from)], tag);
  }

  /// `marker` waits for every message of the batch issued last.
  void await_batch(TaskId marker) {
    for (const std::uint32_t m : issued_) awaited_.push_back({m, marker});
    issued_ = {};
  }

  void place_tasks(PlacedStep& placed, const StepTemplate& t, std::int32_t tag) {
    const auto first = static_cast<std::int32_t>(builder_.task_count());
    placed.first_task = TaskId{first};
    placed.tasks = static_cast<std::uint32_t>(t.tasks.size());
    rank_.last_other = kNoTask;
    for (const TemplateTask& task : t.tasks) {
      const TaskId id = add_item(placed.rank, task.item, tag);
      if (task.after >= 0) builder_.add_dependency(TaskId{first + task.after}, id);
      if (task.also >= 0) builder_.add_dependency(TaskId{first + task.also}, id);
      const Lane lane = in_.templates.items()[task.item].lane;
      if (lane == Lane::kCommunication) rank_.last_other = id;
      if (lane == Lane::kReduce) rank_.last_reduce = id;
      if (task.after <= kAfterLastUnitButOne) {
        const TaskId before = rank_.unit_ends[task.after == kAfterLastUnit ? 1 : 0];
        if (before != kNoTask) builder_.add_dependency(before, id);
      }
      if (task.host != -1) await_host(task.host, first, id);
    }
    if (in_.layout.offload.activations) note_copies(placed, t);
    if (t.first_other >= 0 && t.tasks[static_cast<std::size_t>(t.first_other)].after < 0) {
      builder_.add_dependency(placed.begin, TaskId{first + t.first_other});
    }
    for (const std::int32_t end : t.unit_ends) {
      if (end >= 0) rank_.unit_ends = {rank_.unit_ends[1], TaskId{first + end}};
    }
  }

  void await_host(std::int32_t host, std::int32_t first, TaskId task) {
    TaskId before{first + host};
    if (host < 0) before = rank_.stores[host == kAfterLastStore ? 1 : 0];
    if (before != kNoTask) builder_.add_dependency(before, task);
  }

  /// What has gone to the host comes back after it has arrived there.
  void note_copies(const PlacedStep& placed, const StepTemplate& t) {
    for (const std::int32_t store : t.stores) {
      if (store >= 0) rank_.stores = {rank_.stores[1], TaskId{placed.first_task.value + store}};
    }
    for (int i = 0; i < placed.step.count(); ++i) {
      const Action& a = placed.step.action(i);
      TaskId& stored = stored_[in_.schedule.slot(a.stage, a.microbatch)];
      if (a.kind == ActionKind::kForward && t.stores[1] >= 0) stored = rank_.stores[1];
      if (is_backward(a.kind) && t.first_fetch >= 0 && stored != kNoTask)
        builder_.add_dependency(stored, TaskId{placed.first_task.value + t.first_fetch});
    }
  }

  void place_messages(const PlacedStep& placed, const StepTemplate& t, std::int32_t tag) {
    const auto at = [&](std::int32_t index) {
      return index < 0 ? placed.begin : TaskId{placed.first_task.value + index};
    };
    for (int i = 0; i < placed.step.count(); ++i) {
      const Action& a = placed.step.action(i);
      const std::size_t slot = in_.schedule.slot(a.stage, a.microbatch);
      const auto leave = [&](TaskId producer, StageId to, bool gradient) {
        const bool exists = to.value >= 0 && to.value < in_.schedule.stages;
        if (!exists || rendezvous() || in_.schedule.rank_of(to, a.microbatch) == placed.rank) return producer;
        const TaskId send = add_send(
            placed.rank,
            {.from = a.stage, .microbatch = a.microbatch, .gradient = gradient, .sender = {}, .receiver = {}},
            tag);
        builder_.add_dependency(producer, send);
        rank_.last_message = send;
        return send;
      };
      if (a.kind == ActionKind::kForward) {
        boundary_.output[slot] = leave(at(t.forward_end), StageId{a.stage.value + 1}, false);
      } else if (is_backward(a.kind)) {
        boundary_.gradient[slot] = leave(at(t.gradient_end), StageId{a.stage.value - 1}, true);
      }
    }
  }

  /// Makes every step wait for its batch: sends for the receiver's issue, steps for the sends.
  void connect_batches() {
    for (const auto& [message, marker] : issues_) builder_.add_dependency(marker, sends_[message]);
    for (const auto& [message, marker] : awaited_) builder_.add_dependency(sends_[message], marker);
    for (std::size_t m = 0; m < sends_.size(); ++m) {
      const Message& message = batches_.messages[m];
      (message.gradient ? boundary_.gradient
                        : boundary_.output)[in_.schedule.slot(message.from, message.microbatch)] = sends_[m];
    }
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

  /// Of the rank that is being placed.
  struct RankState {
    TaskId last_other = kNoTask;    ///< last task of the step before on the communication lane
    TaskId last_host = kNoTask;     ///< of the step before
    TaskId last_message = kNoTask;  ///< of the step before
    TaskId last_reduce = kNoTask;
    std::array<TaskId, 2> unit_ends{kNoTask, kNoTask};  ///< last unit but one, last unit
    std::array<TaskId, 2> stores{kNoTask, kNoTask};     ///< of activations: last but one, last
  };
  struct BatchEdge {
    std::uint32_t message;
    TaskId marker;
  };

  const LowerInput& in_;
  LoweredStep out_;
  TaskGraphBuilder builder_;
  Boundary boundary_;
  std::vector<TaskId> stored_;  ///< [slot] the last of its activations is on the host
  RankState rank_;
  std::vector<std::vector<StepUse>> uses_;
  MessageBatches batches_;          ///< empty but under the rendezvous rule
  std::vector<TaskId> sends_;       ///< [message]
  std::vector<BatchEdge> issues_;   ///< the receiver issues the message at the marker
  std::vector<BatchEdge> awaited_;  ///< the marker waits for the message
  std::span<const std::uint32_t> issued_;
  std::vector<NameId> names_;
  NameId marker_name_, host_name_;
  std::vector<std::uint32_t> send_output_, send_gradient_;
};

}  // namespace

const CostedItem* LoweredStep::item_of(TaskId task) const {
  const std::int32_t item = item_by_task[task.at()];
  return item < 0 ? nullptr : &items[static_cast<std::size_t>(item)];
}

SimTime end_of(const PlacedStep& placed, const LoweredStep& step, const Timeline& timeline) {
  SimTime end = std::max(timeline.end[placed.begin.at()], timeline.end[placed.host.at()]);
  for (std::uint32_t i = 0; i < placed.tasks; ++i) {
    const TaskId task{placed.first_task.value + static_cast<std::int32_t>(i)};
    if (!beside_steps(kind_of_lane(step.graph.lane(task)))) end = std::max(end, timeline.end[task.at()]);
  }
  return end;
}

LoweredStep lower(const LowerInput& input) {
  return Lowering(input).run();
}

}  // namespace orrery
