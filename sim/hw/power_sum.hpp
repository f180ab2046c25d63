#pragma once

#include <algorithm>
#include <cmath>

namespace orrery {

/// (a^p + b^p)^(1/p) of two numbers of at least 0: their sum for p = 1, the larger for p without limit. Grows
/// with a and b.
[[nodiscard]] inline double power_sum(double a, double b, double p) {
  const double large = std::max(a, b);
  if (!(large > 0)) return 0;
  return large * std::pow(1 + std::pow(std::min(a, b) / large, p), 1 / p);
}

}  // namespace orrery
