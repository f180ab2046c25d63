#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "planner/report_runs.hpp"
#include "planner/training_run.hpp"
#include "planner/uncertainty.hpp"
#include "sim/report/published.hpp"

namespace orrery {

/// The same run on the electricity of another region.
struct RegionRow {
  std::string name, note;  ///< "FR"; what the grid list says of it
  double g_per_kwh = 0;
  Carbon carbon;
  bool water_known = false;
  bool own = false;
};

/// Everything a report says, as values.
struct ReportInput {
  Scenario scenario;
  Metrics metrics;
  RunQuestion question;
  TrainingRun run;
  std::vector<OutcomeRange> ranges;
  std::vector<TornadoBar> tornado;        ///< of the rent
  std::vector<TornadoBar> tornado_owned;  ///< of the cost of owning
  std::optional<double> break_even_usd_per_gpu_hour;
  std::optional<double> break_even_utilisation;
  std::vector<RegionRow> regions;  ///< least emissions first
  ReportRuns runs;
  std::vector<TrainingRun> gpu_runs;  ///< by gpu point that ran
  std::vector<std::pair<PublishedRun, std::vector<ComparisonRow>>> published;
  Sampling sampling;
  ModelError::Entry model_error;
  std::string data_place;    ///< folder of prices, grids and rates
  std::string data_hash;     ///< of its files
  std::string profile_hash;  ///< of the GPU's and the cluster's profile as loaded
  std::string program;       ///< version and commit
  std::string source;        ///< file the report was asked of
  std::string command;       ///< that rebuilds it
  std::string scenario_text;
};

/// Puts the values together; simulates nothing. What the report needs and the scenario lacks (tokens, rent,
/// price of energy, PUE, grid, a price of the machines) is one InputError at `place` that says where to give
/// each.
[[nodiscard]] ReportInput report_input(Scenario scenario, Metrics metrics, ReportRuns runs,
                                       const RunData& data, const std::vector<PublishedRun>& published,
                                       const std::string& place);

}  // namespace orrery
