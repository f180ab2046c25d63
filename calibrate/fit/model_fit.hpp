#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "calibrate/fit/levenberg_marquardt.hpp"
#include "calibrate/fit/quality.hpp"
#include "calibrate/fit/residual_surface.hpp"

namespace orrery {

/// One measured point as the models see it; fields a model does not use stay 0.
struct Observation {
  double seconds = 0;  ///< measured, > 0
  double watts = 0;    ///< board power meanwhile, 0: not measured
  double cap_w = 0;    ///< board's power limit, 0: unknown
  // matrix products
  double groups = 1, m = 0, n = 0, k = 0;
  // attention
  double heads = 0;     ///< batch x query heads
  double sequence = 0;  ///< tokens
  double flops_per_pair = 0;
  double pass_bytes = 0;  ///< of a kernel of its own inside the time: writing a latent cache; 0: none
  // traffic
  double input_bytes = 0;   ///< activations
  double weight_bytes = 0;  ///< second operand of products
  double output_bytes = 0;
  double bytes = 0;  ///< all of it; for collectives what each GPU sends
  double flops = 0;
  double gpus = 0;  ///< members of a collective
  // exchange of experts' tokens
  double row_bytes = 0;  ///< of one token
  double targets = 0;    ///< distinct GPUs a token goes to
  double sms = 0;        ///< that the exchange runs on
  // layers of experts
  double tokens = 0, hidden = 0, intermediate = 0, top_k = 0, experts = 0, local_experts = 0, matrices = 0;
};

/// A number to be found. Positive quantities of unknown size are fitted on a logarithmic scale.
struct FitParameter {
  std::string name;
  std::string unit;
  double start = 0, low = 0, high = 0;
  bool logarithmic = true;
};

/// A family of functions: parameters in, what is predicted for an observation out (seconds or watts).
struct FitModel {
  std::string name;
  std::vector<FitParameter> parameters = {};
  /// Places the search begins at, the first as given; models with many minima need more. Of more than three
  /// the best five of short searches on 300 points are searched in full.
  int starts = 1;
  /// Further places: values of all parameters. The way to try what has no slope, as a size at which a
  /// protocol changes.
  std::vector<std::vector<double>> places = {};
  std::function<double(std::span<const double>, const Observation&)> predict = {};
  std::function<double(const Observation&)> measured = {};  ///< what `predict` is compared with
  /// How much an observation's residual counts, > 0; empty: all alike. Errors are reported without it.
  std::function<double(const Observation&)> weight = {};
  /// Sizes by which a surface follows what `predict` misses (residual_surface.hpp), and their names; empty:
  /// none.
  std::vector<std::string> sizes = {};
  std::function<std::vector<double>(const Observation&)> sizes_of = {};
};

struct FittedParameter {
  std::string name, unit;
  double value = 0;
  double low = 0, high = 0;  ///< 95 % interval by the Jacobian; equal to `value` where it has none
  bool at_bound = false;     ///< the data do not hold it; false for one that was given
};

struct ModelFit {
  std::string model;
  std::vector<FittedParameter> parameters = {};
  SurfaceFit surface = {};  ///< without a correction where the points show none
  Quality in_sample = {};
  Quality cross_validated = {};  ///< every point predicted by a fit that did not see it
  std::size_t folds = 0;
  double cost = 0;  ///< of the fit to all points: what searches and forms are compared by
  FitStop stop = FitStop::kIterations;
  int iterations = 0;

  [[nodiscard]] std::vector<double> values() const;
  /// Value of a parameter; SIM_CHECK fails for a name that is not there.
  [[nodiscard]] double value(const std::string& name) const;
};

struct ModelFitOptions {
  std::size_t folds = 5;
  std::uint64_t seed = 1;
  double robust_scale = 0.05;  ///< of the logarithm of predicted/measured
  int iterations = 60;
};

/// Least squares on log(predicted/measured), robust, then a surface through the residuals where the model
/// has sizes, with K-fold cross-validation of both. Deterministic.
/// InputError at `place`: fewer points than twice the parameters, a time that is not positive and finite,
/// all points alike.
[[nodiscard]] ModelFit fit_model(const FitModel& model, std::span<const Observation> points,
                                 const ModelFitOptions& options, const std::string& place);

/// Predictions of a fit for other points, its surface included.
[[nodiscard]] std::vector<double> predict_all(const FitModel& model, const ModelFit& fit,
                                              std::span<const Observation> points);
/// Quality of a fit on other points.
[[nodiscard]] Quality quality_on(const FitModel& model, const ModelFit& fit,
                                 std::span<const Observation> points);

}  // namespace orrery
