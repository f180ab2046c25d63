#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/hw/shape_correction.hpp"

namespace orrery {

/// A measured point beside a fitted model.
struct Residual {
  std::vector<double> sizes;  ///< all > 0, one for each axis
  double log_ratio = 0;       ///< natural logarithm of measured / predicted
};

/// How a surface was found.
struct SurfaceFit {
  ShapeCorrection correction = {};   ///< empty: the points show none
  std::vector<double> octaves = {};  ///< correlation length on each axis
  double spread = 0;                 ///< standard deviation of the surface, natural logarithm
  double noise = 0;                  ///< the same of what it does not follow
};

struct SurfaceOptions {
  double clip = 0.25;  ///< residuals beyond count as this, natural logarithm
  std::uint64_t seed = 1;
};

/// A smooth surface through residuals: Gaussian-process regression (Rasmussen and Williams 2006, chapters 2
/// and 5) with mean 0 and covariance spread^2 (1 + sqrt(3) r) exp(-sqrt(3) r), r the distance in
/// correlation lengths on log2 of the sizes, plus noise^2 at each point. Lengths (1 to 8 octaves, shorter
/// ones the grid would not show) and noise are those of the largest marginal likelihood, on at most 600
/// points drawn by `seed`. No surface where its likelihood on all points does not beat that of noise alone by
/// the Bayesian information criterion. The surface is evaluated on a grid of 1 to 2 octaves, finer where
/// lengths are short, and rounded to 0.001. Deterministic.
[[nodiscard]] SurfaceFit fit_surface(std::span<const Residual> points, const std::vector<std::string>& sizes,
                                     const SurfaceOptions& options = {});

}  // namespace orrery
