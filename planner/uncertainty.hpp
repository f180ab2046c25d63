#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "planner/training_run.hpp"

namespace orrery {

/// The figures whose ranges a report shows.
enum class Outcome { kDays, kGpuHours, kRentUsd, kOwnedUsd, kEnergyKwh, kCo2Tonnes };
inline constexpr int kOutcomes = 6;
[[nodiscard]] const char* to_text(Outcome outcome);  ///< "days", "gpu_hours", ...
/// The figure of a run; empty where the run has none.
[[nodiscard]] std::optional<double> outcome_of(const TrainingRun& run, Outcome outcome);

/// An input and what its ends do to one outcome, all else at its centre.
struct TornadoBar {
  std::string key, what, unit, source, kind;
  double low = 0, value = 0, high = 0;  ///< of the input
  double outcome_at_low = 0, outcome_at_high = 0;
  bool simulated = false;  ///< the ends were simulated, not computed
  [[nodiscard]] double swing() const {
    return outcome_at_high > outcome_at_low ? outcome_at_high - outcome_at_low
                                            : outcome_at_low - outcome_at_high;
  }
};

/// A factor on the step time that two simulations gave, for an input of the step itself.
struct StepInput {
  std::string key, what, unit, source, kind;
  double low = 0, value = 0, high = 0;
  double step_ratio_at_low = 1, step_ratio_at_high = 1;
};

/// The most influential inputs, largest swing first, ties by key; at most `most`.
[[nodiscard]] std::vector<TornadoBar> tornado(const RunQuestion& question,
                                              const std::vector<StepInput>& step_inputs, Outcome outcome,
                                              std::size_t most = 10);

/// One outcome: as simulated, with every input at its favourable or unfavourable end, and sampled.
struct OutcomeRange {
  Outcome outcome = Outcome::kDays;
  double low = 0, central = 0, high = 0;
  double p10 = 0, p50 = 0, p90 = 0;
  double p05 = 0, p25 = 0, p75 = 0, p95 = 0;
  double above = 0;  ///< share of the samples that exceed the estimate
};

struct Sampling {
  std::uint64_t seed = 1;
  int samples = 2000;
};

/// Monte Carlo over all inputs, independent of each other. The model error of the step time is drawn from a
/// split log-normal through its 10th, 50th and 90th percentile, cut at 2.5 standard deviations; every other
/// input from a triangle over its range with its value as the mode. The generator is SplitMix64 with the
/// seed, the normal quantile Acklam's approximation, so the same input gives the same bytes everywhere.
/// Outcomes the run does not have are left out.
[[nodiscard]] std::vector<OutcomeRange> outcome_ranges(const RunQuestion& question, Sampling sampling = {});

/// The share of their life that bought machines have to work for owning to cost what this run's rent costs:
/// with U the utilisation behind `run.owned`, price's share * U / (rent - energy - space). Empty where one of
/// the two is unknown or energy and space alone cost more than the rent; above 1 where owning never pays.
[[nodiscard]] std::optional<double> break_even_utilisation(const TrainingRun& run, double utilisation);

/// The rent of a GPU-hour at which renting costs as much as owning; empty where one of the two is unknown.
[[nodiscard]] std::optional<double> break_even_usd_per_gpu_hour(const TrainingRun& run);

}  // namespace orrery
