#pragma once

#include <functional>
#include <span>
#include <variant>

#include "calibrate/probe/probe.hpp"

namespace orrery {

/// Estimated standard error of the median, relative to it: 1.2533 sigma / sqrt(n) / median with the robust
/// sigma = 1.4826 MAD (both factors exact for the normal distribution). 0 for equal values; infinite for
/// fewer than two.
[[nodiscard]] double relative_error_of_median(std::span<const double> seconds);

enum class Stop { kGoOn, kPrecise, kSamples, kTime };

/// Whether `seconds` suffice. `spent` is the time of all timed executions. At least `min_samples` are taken
/// unless the time is spent thrice over: a slow kernel is not measured for minutes.
[[nodiscard]] Stop enough(std::span<const double> seconds, double spent, const Effort& effort);

/// Calls `next` until it is enough or fails; marks outliers and says in the note why it stopped. `about_case`
/// holds the other members of the answer (executions per sample, FLOPs, bytes, error).
[[nodiscard]] Answer collect(const Effort& effort, Samples about_case,
                             const std::function<std::variant<Sample, Failure>()>& next);

}  // namespace orrery
