#include "sim/hw/shape_correction.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

/// Value at a place given by the node below it and the share of the way to the next on each axis.
double interpolate(const ShapeCorrection& c, std::span<const std::size_t> below,
                   std::span<const double> share) {
  const std::size_t axes = below.size();
  double sum = 0;
  for (std::size_t corner = 0; corner < (std::size_t{1} << axes); ++corner) {
    double weight = 1;
    std::size_t at = 0;
    for (std::size_t i = 0; i < axes; ++i) {
      const bool above = ((corner >> i) & 1U) != 0;
      weight *= above ? share[i] : 1 - share[i];
      const auto nodes = static_cast<std::size_t>(c.nodes[i]);
      at = at * nodes + std::min(below[i] + (above ? 1 : 0), nodes - 1);
    }
    if (weight > 0) sum += weight * c.log_ratio[at];
  }
  return sum;
}

}  // namespace

double ShapeCorrection::factor(std::span<const double> values) const {
  if (empty()) return 1;
  constexpr std::size_t kMostAxes = 3;
  SIM_CHECK(values.size() == nodes.size() && values.size() <= kMostAxes,
            "a value for each axis of a correction");
  std::size_t below[kMostAxes] = {};
  double share[kMostAxes] = {};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double last = static_cast<double>(nodes[i] - 1);
    const double place = std::clamp((std::log2(values[i]) - log2_first[i]) / log2_step[i], 0.0, last);
    below[i] = static_cast<std::size_t>(place);
    share[i] = place - static_cast<double>(below[i]);
  }
  return std::exp(interpolate(*this, {below, values.size()}, {share, values.size()}));
}

}  // namespace orrery
