#include "sim/lower/step_tail.hpp"

#include "sim/layout/data_parallel.hpp"
#include "sim/lower/memory.hpp"

namespace orrery {
namespace {

EndpointGroup grown(const GroupSpan& span, std::int64_t copies) {
  // The second copy of a stage sits on other nodes, laid out alike.
  return {.size = span.size * copies, .per_node = span.per_node, .nodes = span.nodes * copies};
}

class Tail {
 public:
  Tail(const TailInput& in, TaskGraphBuilder& builder, std::vector<std::int32_t>& item_by_task)
      : in_(in),
        builder_(builder),
        item_by_task_(item_by_task),
        copies_(stage_copies(in.schedule)),
        plan_(data_parallel_plan(in.layout)) {
    // The dense part is shared by all ranks that see different tokens: data- and context-parallel ones.
    dense_ = grown(in.ranks.span(GpuId{0}, Axis::kDp), copies_);
    const GroupSpan context = in.ranks.span(GpuId{0}, Axis::kCp);
    dense_.size *= context.size;
    dense_.per_node *= context.per_node;
    dense_.nodes *= context.nodes;
    expert_ = grown(in.ranks.span(GpuId{0}, Axis::kExpertDp), copies_);
  }

  void run() {
    const std::vector<RankParams> params = params_by_rank(in_.workload, in_.schedule);
    std::vector<TaskId> reduced;
    for (std::size_t r = 0; r < params.size(); ++r) reduced.push_back(reduce(RankId{r}, params[r]));
    if (in_.layout.optimizer_sync == OptimizerSync::kPostValidation) {
      for (std::size_t r = 0; r < params.size(); ++r) update(RankId{r}, params[r], reduced[r]);
      return;
    }
    // The gradient norm joins all ranks before any of them may update.
    const TaskId join = marker(RankId{0}, "gradient norm");
    for (TaskId task : reduced) {
      if (task != join) builder_.add_dependency(task, join);
    }
    for (std::size_t r = 0; r < params.size(); ++r) update(RankId{r}, params[r], join);
  }

 private:
  TaskId marker(RankId rank, const char* name) {
    item_by_task_.push_back(-1);
    return builder_.add_task({.lane = lane_of(rank, Lane::kCommunication),
                              .duration = {},
                              .kind = static_cast<std::uint8_t>(TaskKind::kMarker),
                              .name = builder_.intern(name)});
  }

  TaskId add(RankId rank, const WorkItem& item, const EndpointGroup& group, Lane l, TaskKind kind) {
    return add_costed(rank, in_.templates.add_item(item, group, l, kind));
  }

  TaskId add_costed(RankId rank, std::uint32_t index) {
    const CostedItem& c = in_.templates.items()[index];
    item_by_task_.push_back(static_cast<std::int32_t>(index));
    return builder_.add_task({.lane = lane_of(rank, c.lane),
                              .duration = c.duration,
                              .kind = static_cast<std::uint8_t>(c.kind),
                              .name = builder_.intern(c.name),
                              .slowdown_row = c.slowdown_row});
  }

  /// Reduces `params` gradients over `group`. What was reduced inside the pipeline over the group of one
  /// copy of the stage is joined here with the other copy, where there is one.
  TaskId reduce_part(RankId rank, const char* name, Axis axis, double params, EndpointGroup group,
                     TaskId before) {
    if (plan_.reduce != DataTraffic::kAfterPipeline) {
      if (in_.layout.zero_stage >= 1) params /= static_cast<double>(group.size / copies_);
      group = {.size = copies_, .per_node = 1, .nodes = copies_};
    }
    if (group.size <= 1 || params <= 0) return before;
    const CommKind kind = in_.layout.zero_stage == 0 ? CommKind::kAllReduce : CommKind::kReduceScatter;
    return add(
        rank, CommOp{.name = name, .kind = kind, .axis = axis, .bytes = in_.workload.gradient_bytes * params},
        group, Lane::kCommunication, TaskKind::kDp);
  }

  TaskId reduce(RankId rank, const RankParams& p) {
    const TaskId ready = marker(rank, "gradients ready");
    const auto wait_for = [&](RankId r) {
      builder_.add_dependency(in_.pipeline_end[r.at()], ready);
      if (in_.data_end[r.at()] != kNoTask) builder_.add_dependency(in_.data_end[r.at()], ready);
    };
    wait_for(rank);
    if (copies_ == 2) {
      const RankId mirror{static_cast<std::int32_t>(in_.schedule.ranks.size()) - 1 - rank.value};
      if (mirror != rank) wait_for(mirror);
    }
    const TaskId dense = reduce_part(rank, "reduce dense gradients", Axis::kDp, p.dense, dense_, ready);
    return reduce_part(rank, "reduce expert gradients", Axis::kExpertDp, p.expert, expert_, dense);
  }

  TaskId update_on_gpu(RankId rank, const RankParams& p, double owned, TaskId join) {
    Op op{.name = "optimizer update", .kind = OpKind::kOptimizer};
    op.bytes = owned * in_.optimizer_bytes_per_param + (p.dense + p.expert) * in_.workload.weight_cast_bytes;
    const TaskId step = add(rank, op, {}, Lane::kCompute, TaskKind::kOptimizer);
    builder_.add_dependency(join, step);
    return step;
  }

  TaskId update_on_host(RankId rank, double owned, TaskId join) {
    StepTemplates& t = in_.templates;
    TaskId last = join;
    for (const std::uint32_t item :
         {t.add_copy("store gradients", in_.workload.gradient_bytes * owned, Lane::kStore),
          t.add_host_work("optimizer update on the host", owned * in_.optimizer_bytes_per_param),
          t.add_copy("fetch weights", 2.0 * owned, Lane::kFetch)}) {
      const TaskId task = add_costed(rank, item);
      builder_.add_dependency(last, task);
      last = task;
    }
    return last;
  }

  void update(RankId rank, const RankParams& p, TaskId join) {
    const bool sharded = in_.layout.zero_stage >= 1;
    const double owned =
        sharded ? p.dense / static_cast<double>(dense_.size) + p.expert / static_cast<double>(expert_.size)
                : p.dense + p.expert;
    const TaskId step = in_.layout.offload.optimizer ? update_on_host(rank, owned, join)
                                                     : update_on_gpu(rank, p, owned, join);
    if (!sharded || plan_.gather != DataTraffic::kAfterPipeline) return;
    TaskId last = step;
    const auto gather = [&](const char* name, Axis axis, double params, const EndpointGroup& group) {
      if (group.size <= 1 || params <= 0) return;
      const TaskId task =
          add(rank, CommOp{.name = name, .kind = CommKind::kAllGather, .axis = axis, .bytes = 2.0 * params},
              group, Lane::kCommunication, TaskKind::kDp);
      if (last == step) builder_.add_dependency(step, task);
      last = task;
    };
    gather("gather dense weights", Axis::kDp, p.dense, dense_);
    gather("gather expert weights", Axis::kExpertDp, p.expert, expert_);
  }

  const TailInput& in_;
  TaskGraphBuilder& builder_;
  std::vector<std::int32_t>& item_by_task_;
  std::int64_t copies_;
  DataParallelPlan plan_;
  EndpointGroup dense_;
  EndpointGroup expert_;
};

}  // namespace

void add_step_tail(const TailInput& input, TaskGraphBuilder& builder,
                   std::vector<std::int32_t>& item_by_task) {
  Tail(input, builder, item_by_task).run();
}

}  // namespace orrery
