#include "calibrate/fit/model_fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

constexpr double kNormal95 = 1.96;
constexpr double kLargestLog = 5;  ///< beyond e^5 a residual says nothing more

double to_internal(const FitParameter& p, double value) {
  return p.logarithmic ? std::log(value) : value;
}
double to_value(const FitParameter& p, double internal) {
  return p.logarithmic ? std::exp(internal) : internal;
}

void check_points(const FitModel& model, std::span<const Observation> points, const std::string& place) {
  const std::size_t need = 2 * model.parameters.size();
  if (points.size() < need)
    throw InputError(place, fmt::format("found {} points, expected at least {}: twice the {} parameters of "
                                        "the model '{}'",
                                        points.size(), need, model.parameters.size(), model.name));
  double least = model.measured(points.front()), most = least;
  for (const Observation& o : points) {
    const double y = model.measured(o);
    if (!std::isfinite(y) || y <= 0)
      throw InputError(place, fmt::format("found the measured value {:g}, expected a positive number", y));
    least = std::min(least, y);
    most = std::max(most, y);
  }
  if (!(most > least))
    throw InputError(place, fmt::format("all {} points have the same value {:g}: nothing can be fitted; "
                                        "measure other sizes",
                                        points.size(), least));
}

struct Raw {
  NonlinearFit fit;
  std::vector<double> values;
};

Raw fit_points(const FitModel& model, const std::vector<const Observation*>& points,
               std::span<const double> start, const ModelFitOptions& options, const std::string& place) {
  const std::size_t n = model.parameters.size();
  std::vector<double> low(n), high(n), first(n);
  for (std::size_t i = 0; i < n; ++i) {
    const FitParameter& p = model.parameters[i];
    low[i] = to_internal(p, p.low);
    high[i] = to_internal(p, p.high);
    first[i] = std::clamp(to_internal(p, start[i]), low[i], high[i]);
  }
  std::vector<double> values(n);
  const Residuals residuals = [&](std::span<const double> x, std::span<double> out) {
    for (std::size_t i = 0; i < n; ++i) values[i] = to_value(model.parameters[i], x[i]);
    for (std::size_t i = 0; i < points.size(); ++i) {
      const double ratio = model.predict(values, *points[i]) / model.measured(*points[i]);
      const double weight = model.weight ? model.weight(*points[i]) : 1;
      out[i] = weight * std::clamp(std::log(ratio), -kLargestLog, kLargestLog);
    }
  };
  Raw raw;
  raw.fit = fit_nonlinear(residuals, points.size(), first, low, high,
                          {.iterations = options.iterations, .robust_scale = options.robust_scale}, place);
  for (std::size_t i = 0; i < n; ++i) raw.values.push_back(to_value(model.parameters[i], raw.fit.x[i]));
  return raw;
}

/// The start of the `index`-th search: the given one, then a Halton sequence (bases are primes) within a
/// factor of three of it, over the whole range where the parameter is a share.
std::vector<double> start_of(const FitModel& model, int index) {
  static constexpr int kPrimes[] = {2,  3,  5,  7,  11, 13, 17, 19, 23, 29,
                                    31, 37, 41, 43, 47, 53, 59, 61, 67, 71};
  constexpr double kReach = 3;
  std::vector<double> start;
  for (std::size_t i = 0; i < model.parameters.size(); ++i) {
    const FitParameter& p = model.parameters[i];
    if (index == 0) {
      start.push_back(p.start);
      continue;
    }
    const int base = kPrimes[i % std::size(kPrimes)];
    double place = 0, part = 1;
    for (int rest = index; rest > 0; rest /= base) place += (part /= base) * (rest % base);
    const double value =
        p.logarithmic ? p.start * std::pow(kReach, 2 * place - 1) : p.low + place * (p.high - p.low);
    start.push_back(std::clamp(value, p.low, p.high));
  }
  return start;
}

/// Where searches are worth their time: short ones from all starts on some of the points say which few end
/// low.
std::vector<std::vector<double>> promising_starts(const FitModel& model,
                                                  const std::vector<const Observation*>& points,
                                                  const ModelFitOptions& options, const std::string& place) {
  constexpr int kKept = 5, kShort = 20;
  constexpr std::size_t kSome = 300;
  std::vector<std::vector<double>> starts;
  for (int i = 0; i < model.starts; ++i) starts.push_back(start_of(model, i));
  if (model.starts <= kKept) return starts;
  std::vector<const Observation*> some;
  for (const std::size_t i : shuffled(points.size(), options.seed))
    if (some.size() < kSome) some.push_back(points[i]);
  ModelFitOptions hasty = options;
  hasty.iterations = kShort;
  std::vector<Raw> searched;
  for (const std::vector<double>& start : starts)
    searched.push_back(fit_points(model, some, start, hasty, place));
  std::stable_sort(searched.begin(), searched.end(),
                   [](const Raw& a, const Raw& b) { return a.fit.cost < b.fit.cost; });
  starts.clear();
  for (int i = 0; i < kKept; ++i) starts.push_back(searched[static_cast<std::size_t>(i)].values);
  return starts;
}

/// The cheapest of the model's searches.
Raw fit_from_starts(const FitModel& model, const std::vector<const Observation*>& points,
                    const ModelFitOptions& options, const std::string& place) {
  Raw best;
  bool first = true;
  for (const std::vector<double>& start : promising_starts(model, points, options, place)) {
    Raw raw = fit_points(model, points, start, options, place);
    if (first || raw.fit.cost < best.fit.cost) best = std::move(raw);
    first = false;
  }
  for (const std::vector<double>& start : model.places) {
    Raw raw = fit_points(model, points, start, options, place);
    if (raw.fit.cost < best.fit.cost) best = std::move(raw);
  }
  return best;
}

/// What the fitted model misses at its own points, by their sizes.
SurfaceFit surface_of(const FitModel& model, std::span<const double> values,
                      const std::vector<const Observation*>& points, const ModelFitOptions& options) {
  if (model.sizes.empty()) return {};
  std::vector<Residual> residuals;
  for (const Observation* o : points)
    residuals.push_back(
        {.sizes = model.sizes_of(*o), .log_ratio = std::log(model.measured(*o) / model.predict(values, *o))});
  constexpr double kClip = 5;  // in robust scales
  return fit_surface(residuals, model.sizes, {.clip = kClip * options.robust_scale, .seed = options.seed});
}

double predict_one(const FitModel& model, std::span<const double> values, const SurfaceFit& surface,
                   const Observation& o) {
  const double seconds = model.predict(values, o);
  return surface.correction.empty() ? seconds : seconds * surface.correction.factor(model.sizes_of(o));
}

FittedParameter parameter_of(const FitParameter& p, double value, double internal, double error) {
  FittedParameter out{.name = p.name, .unit = p.unit, .value = value, .low = value, .high = value};
  const double low = to_internal(p, p.low), high = to_internal(p, p.high);
  const double margin = 1e-6 * (high - low);
  out.at_bound = high > low && (internal - low <= margin || high - internal <= margin);
  if (error > 0 && !out.at_bound) {
    out.low = std::max(p.low, to_value(p, std::max(low, internal - kNormal95 * error)));
    out.high = std::min(p.high, to_value(p, std::min(high, internal + kNormal95 * error)));
  }
  return out;
}

}  // namespace

std::vector<double> ModelFit::values() const {
  std::vector<double> out;
  for (const FittedParameter& p : parameters) out.push_back(p.value);
  return out;
}

double ModelFit::value(const std::string& name) const {
  for (const FittedParameter& p : parameters)
    if (p.name == name) return p.value;
  SIM_CHECK(false, "a fit has no parameter " + name);
  return 0;
}

std::vector<double> predict_all(const FitModel& model, const ModelFit& fit,
                                std::span<const Observation> points) {
  const std::vector<double> values = fit.values();
  std::vector<double> out;
  out.reserve(points.size());
  for (const Observation& o : points) out.push_back(predict_one(model, values, fit.surface, o));
  return out;
}

Quality quality_on(const FitModel& model, const ModelFit& fit, std::span<const Observation> points) {
  std::vector<double> measured;
  measured.reserve(points.size());
  for (const Observation& o : points) measured.push_back(model.measured(o));
  return quality_of(predict_all(model, fit, points), measured);
}

ModelFit fit_model(const FitModel& model, std::span<const Observation> points, const ModelFitOptions& options,
                   const std::string& place) {
  check_points(model, points, place);
  std::vector<const Observation*> all;
  for (const Observation& o : points) all.push_back(&o);
  const Raw whole = fit_from_starts(model, all, options, place);

  ModelFit fit{.model = model.name,
               .folds = options.folds,
               .cost = whole.fit.cost,
               .stop = whole.fit.stop,
               .iterations = whole.fit.iterations};
  for (std::size_t i = 0; i < model.parameters.size(); ++i)
    fit.parameters.push_back(
        parameter_of(model.parameters[i], whole.values[i], whole.fit.x[i], whole.fit.standard_error[i]));
  fit.surface = surface_of(model, whole.values, all, options);
  fit.in_sample = quality_on(model, fit, points);
  if (options.folds < 2) return fit;

  const std::vector<std::size_t> fold = fold_of_points(points.size(), options.folds, options.seed);
  std::vector<double> predicted(points.size()), measured(points.size());
  for (std::size_t f = 0; f < options.folds; ++f) {
    std::vector<const Observation*> rest;
    for (std::size_t i = 0; i < points.size(); ++i)
      if (fold[i] != f) rest.push_back(&points[i]);
    const Raw part = fit_from_starts(model, rest, options, place);
    const SurfaceFit surface = surface_of(model, part.values, rest, options);
    for (std::size_t i = 0; i < points.size(); ++i)
      if (fold[i] == f) predicted[i] = predict_one(model, part.values, surface, points[i]);
  }
  for (std::size_t i = 0; i < points.size(); ++i) measured[i] = model.measured(points[i]);
  fit.cross_validated = quality_of(predicted, measured);
  return fit;
}

}  // namespace orrery
