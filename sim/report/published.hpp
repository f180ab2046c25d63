#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/hw/cluster.hpp"
#include "sim/report/metrics.hpp"
#include "sim/scenario.hpp"

namespace orrery {

/// A figure somebody published; `key` is the path of the same quantity in a result, "step.time_s".
struct PublishedValue {
  std::string key;
  std::string label;
  double value = 0;
  std::string unit;
  double scale = 1;  ///< a result's number times this is in `unit`
  std::string note = {};
};

/// What a scenario must have for a published run to be about it; what is empty is not compared.
struct PublishedMatch {
  std::string model;
  std::string cluster;
  std::int64_t gpus = 0;
  std::optional<std::int64_t> tp, cp, pp, ep, zero_stage, global_batch_size, sequence_length;
  std::optional<bool> mtp;
  std::optional<std::string> schedule, precision;
  std::optional<double> tokens, usd_per_gpu_hour;
};

/// One training run as published. Loaded from <profiles>/published/<name>.json (schema orrery.published/1).
struct PublishedRun {
  std::string name;
  std::string source = {};
  std::string date = {};
  std::string note = {};
  PublishedMatch match;
  std::vector<PublishedValue> values;
};

/// Published beside computed. `mean` is over the pipeline ranks where the quantity differs between them.
struct ComparisonRow {
  PublishedValue published;
  double computed = 0;
  std::optional<double> mean;
  /// Relative: computed / published - 1.
  [[nodiscard]] double error() const { return computed / published.value - 1; }
  [[nodiscard]] std::optional<double> mean_error() const {
    return mean ? std::optional<double>(*mean / published.value - 1) : std::nullopt;
  }
};

/// All runs under the profile folders, by file name. InputError for a damaged file.
[[nodiscard]] std::vector<PublishedRun> load_published(const ProfileFolders& folders);
[[nodiscard]] bool is_about(const PublishedRun& run, const Scenario& scenario);
/// In the order of the file; values the result has not computed are left out. InputError for a key that no
/// result has.
[[nodiscard]] std::vector<ComparisonRow> compare(const PublishedRun& run, const Metrics& metrics,
                                                 const Scenario& scenario);

}  // namespace orrery
