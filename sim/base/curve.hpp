#pragma once

#include <vector>

namespace orrery {

/// Piecewise-linear curve in log-log space through points of strictly growing, positive x and positive y.
/// Below the first and above the last point the end value holds. Evaluated here, fitted elsewhere.
class Curve {
 public:
  Curve() = default;
  /// Points as (x, y); the caller guarantees order and positivity (loaders check and name the place).
  explicit Curve(std::vector<std::vector<double>> points) : points_(std::move(points)) {}

  [[nodiscard]] double at(double x) const;
  [[nodiscard]] bool empty() const { return points_.empty(); }
  [[nodiscard]] const std::vector<std::vector<double>>& points() const { return points_; }

 private:
  std::vector<std::vector<double>> points_;
};

}  // namespace orrery
