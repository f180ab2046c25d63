#include "calibrate/fit/residual_surface.hpp"

#include <Eigen/Dense>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "calibrate/fit/quality.hpp"
#include "sim/base/check.hpp"

namespace orrery {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr std::size_t kLikelihoodPoints = 600;  ///< the likelihood costs the cube of their number
constexpr double kFinest = 1, kCoarsest = 2;    ///< steps of the grid, octaves
constexpr double kStepsPerLength = 1.4;
constexpr double kRounding = 1000;  ///< steps of one in the logarithm

constexpr std::array<double, 7> kOctaves{1, 1.4, 2, 2.8, 4, 5.6, 8};
/// Noise over spread.
constexpr std::array<double, 8> kNoise{0.2, 0.3, 0.45, 0.7, 1, 1.5, 2.2, 3.3};

/// Places in `kOctaves` for each axis and, last, in `kNoise`.
using Choice = std::vector<std::size_t>;

std::vector<double> lengths_of(const Choice& choice) {
  std::vector<double> out;
  for (std::size_t i = 0; i + 1 < choice.size(); ++i) out.push_back(kOctaves[choice[i]]);
  return out;
}
double noise_of(const Choice& choice) {
  return kNoise[choice.back()];
}

/// Rows: points; columns: log2 of sizes.
MatrixXd covariance(const MatrixXd& a, const MatrixXd& b, const std::vector<double>& lengths) {
  MatrixXd square = MatrixXd::Zero(a.rows(), b.rows());
  for (Eigen::Index i = 0; i < a.cols(); ++i) {
    const double length = lengths[static_cast<std::size_t>(i)];
    square.array() +=
        (((-b.col(i).transpose()).replicate(a.rows(), 1).colwise() + a.col(i)) / length).array().square();
  }
  const Eigen::ArrayXXd r = (3 * square.array()).sqrt();
  return (1 + r) * (-r).exp();
}

struct Likelihood {
  double log = 0;       ///< less what all choices share
  double variance = 0;  ///< spread^2 that goes with it
};

Likelihood likelihood(const MatrixXd& x, const VectorXd& y, const Choice& choice) {
  MatrixXd k = covariance(x, x, lengths_of(choice));
  k.diagonal().array() += noise_of(choice) * noise_of(choice);
  const Eigen::LLT<MatrixXd> factor(k);
  SIM_CHECK(factor.info() == Eigen::Success, "a covariance is positive definite");
  const auto n = static_cast<double>(y.size());
  const double variance = y.dot(factor.solve(y)) / n;
  const double half_determinant = factor.matrixLLT().diagonal().array().log().sum();
  return {.log = -n / 2 * std::log(variance) - half_determinant, .variance = variance};
}

struct Best {
  Choice choice;
  Likelihood value;
};

/// One place at a time, up or down, as long as the likelihood grows.
Choice climb(const MatrixXd& x, const VectorXd& y) {
  Best best{.choice = Choice(static_cast<std::size_t>(x.cols()), 2), .value = {}};
  best.choice.push_back(4);
  best.value = likelihood(x, y, best.choice);
  for (bool moved = true; moved;) {
    moved = false;
    for (std::size_t axis = 0; axis < best.choice.size(); ++axis) {
      const std::size_t most = (axis + 1 < best.choice.size() ? kOctaves.size() : kNoise.size()) - 1;
      for (const int step : {-1, 1}) {
        if (best.choice[axis] == (step < 0 ? 0 : most)) continue;
        Choice next = best.choice;
        next[axis] = step < 0 ? next[axis] - 1 : next[axis] + 1;
        const Likelihood value = likelihood(x, y, next);
        if (!(value.log > best.value.log)) continue;
        best = {.choice = std::move(next), .value = value};
        moved = true;
        break;
      }
    }
  }
  return best.choice;
}

/// Weights of the points in the surface. A library that falls back to a slow kernel now and then makes
/// residuals lopsided: a point that the surface misses by more than the noise counts as one of larger noise,
/// in a few rounds, as Huber's weights do.
VectorXd robust_weights(const MatrixXd& covariance, const VectorXd& y, double noise, double spread) {
  constexpr int kRounds = 5;
  Eigen::ArrayXd variance = Eigen::ArrayXd::Constant(y.size(), noise * noise);
  VectorXd weights;
  for (int round = 0; round < kRounds; ++round) {
    MatrixXd k = covariance;
    k.diagonal().array() += variance;
    weights = k.llt().solve(y);
    const Eigen::ArrayXd missed = (variance * weights.array()).abs() / (noise * spread);
    variance = noise * noise * missed.max(1.0);
  }
  return weights;
}

/// Axes that hold all points, without values.
ShapeCorrection grid_over(const MatrixXd& x, const std::vector<double>& lengths,
                          const std::vector<std::string>& sizes) {
  ShapeCorrection grid{.sizes = sizes};
  for (Eigen::Index i = 0; i < x.cols(); ++i) {
    const double first = std::floor(x.col(i).minCoeff()), span = x.col(i).maxCoeff() - first;
    const double step =
        std::clamp(lengths[static_cast<std::size_t>(i)] / kStepsPerLength, kFinest, kCoarsest);
    grid.log2_first.push_back(first);
    grid.log2_step.push_back(std::round(step * 10) / 10);
    grid.nodes.push_back(1 + static_cast<std::int64_t>(std::ceil(span / grid.log2_step.back())));
  }
  return grid;
}

/// Rows: nodes of the grid, the last axis running fastest.
MatrixXd nodes_of(const ShapeCorrection& grid) {
  std::int64_t count = 1;
  for (const std::int64_t n : grid.nodes) count *= n;
  MatrixXd out(count, static_cast<Eigen::Index>(grid.nodes.size()));
  for (std::int64_t row = 0; row < count; ++row) {
    std::int64_t rest = row;
    for (std::size_t i = grid.nodes.size(); i-- > 0; rest /= grid.nodes[i])
      out(row, static_cast<Eigen::Index>(i)) =
          grid.log2_first[i] + grid.log2_step[i] * static_cast<double>(rest % grid.nodes[i]);
  }
  return out;
}

}  // namespace

SurfaceFit fit_surface(std::span<const Residual> points, const std::vector<std::string>& sizes,
                       const SurfaceOptions& options) {
  const auto count = static_cast<Eigen::Index>(points.size());
  const auto axes = static_cast<Eigen::Index>(sizes.size());
  SIM_CHECK(axes >= 1, "a surface has axes");
  MatrixXd x(count, axes);
  VectorXd y(count);
  for (Eigen::Index i = 0; i < count; ++i) {
    const Residual& point = points[static_cast<std::size_t>(i)];
    for (Eigen::Index j = 0; j < axes; ++j) x(i, j) = std::log2(point.sizes[static_cast<std::size_t>(j)]);
    y(i) = std::clamp(point.log_ratio, -options.clip, options.clip);
  }
  if (count < 2 * (axes + 2) || !(y.squaredNorm() > 0)) return {};

  const std::size_t shown = std::min(points.size(), kLikelihoodPoints);
  MatrixXd some(static_cast<Eigen::Index>(shown), axes);
  VectorXd of_some(static_cast<Eigen::Index>(shown));
  const std::vector<std::size_t> order = shuffled(points.size(), options.seed);
  for (std::size_t i = 0; i < shown; ++i) {
    some.row(static_cast<Eigen::Index>(i)) = x.row(static_cast<Eigen::Index>(order[i]));
    of_some(static_cast<Eigen::Index>(i)) = y(static_cast<Eigen::Index>(order[i]));
  }
  const Choice choice = climb(some, of_some);
  const Likelihood found = likelihood(x, y, choice);
  const auto n = static_cast<double>(count);
  const double noise_alone = -n / 2 * std::log(y.squaredNorm() / n);
  // A surface has its lengths and the share of noise besides the one scale that both have.
  if (found.log - noise_alone < static_cast<double>(axes + 1) / 2 * std::log(n)) return {};

  const std::vector<double> lengths = lengths_of(choice);
  const double noise = noise_of(choice);
  const VectorXd weights = robust_weights(covariance(x, x, lengths), y, noise, std::sqrt(found.variance));
  SurfaceFit fit{.correction = grid_over(x, lengths, sizes), .octaves = lengths};
  const VectorXd values = covariance(nodes_of(fit.correction), x, lengths) * weights;
  for (const double value : values)
    fit.correction.log_ratio.push_back(std::round(value * kRounding) / kRounding + 0.0);  // no -0
  fit.spread = std::sqrt(found.variance);
  fit.noise = noise * fit.spread;
  return fit;
}

}  // namespace orrery
