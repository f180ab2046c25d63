#pragma once

#include <string>
#include <vector>

#include "planner/economics/price_list.hpp"
#include "sim/report/metrics.hpp"
#include "sim/scenario.hpp"

namespace orrery {

/// Every number that the figures of a whole run follow from, as one flat value: what is varied one at a time
/// for sensitivity and all together for uncertainty.
struct RunInputs {
  // the simulated step
  double step_s = 0;
  double step_error = 1;  ///< factor on the step time: measured over computed
  double step_tokens = 0;
  double tokens = 0;
  // machines
  double gpus = 0, nodes = 0;
  double gpu_mean_w = 0;   ///< while steps run
  double power_error = 1;  ///< factor on what GPUs draw above idle
  double gpu_idle_w = 0;
  double node_overhead_w = 0;
  double network_w = 0;
  double switches = 0, links = 0;  ///< switches in units of 64 ports
  // failures
  double failures_per_node_day = 0, restart_s = 0, checkpoint_interval_s = 0;  ///< interval 0: the best
  double checkpoint_bytes = 0, bytes_per_s_per_node = 1, copy_s = 0, stall_s = 0;
  double straggler_loss = 0, slow_node_share = 0, hardware_share = 0, repair_s = 0;
  // money and carbon
  double usd_per_gpu_hour = 0, usd_per_kwh = 0, pue = 1, g_per_kwh = 0;
  double server_usd = 0, switch_usd = 0, link_usd = 0, other_usd_per_gpu = 0;
  double lifetime_years = 5, utilisation = 1, space_usd_per_kw_month = 0;
  double gpu_embodied_kg = 0, node_embodied_kg = 0;
  double water_onsite_l_per_kwh = 0, water_offsite_l_per_kwh = 0;
  double development_hardware_share = 1, development_energy_share = 0;
};

/// One input with its range: what a report lists as an assumption and a tornado varies.
struct RunInput {
  std::string key;  ///< where a user can give it, or the name in the data
  std::string what;
  std::string unit;
  double RunInputs::*member = nullptr;
  Ranged range;
  bool stated = false;  ///< by the scenario: its range is the market's or a stated tolerance
};

/// The inputs of a scenario's run and what could not be found.
struct RunQuestion {
  RunInputs values;
  std::vector<RunInput> ranges;
  std::vector<RunInput> others;  ///< that move none of the totals: spare nodes, cost of development
  bool has_tokens = false, has_rent = false, has_energy_price = false, has_pue = false, has_carbon = false,
       has_machines = false;
  std::string machine;  ///< GPU of the price list
};

/// Gathers them from a simulated step, its scenario and the run data. A grid nobody knows is an InputError;
/// what the scenario does not give stays unset, never zero.
[[nodiscard]] RunQuestion run_question(const Metrics& metrics, const Scenario& scenario, const RunData& data);

}  // namespace orrery
