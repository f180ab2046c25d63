#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "planner/published_table.hpp"
#include "planner/table_memory.hpp"
#include "planner/table_power.hpp"
#include "planner/table_skip.hpp"
#include "sim/hw/cluster.hpp"

namespace orrery {

/// What became of one row: an error of its step time, or why there is none.
struct TableOutcome {
  PublishedRow row;
  MaybeSkip skip;
  std::string precision;  ///< as simulated
  std::string inputs;     ///< layout and training as simulated; what was assumed
  double measured_step_s = 0;
  double computed_step_s = 0;
  double tokens_per_step = 0;
  double low_s = 0, high_s = 0;  ///< 10th and 90th percentile of the step time, as a result states them
  /// Bytes needed over bytes there, where the simulator finds too little memory for what somebody has run;
  /// its time is that of a GPU with enough. 0: it fits.
  double memory_over = 0;

  /// Computed over measured step time, minus 1: positive is too slow.
  [[nodiscard]] double error() const { return computed_step_s / measured_step_s - 1; }
};

/// Errors of the scored rows of one source, GPU and precision; fractions, not percent.
struct ErrorGroup {
  std::string source, gpu, precision;
  std::size_t rows = 0;
  double bias = 0;             ///< median of the signed errors
  double median = 0;           ///< of their absolute values
  double ninetieth = 0;        ///< percentile of the same: the smallest that nine in ten do not exceed
  double inside = 0;           ///< share of the rows measured between the computed P10 and P90
  std::optional<double> rank;  ///< Spearman's correlation of tokens/s per GPU; with 5 rows or more
};

struct TableValidation {
  std::vector<TableOutcome> outcomes;     ///< one per row, in the order of the file
  std::vector<ErrorGroup> groups;         ///< by source, GPU, precision
  ErrorGroup all;                         ///< all scored rows; no rank, sources differ in what they vary
  std::vector<PowerOutcome> power;        ///< rows of measured power, which have no step time
  std::vector<MemoryOutcome> memory;      ///< rows of measured peak memory, likewise
  std::vector<ErrorGroup> memory_groups;  ///< by source and GPU; `precision` is the metric
  [[nodiscard]] std::size_t count(SkipReason reason) const;
  /// `memory_over` of the rows that have one, in ascending order.
  [[nodiscard]] std::vector<double> too_large() const;
};

/// Simulates every row that can be and scores its step time. No number is fitted to any row. InputError: a
/// profile or the model error of `folders` cannot be loaded, or a profile lacks a curve that a row needs.
[[nodiscard]] TableValidation validate_table(const std::vector<PublishedRow>& rows,
                                             const ProfileFolders& folders);

/// Middle value, the mean of both middle ones in an even count. Not empty.
[[nodiscard]] double median_of(std::vector<double> values);
/// Smallest value that at least the share `p` of all does not exceed (nearest rank). Not empty; 0 < p <= 1.
[[nodiscard]] double percentile_of(std::vector<double> values, double p);
/// Spearman's rank correlation: Pearson's of the ranks, ties share their mean rank. Empty where one side has
/// one value only.
[[nodiscard]] std::optional<double> rank_correlation(std::span<const double> a, std::span<const double> b);

}  // namespace orrery
