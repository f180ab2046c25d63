#include "calibrate/probe/stopping.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace orrery {
namespace {

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

const char* to_text(Stop stop) {
  switch (stop) {
    case Stop::kGoOn: return "not stopped";
    case Stop::kPrecise: return "precise enough";
    case Stop::kSamples: return "largest number of samples";
    case Stop::kTime: return "time of the case spent";
  }
  return "";
}

}  // namespace

double relative_error_of_median(std::span<const double> seconds) {
  if (seconds.size() < 2) return std::numeric_limits<double>::infinity();
  std::vector<double> values(seconds.begin(), seconds.end());
  const double middle = median_of(values);
  for (double& value : values) value = std::abs(value - middle);
  const double sigma = 1.4826 * median_of(std::move(values));
  return 1.2533 * sigma / std::sqrt(static_cast<double>(seconds.size())) / middle;
}

Stop enough(std::span<const double> seconds, double spent, const Effort& effort) {
  const auto count = static_cast<int>(seconds.size());
  if (count < 1) return Stop::kGoOn;
  if (count >= effort.max_samples) return Stop::kSamples;
  if (spent >= 3 * effort.max_seconds) return Stop::kTime;
  if (count < effort.min_samples) return Stop::kGoOn;
  if (relative_error_of_median(seconds) <= effort.relative_error) return Stop::kPrecise;
  return spent >= effort.max_seconds ? Stop::kTime : Stop::kGoOn;
}

Answer collect(const Effort& effort, Samples about_case,
               const std::function<std::variant<Sample, Failure>()>& next) {
  std::vector<double> seconds;
  double spent = 0;
  Stop stop = Stop::kGoOn;
  while (stop == Stop::kGoOn) {
    std::variant<Sample, Failure> found = next();
    if (auto* failure = std::get_if<Failure>(&found)) return std::move(*failure);
    const Sample& sample = std::get<Sample>(found);
    if (!(sample.seconds > 0) || !std::isfinite(sample.seconds)) {
      return Failure{FailureClass::kOther,
                     fmt::format("the timer gave {} s for one execution", sample.seconds)};
    }
    seconds.push_back(sample.seconds);
    spent += sample.seconds * static_cast<double>(about_case.executions);
    about_case.values.push_back(sample);
    stop = enough(seconds, spent, effort);
  }
  mark_outliers(about_case);
  const std::string reason = fmt::format("stopped: {}, standard error {:.2f} %", to_text(stop),
                                         100 * std::min(relative_error_of_median(seconds), 9.99));
  about_case.note += (about_case.note.empty() ? "" : "; ") + reason;
  return about_case;
}

}  // namespace orrery
