#pragma once

#include <memory>
#include <string>

#include "sim/report/metrics.hpp"
#include "sim/scenario.hpp"
#include "sim/schedule/schedule.hpp"

namespace orrery {

struct LoweredStep;
struct Timeline;

/// A simulated step: the metrics and, when feasible, what they were read from.
struct SimResult {
  Metrics metrics;
  std::shared_ptr<const Schedule> schedule;
  std::shared_ptr<const LoweredStep> step;
  std::shared_ptr<const Timeline> timeline;
};

/// Scenario -> Workload -> Schedule -> TaskGraph -> Timeline -> Metrics. An infeasible layout is a result;
/// errors of input (a profile without a needed curve, a damaged schedule file) are InputErrors. Under a
/// `ControlScope` (sim/base/work_control.hpp) it can be paused and stopped.
[[nodiscard]] SimResult simulate(const Scenario& scenario);

/// Seconds of a step alone: `step_time_s` of `simulate`, without measuring. The schedule is that of a plan
/// without verdict; the plan is made anew, since `chunk_step` uses up its templates and what is lowered after
/// it is another step, by up to a thousandth.
[[nodiscard]] double step_seconds(const Scenario& scenario, Schedule schedule);

/// What `simulate` says of a step's time, to the picosecond and without all else: at chunk level where that
/// is exact (sim/chunk_step.hpp), without measuring where it is not.
struct StepOutcome {
  Verdict infeasible;
  double time_s = 0;
  double tokens = 0;
};
[[nodiscard]] StepOutcome step_outcome(const Scenario& scenario);

/// The schedule a scenario asks for: a generator's or a CSV file's. Infeasible sizes give a Verdict.
[[nodiscard]] Verdict scenario_schedule(const Scenario& scenario, Schedule& out);

/// One overlapped forward-backward pair of `layers` MoE layers of the scenario's model, alone on the machine
/// and without pipeline messages, as in DeepSeek's published training trace. Seconds.
struct PairResult {
  double time_s = 0;
  double compute_busy_s = 0;
  double communication_busy_s = 0;
};
[[nodiscard]] PairResult simulate_pair(const Scenario& scenario, int layers);

}  // namespace orrery
