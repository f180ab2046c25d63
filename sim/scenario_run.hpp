#pragma once

#include <optional>
#include <string>

namespace orrery {

/// Prices and tariffs. What is not given stays empty and its results are null, never zero.
struct Economics {
  std::optional<double> usd_per_gpu_hour;
  std::optional<double> usd_per_kwh;
  std::optional<double> pue;  ///< power usage effectiveness of the building
  std::optional<std::string> grid;
  std::optional<double> co2_g_per_kwh;   ///< instead of the grid's
  std::optional<double> server_usd;      ///< a node with its GPUs, instead of the price list's
  std::optional<double> lifetime_years;  ///< instead of the price list's
};

/// Failures and checkpoints of the run. What is not given comes from the reliability data, with its source.
struct Reliability {
  std::optional<double> failures_per_node_day;
  std::optional<double> restart_s;
  std::optional<double> checkpoint_interval_s;
  std::optional<double> checkpoint_bytes_per_s_per_node;
  std::optional<double> checkpoint_stall_s;
  std::optional<double> straggler_loss;
  std::optional<double> repair_s;
};

}  // namespace orrery
