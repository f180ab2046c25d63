#include "calibrate/profile/sparse_classes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "sim/hw/curve_rates.hpp"

namespace orrery {
namespace {

constexpr double kWorstError = 0.3;

double round4(double value) {
  return std::strtod(fmt::format("{:.4g}", value).c_str(), nullptr);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// Errors of the points, each predicted by the median ratio of the others.
Quality left_out(const std::vector<double>& ratios) {
  std::vector<double> predicted;
  for (std::size_t i = 0; i < ratios.size(); ++i) {
    std::vector<double> others = ratios;
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(i));
    predicted.push_back(median(others));
  }
  return quality_of(predicted, ratios);
}

}  // namespace

bool is_sparse(const ClassPoints& data, const GpuProfile& gpu) {
  const auto starts = [&](const char* prefix) { return data.op_class.rfind(prefix, 0) == 0; };
  const bool kernel = starts("gemm.") || starts("wgrad.") || starts("grouped-") || starts("attention");
  return kernel && !data.sustained && data.points.size() >= 2 &&
         data.points.size() < 2 * model_of(data, gpu).parameters.size();
}

void scale_sparse(GpuProfile& profile, std::span<const ClassPoints> classes, const SampleSource& all,
                  std::vector<std::string>& unplaced) {
  for (const ClassPoints& data : classes) {
    const auto curve = std::find_if(profile.operators.begin(), profile.operators.end(),
                                    [&](const OperatorCurve& c) { return c.op_class == data.op_class; });
    if (curve == profile.operators.end()) {
      unplaced.push_back(fmt::format("{}: {} points are too few, and no curve is there to scale",
                                     data.op_class, data.points.size()));
      continue;
    }
    std::vector<double> ratios;
    for (const Observation& o : data.points)
      ratios.push_back(o.seconds / curve_seconds(*curve, profile, o, true));
    const Quality quality = left_out(ratios);
    if (quality.p90 > kWorstError) {
      unplaced.push_back(
          fmt::format("{}: {} points are too few for a curve, and miss the scaled one by {:.0f} % "
                      "(90th percentile)",
                      data.op_class, data.points.size(), 100 * quality.p90));
      continue;
    }
    const double factor = round4(median(ratios));
    scale_rates(*curve, 1 / factor);
    curve->overhead_s *= factor;
    curve->origin = Origin::kFitted;
    curve->source = data.source.empty() ? all.source : data.source;
    curve->date = data.date.empty() ? all.date : data.date;
    curve->note =
        fmt::format("Times x {:.4g}, the median of {} points: too few for a curve of their own; {}. {}",
                    factor, data.points.size(), all.hash, curve->note);
    curve->median_error = round4(quality.median);
    curve->p90_error = round4(quality.p90);
    curve->points = static_cast<std::int64_t>(data.points.size());
  }
}

}  // namespace orrery
