#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace orrery {

/// Why a non-linear fit ended.
enum class FitStop {
  kConverged,      ///< the last step changed every parameter by less than `step_tolerance`
  kNoImprovement,  ///< the last accepted step lowered the cost by less than `cost_tolerance` of it
  kFlat,           ///< no direction lowers the cost
  kStuck,          ///< damping reached its limit without an acceptable step
  kIterations,     ///< `iterations` used up
  kNotFinite,      ///< the function is not finite at the start
};
[[nodiscard]] const char* to_text(FitStop stop);

struct FitOptions {
  int iterations = 60;
  double step_tolerance = 1e-6;
  double cost_tolerance = 1e-7;
  /// Scale of the loss rho(r) = 2 c^2 (sqrt(1 + (r/c)^2) - 1): quadratic below c, linear above, so single
  /// bad points cannot pull the fit. 0: plain squares.
  double robust_scale = 0;
};

struct NonlinearFit {
  std::vector<double> x;
  std::vector<double>
      standard_error;  ///< from the Jacobian at x; 0 for parameters at a bound or without effect
  double cost = 0;     ///< half the sum of rho
  int iterations = 0;
  FitStop stop = FitStop::kIterations;
};

/// Writes the residuals for parameters `x`; their number is fixed.
using Residuals = std::function<void(std::span<const double> x, std::span<double> out)>;

/// Levenberg-Marquardt with Marquardt's scaling (Marquardt 1963; damping rule of Nielsen, IMM-REP-1999-05),
/// central differences, parameters kept inside [low, high] by projection. Deterministic: no random start.
/// Residuals that are not finite count as a step to be refused.
/// InputError at `place` with fewer residuals than parameters.
[[nodiscard]] NonlinearFit fit_nonlinear(const Residuals& residuals, std::size_t count,
                                         std::span<const double> start, std::span<const double> low,
                                         std::span<const double> high, const FitOptions& options,
                                         const std::string& place);

}  // namespace orrery
