#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace orrery {

/// How far predictions are from what was measured: of the relative errors predicted/measured - 1.
struct Quality {
  std::size_t points = 0;
  double median = 0;  ///< of the absolute relative error
  double p90 = 0;     ///< 90th percentile of the absolute relative error
  double bias = 0;    ///< median of the signed relative error
};

/// `measured` > 0, same length as `predicted`; all zero without points.
[[nodiscard]] Quality quality_of(std::span<const double> predicted, std::span<const double> measured);

/// Quantile `q` in [0, 1] with linear interpolation between order statistics; `values` not empty.
[[nodiscard]] double quantile(std::vector<double> values, double q);

/// A random order of 0..count-1, the same for the same seed on every machine (Fisher-Yates over splitmix64).
[[nodiscard]] std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed);

/// For every point the fold (0..folds-1) in which it is held out; folds are of equal size up to one point.
[[nodiscard]] std::vector<std::size_t> fold_of_points(std::size_t count, std::size_t folds,
                                                      std::uint64_t seed);

}  // namespace orrery
