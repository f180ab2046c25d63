#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/report/metrics.hpp"
#include "sim/scenario.hpp"

namespace orrery {

/// A number of a row: column, unit, what it is.
struct SweepMetric {
  std::string_view name;  ///< "step_time_s"
  std::string_view unit;  ///< empty where there is none
  std::string_view what;
  int better = 0;  ///< -1: smaller is better, 1: larger, 0: no objective
};
[[nodiscard]] std::span<const SweepMetric> sweep_metrics();
/// Position in `sweep_metrics` of an objective. InputError at `place` with the nearest name.
[[nodiscard]] std::size_t find_objective(const std::string& name, const std::string& place);
/// Names of the metrics that can be an objective.
[[nodiscard]] std::vector<std::string> objective_names();

/// Result of one item.
struct SweepRow {
  std::string key;     ///< hash of the resolved scenario; empty where it could not be resolved
  std::string status;  ///< ok, infeasible, error (wrong input), failed (a fault of ours), lost (no process
                       ///< finished it)
  std::vector<std::pair<std::string, std::string>>
      inputs;                                  ///< dotted key and JSON text, of every scenario key
  std::vector<std::optional<double>> metrics;  ///< as `sweep_metrics`; empty unless ok
  std::string reason_code;                     ///< kebab-case reason, "input" or "internal"
  std::string reason;                          ///< a sentence
  std::vector<std::pair<std::string, std::string>> nearest;  ///< changes that would make it feasible
};

/// The scenario's values by dotted key, as JSON text.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> row_inputs(const Scenario& scenario);
/// Status, metrics and reason of a simulated step.
void fill_row(const Metrics& metrics, SweepRow& row);

/// One line of JSON, without an end of line; the same row gives the same bytes.
[[nodiscard]] std::string to_json_line(const SweepRow& row);
/// The inverse. The text is ours: anything unexpected is an InternalError.
[[nodiscard]] SweepRow parse_row(const std::string& line);

}  // namespace orrery
