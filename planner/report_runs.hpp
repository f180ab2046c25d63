#pragma once

#include <string>
#include <vector>

#include "planner/alternatives.hpp"
#include "planner/explain.hpp"
#include "planner/uncertainty.hpp"

namespace orrery {

/// A number of GPUs other than the scenario's, simulated with the same layout and batch; data parallelism
/// takes up the difference.
struct GpuPoint {
  std::int64_t gpus = 0;
  std::string infeasible;  ///< why not; empty when it ran
  double step_s = 0;
  double step_tokens = 0;
};

/// What a report needs besides its result: simulations with one thing changed. The only part of a report
/// that runs anything.
struct ReportRuns {
  std::vector<Lever> levers;
  std::vector<StepInput> step_inputs;
  std::vector<GpuPoint> gpu_points;  ///< by number, without the scenario's own
  Alternatives alternatives;         ///< other layouts on the same GPUs
};

/// At most six levers, nine runs for inputs of the step, five numbers of GPUs and, with `search`, a small
/// space of layouts, on two threads; the results do not depend on them.
[[nodiscard]] ReportRuns report_runs(const Scenario& scenario, const Metrics& metrics, bool search);

}  // namespace orrery
