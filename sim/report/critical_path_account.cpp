#include "sim/report/critical_path_account.hpp"

#include "sim/engine/graph_checks.hpp"

namespace orrery {
namespace {

double* cause(Waterfall& w, TaskKind kind) {
  switch (kind) {
    case TaskKind::kCompute: return &w.compute;
    case TaskKind::kRecompute: return &w.recompute;
    case TaskKind::kTp: return &w.exposed_tp;
    case TaskKind::kCp: return &w.exposed_cp;
    case TaskKind::kEp: return &w.exposed_ep;
    case TaskKind::kPp: return &w.exposed_pp;
    case TaskKind::kDp: return &w.exposed_dp;
    case TaskKind::kOffload: return &w.exposed_offload;
    case TaskKind::kOptimizer: return &w.optimizer;
    case TaskKind::kHost: return &w.exposed_host;
    case TaskKind::kMarker: return &w.other;
  }
  return &w.other;
}

}  // namespace

Waterfall account_critical_path(const LoweredStep& step, const Timeline& timeline) {
  Waterfall w;
  for (TaskId task : critical_path(timeline.graph, timeline).tasks) {
    const double extra = to_seconds(timeline.extra(task)).value;
    const double whole = to_seconds(timeline.end[task.at()] - timeline.start[task.at()]).value;
    const CostedItem* item = step.item_of(task);
    // Casts that run on the communication lane belong to the exchange behind them.
    const bool cast =
        item != nullptr && item->lane == Lane::kCommunication && item->kind == TaskKind::kCompute;
    *cause(w, cast ? TaskKind::kEp : static_cast<TaskKind>(timeline.graph.kind(task))) += whole - extra;
    w.contention += extra;
  }
  return w;
}

}  // namespace orrery
