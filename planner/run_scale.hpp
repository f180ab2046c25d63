#pragma once

#include <optional>

#include "planner/economics/price_list.hpp"
#include "sim/scenario.hpp"

namespace orrery {

/// What turns one step of a scenario into figures of its whole run, the same for every layout: failures,
/// checkpoints and prices depend on the cluster and the model alone. All are linear in the step's time and in
/// its energy, with factors >= 0, so bounds on a step are bounds on the run.
struct RunScale {
  /// Of the run, for one second of the step and for one joule of it (all nodes and switches, without the
  /// building).
  struct Linear {
    double per_s = 0, per_j = 0;
    [[nodiscard]] double of(double step_s, double step_j) const { return per_s * step_s + per_j * step_j; }
  };
  bool failures = false;             ///< whether failures and checkpoints are in it
  double useful = 1;                 ///< goodput
  double days_per_s = 0;             ///< days of the run
  std::optional<Linear> energy_mwh;  ///< building included
  std::optional<Linear> carbon_t;    ///< CO2 equivalent, machines' share included
  std::optional<double> rent_usd_per_s;
  std::optional<Linear> owned_usd;     ///< of machines bought and paid off (planner/economics/money.hpp)
  std::optional<double> purchase_usd;  ///< servers, network and the rest, new
};

/// Without run data: nothing fails, and neither carbon nor the owner's money is known.
[[nodiscard]] RunScale run_scale(const Scenario& scenario);
/// With failures, as `training_run` counts them. Errors: InputError for a grid nobody knows.
[[nodiscard]] RunScale run_scale(const Scenario& scenario, const RunData& data);

}  // namespace orrery
