#include "sim/engine/engine.hpp"

#include "sim/engine/event_loop.hpp"
#include "sim/engine/relaxation.hpp"

namespace orrery {

namespace {

/// First unfinished task of every lane with the unfinished dependencies it waits for.
std::vector<WaitingTask> waiting_set(const Timeline& timeline) {
  const TaskGraph& graph = timeline.graph;
  const auto unfinished = [&](TaskId task) { return timeline.end[task.at()] == kNever; };
  std::vector<WaitingTask> waiting;
  for (std::size_t lane = 0; lane < graph.lane_count(); ++lane) {
    for (const TaskId task : graph.lane_tasks(ResourceId{lane})) {
      if (!unfinished(task)) continue;
      WaitingTask& head = waiting.emplace_back(WaitingTask{.task = task, .on = {}});
      for (const TaskId before : graph.predecessors(task)) {
        if (unfinished(before)) head.on.push_back(before);
      }
      break;
    }
  }
  return waiting;
}

}  // namespace

Timeline run(const TaskGraph& graph, const RunOptions& options) {
  Timeline timeline;
  timeline.graph = graph;
  const bool relaxable = options.path == RunPath::kAuto && !graph.coupled() && options.observer == nullptr;
  const std::size_t done = relaxable ? relax(timeline) : run_events(timeline, options.observer);
  if (done < graph.task_count()) {
    timeline.stop = StopReason::kDeadlock;
    timeline.waiting = waiting_set(timeline);
  }
  return timeline;
}

}  // namespace orrery
