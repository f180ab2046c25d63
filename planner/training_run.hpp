#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "planner/economics/carbon.hpp"
#include "planner/economics/money.hpp"
#include "planner/goodput/goodput.hpp"
#include "planner/run_inputs.hpp"
#include "sim/hw/cluster.hpp"
#include "sim/report/metrics.hpp"
#include "sim/scenario.hpp"

namespace orrery {

/// Energy of the machines and their building over a run, kWh.
struct RunEnergy {
  double gpu_dynamic = 0;  ///< above idle
  double gpu_idle = 0;
  double nodes = 0;     ///< hosts, NICs, fans
  double network = 0;   ///< switches
  double building = 0;  ///< (PUE - 1) times the rest
  [[nodiscard]] double machines() const { return gpu_dynamic + gpu_idle + nodes + network; }
  [[nodiscard]] double total() const { return machines() + building; }
};

/// A whole training run: the simulated step repeated, with failures, money and carbon. Empty where an input
/// was not given.
struct TrainingRun {
  double ideal_days = 0;  ///< without failures
  double days = 0;
  double ideal_gpu_hours = 0;
  double gpu_hours = 0;  ///< of the elapsed time
  Goodput goodput;
  std::optional<RunEnergy> energy;
  std::optional<double> rent_usd;
  std::optional<OwnedCost> owned;
  std::optional<Purchase> purchase;       ///< of the machines behind `owned`
  double life_share = 0;                  ///< of their working life that the run takes
  std::optional<double> development_usd;  ///< owned / share of hardware and energy in development cost
  std::optional<Carbon> carbon;
};

/// Below this goodput a run is not said to end.
inline constexpr double kLeastGoodput = 0.01;

/// The figures from the numbers; pure arithmetic. has_tokens must be true.
[[nodiscard]] TrainingRun training_run(const RunQuestion& question);
/// The same with other values: for sensitivity and sampling.
[[nodiscard]] TrainingRun training_run(const RunQuestion& question, const RunInputs& values);

/// Fills what a simulated step alone cannot know: goodput, and with it days, GPU-hours, energy, money and
/// carbon of the real run, and the assumptions behind them. Call it after `simulate`; metrics of an
/// infeasible layout and runs without tokens stay as they are.
void complete_run(Metrics& metrics, const Scenario& scenario, const RunData& data);

/// The folder `economics` of the first profile root that has one. InputError when none does.
[[nodiscard]] RunData find_run_data(const ProfileFolders& folders);
/// That folder; empty when no root has one.
[[nodiscard]] std::filesystem::path run_data_folder(const ProfileFolders& folders);

}  // namespace orrery
