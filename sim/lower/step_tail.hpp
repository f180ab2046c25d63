#pragma once

#include <cstdint>
#include <vector>

#include "sim/engine/task_graph_builder.hpp"
#include "sim/layout/layout.hpp"
#include "sim/layout/rank_map.hpp"
#include "sim/lower/step_template.hpp"
#include "sim/schedule/schedule.hpp"
#include "sim/workload/stage_work.hpp"

namespace orrery {

struct TailInput {
  const Workload& workload;
  const Schedule& schedule;
  const Layout& layout;
  const Derived& derived;
  const RankMap& ranks;
  StepTemplates& templates;
  const std::vector<TaskId>& pipeline_end;  ///< [rank]
  const std::vector<TaskId>&
      data_end;  ///< [rank]: last gradient reduction beside the pipeline; kNoTask: none
  double optimizer_bytes_per_param = 0;
};

/// What follows the pipeline on every rank: gradients of the dense part and of the experts are reduced over
/// their data-parallel groups (reduce-scatter with ZeRO 1, all-reduce with ZeRO 0; twice as large a group
/// where two ranks hold a stage), the norm is agreed on by all ranks, every rank updates what it owns, and
/// ZeRO 1 and 2 gather the new weights in BF16. An optimizer on the host gets the FP32 gradients it owns,
/// updates there and sends BF16 weights back, one after the other. What the layout's `DataParallelPlan` does
/// inside the pipeline is left out here; gradients reduced there over one copy of a stage are joined with the
/// other copy's. With post-validation no rank waits for the norm. Appends to `builder` and, one entry per
/// task, to `item_by_task`.
void add_step_tail(const TailInput& input, TaskGraphBuilder& builder,
                   std::vector<std::int32_t>& item_by_task);

}  // namespace orrery
