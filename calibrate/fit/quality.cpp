#include "calibrate/fit/quality.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

/// Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators".
std::uint64_t splitmix(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15ULL;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

}  // namespace

double quantile(std::vector<double> values, double q) {
  SIM_CHECK(!values.empty() && q >= 0 && q <= 1, "quantile of nothing");
  std::sort(values.begin(), values.end());
  const double place = q * static_cast<double>(values.size() - 1);
  const auto low = static_cast<std::size_t>(std::floor(place));
  const std::size_t high = std::min(low + 1, values.size() - 1);
  return values[low] + (place - static_cast<double>(low)) * (values[high] - values[low]);
}

Quality quality_of(std::span<const double> predicted, std::span<const double> measured) {
  SIM_CHECK(predicted.size() == measured.size(), "a prediction for every measurement");
  Quality q{.points = measured.size()};
  if (measured.empty()) return q;
  std::vector<double> error(measured.size()), size(measured.size());
  for (std::size_t i = 0; i < measured.size(); ++i) {
    error[i] = predicted[i] / measured[i] - 1;
    size[i] = std::abs(error[i]);
  }
  q.median = quantile(size, 0.5);
  q.p90 = quantile(size, 0.9);
  q.bias = quantile(error, 0.5);
  return q;
}

std::vector<std::size_t> shuffled(std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::uint64_t state = seed;
  for (std::size_t i = count; i > 1; --i) std::swap(order[i - 1], order[splitmix(state) % i]);
  return order;
}

std::vector<std::size_t> fold_of_points(std::size_t count, std::size_t folds, std::uint64_t seed) {
  SIM_CHECK(folds >= 2, "folds of a cross-validation");
  const std::vector<std::size_t> order = shuffled(count, seed);
  std::vector<std::size_t> fold(count);
  for (std::size_t i = 0; i < count; ++i) fold[order[i]] = i % folds;
  return fold;
}

}  // namespace orrery
