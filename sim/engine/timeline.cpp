#include "sim/engine/timeline.hpp"

#include <fmt/format.h>

#include <iterator>

namespace orrery {

namespace {

std::string describe(const TaskGraph& graph, TaskId task) {
  return fmt::format("task {} '{}' on lane '{}'", task.value, graph.name(task),
                     graph.lane_name(graph.lane(task)));
}

}  // namespace

SimTime Timeline::busy(ResourceId lane) const {
  SimTime sum;
  for (const TaskId task : graph.lane_tasks(lane)) {
    if (end[task.at()] != kNever) sum += end[task.at()] - start[task.at()];
  }
  return sum;
}

std::string deadlock_text(const Timeline& timeline) {
  std::string text;
  for (const WaitingTask& waiting : timeline.waiting) {
    fmt::format_to(std::back_inserter(text), "{} waits for", describe(timeline.graph, waiting.task));
    const char* separator = " ";
    for (const TaskId on : waiting.on) {
      text += separator + describe(timeline.graph, on);
      separator = ", ";
    }
    text += '\n';
  }
  return text;
}

}  // namespace orrery
