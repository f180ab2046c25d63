#include "sim/base/curve.hpp"

#include <cmath>

#include "sim/base/check.hpp"

namespace orrery {

double Curve::at(double x) const {
  SIM_CHECK(!points_.empty(), "curve without points");
  if (x <= points_.front()[0]) return points_.front()[1];
  if (x >= points_.back()[0]) return points_.back()[1];
  std::size_t i = 1;
  while (points_[i][0] < x) ++i;
  const double x0 = points_[i - 1][0];
  const double x1 = points_[i][0];
  const double t = std::log(x / x0) / std::log(x1 / x0);
  return points_[i - 1][1] * std::pow(points_[i][1] / points_[i - 1][1], t);
}

}  // namespace orrery
