#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/engine/task_graph.hpp"
#include "sim/layout/layout.hpp"
#include "sim/lower/step_template.hpp"
#include "sim/schedule/schedule.hpp"
#include "sim/workload/stage_work.hpp"

namespace orrery {

/// One step of a rank's program in the task graph.
struct PlacedStep {
  Step step;
  RankId rank;
  std::uint32_t template_index = 0;
  TaskId begin;       ///< marker: inputs are here and the step before has ended
  TaskId host;        ///< its kernels are enqueued
  TaskId first_task;  ///< its `tasks` follow one after the other
  std::uint32_t tasks = 0;
  /// What it waited for: inputs of its one or two actions, its own last message; kNoTask when nothing. Under
  /// the rendezvous rule its batch may hold more.
  std::array<TaskId, 3> inputs{kNoTask, kNoTask, kNoTask};
};

/// The task graph of one training step and what its tasks stand for.
struct LoweredStep {
  TaskGraph graph;
  std::vector<PlacedStep> steps;        ///< in rank order, then program order
  std::vector<std::size_t> rank_begin;  ///< [rank]: first of its steps; one past the end at the back
  std::vector<CostedItem> items;
  std::vector<TaskId> pipeline_end;  ///< [rank]: marker after its last step
  TaskId tail_begin;                 ///< first task after all pipelines
  std::vector<TaskId> data_end;  ///< [rank]: last task on its lane for leaving gradients, kNoTask when none
  int ranks = 0;
  bool barrier = true;  ///< all ranks wait for the gradient norm before they update

  [[nodiscard]] ResourceId lane(RankId rank, Lane lane) const { return lane_of(rank, lane); }
  /// Item behind a task; null for markers and host tasks.
  [[nodiscard]] const CostedItem* item_of(TaskId task) const;
  std::vector<std::int32_t> item_by_task;  ///< index into items, -1 for markers
};

/// When a step of a rank ends: all its work but data-parallel traffic, which runs on beside the next.
[[nodiscard]] SimTime end_of(const PlacedStep& placed, const LoweredStep& step, const Timeline& timeline);

struct LowerInput {
  const Workload& workload;
  const Schedule& schedule;
  const Layout& layout;
  const Derived& derived;
  const RankMap& ranks;
  const ClusterProfile& cluster;
  StepTemplates& templates;
  double optimizer_bytes_per_param = 0;  ///< memory traffic of the update per parameter it owns
  bool tail = true;                      ///< gradient reduction and optimizer after the pipeline
};

/// One pipeline, one GPU of every pipeline rank: with equal work on all data- and expert-parallel replicas
/// the others do the same at the same time. Steps of a rank follow one another: a step begins when all work
/// of the one before has ended on every lane but those for data-parallel traffic and its inputs have arrived;
/// messages run on the NIC lane beside compute. Under the rendezvous rule the schedule's batches must
/// complete
/// (`rendezvous_deadlock`).
[[nodiscard]] LoweredStep lower(const LowerInput& input);

}  // namespace orrery
