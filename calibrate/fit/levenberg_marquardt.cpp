#include "calibrate/fit/levenberg_marquardt.hpp"

#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

constexpr double kLargestDamping = 1e16;

std::span<const double> view(const Vector& v) {
  return {v.data(), static_cast<std::size_t>(v.size())};
}

/// Half of rho summed; infinity where a residual is not finite.
double cost_of(const Vector& r, double scale) {
  double sum = 0;
  for (Eigen::Index i = 0; i < r.size(); ++i) {
    if (!std::isfinite(r(i))) return std::numeric_limits<double>::infinity();
    const double t = scale > 0 ? r(i) / scale : 0;
    sum += scale > 0 ? 2 * scale * scale * (std::sqrt(1 + t * t) - 1) : r(i) * r(i);
  }
  return sum / 2;
}

struct Problem {
  const Residuals& residuals;
  Eigen::Index count;
  Vector low, high;

  Vector at(const Vector& x) const {
    Vector r(count);
    residuals(view(x), {r.data(), static_cast<std::size_t>(count)});
    return r;
  }
  Vector inside(Vector x) const { return x.cwiseMax(low).cwiseMin(high); }

  /// Central differences, one-sided at a bound. Entries that are not finite become 0.
  Matrix jacobian(const Vector& x) const {
    Matrix j(count, x.size());
    for (Eigen::Index p = 0; p < x.size(); ++p) {
      const double h = 1e-5 * std::max(1.0, std::abs(x(p)));
      Vector up = x, down = x;
      up(p) = std::min(x(p) + h, high(p));
      down(p) = std::max(x(p) - h, low(p));
      const double width = up(p) - down(p);
      if (!(width > 0)) {
        j.col(p).setZero();
        continue;
      }
      j.col(p) = (at(up) - at(down)) / width;
      for (Eigen::Index i = 0; i < count; ++i)
        if (!std::isfinite(j(i, p))) j(i, p) = 0;
    }
    return j;
  }
};

/// Weights sqrt(rho'(r)) turn the robust problem into least squares at the present point.
void weigh(Matrix& j, Vector& r, double scale) {
  if (!(scale > 0)) return;
  for (Eigen::Index i = 0; i < r.size(); ++i) {
    const double t = r(i) / scale;
    const double w = std::pow(1 + t * t, -0.25);
    j.row(i) *= w;
    r(i) *= w;
  }
}

std::vector<double> standard_errors(const Matrix& normal, double cost, Eigen::Index count) {
  std::vector<double> out(static_cast<std::size_t>(normal.rows()), 0.0);
  const Eigen::Index spare = count - normal.rows();
  if (spare <= 0) return out;
  Matrix regular = normal;
  for (Eigen::Index p = 0; p < normal.rows(); ++p)
    if (!(normal(p, p) > 0)) regular(p, p) = 1;
  const Matrix inverse = regular.ldlt().solve(Matrix::Identity(normal.rows(), normal.cols()));
  const double variance = 2 * cost / static_cast<double>(spare);
  for (Eigen::Index p = 0; p < normal.rows(); ++p) {
    const double v = variance * inverse(p, p);
    if (normal(p, p) > 0 && std::isfinite(v) && v > 0) out[static_cast<std::size_t>(p)] = std::sqrt(v);
  }
  return out;
}

}  // namespace

const char* to_text(FitStop stop) {
  switch (stop) {
    case FitStop::kConverged: return "converged";
    case FitStop::kNoImprovement: return "no further improvement";
    case FitStop::kFlat: return "flat";
    case FitStop::kStuck: return "no acceptable step";
    case FitStop::kIterations: return "iterations used up";
    case FitStop::kNotFinite: return "not finite at the start";
  }
  return "";
}

NonlinearFit fit_nonlinear(const Residuals& residuals, std::size_t count, std::span<const double> start,
                           std::span<const double> low, std::span<const double> high,
                           const FitOptions& options, const std::string& place) {
  const auto n = static_cast<Eigen::Index>(start.size());
  SIM_CHECK(n > 0 && low.size() == start.size() && high.size() == start.size(), "bounds of a fit");
  if (count < start.size())
    throw InputError(place, fmt::format("found {} points, expected at least {} for as many parameters", count,
                                        start.size()));
  const Problem problem{.residuals = residuals,
                        .count = static_cast<Eigen::Index>(count),
                        .low = Eigen::Map<const Vector>(low.data(), n),
                        .high = Eigen::Map<const Vector>(high.data(), n)};
  Vector x = problem.inside(Eigen::Map<const Vector>(start.data(), n));
  Vector r = problem.at(x);
  double cost = cost_of(r, options.robust_scale);
  NonlinearFit fit;
  const auto give = [&](FitStop stop) {
    fit.stop = stop;
    fit.cost = cost;
    fit.x.assign(x.data(), x.data() + n);
    return fit;
  };
  if (!std::isfinite(cost)) {
    fit.standard_error.assign(start.size(), 0.0);
    return give(FitStop::kNotFinite);
  }
  Matrix normal;
  double damping = 1e-3, growth = 2;
  FitStop stop = FitStop::kIterations;
  for (fit.iterations = 0; fit.iterations < options.iterations; ++fit.iterations) {
    Matrix j = problem.jacobian(x);
    Vector weighted = r;
    weigh(j, weighted, options.robust_scale);
    normal = j.transpose() * j;
    const Vector gradient = j.transpose() * weighted;
    // A parameter at its bound whose gradient pushes outwards does not move.
    std::vector<bool> held(static_cast<std::size_t>(n), false);
    double steepest = 0;
    for (Eigen::Index p = 0; p < n; ++p) {
      held[static_cast<std::size_t>(p)] = (x(p) <= problem.low(p) && gradient(p) > 0) ||
                                          (x(p) >= problem.high(p) && gradient(p) < 0) || !(normal(p, p) > 0);
      if (!held[static_cast<std::size_t>(p)]) steepest = std::max(steepest, std::abs(gradient(p)));
    }
    if (steepest < 1e-12) {
      stop = FitStop::kFlat;
      break;
    }
    bool accepted = false, small = false;
    double gain = 0;
    while (damping < kLargestDamping) {
      Matrix system = normal;
      Vector right = -gradient;
      for (Eigen::Index p = 0; p < n; ++p) {
        system(p, p) += damping * std::max(normal(p, p), 1e-12);
        if (!held[static_cast<std::size_t>(p)]) continue;
        system.row(p).setZero();
        system.col(p).setZero();
        system(p, p) = 1;
        right(p) = 0;
      }
      const Vector next = problem.inside(x + system.ldlt().solve(right));
      const Vector step = next - x;
      small = (step.array().abs() <= options.step_tolerance * (1 + x.array().abs())).all();
      const Vector tried = problem.at(next);
      const double tried_cost =
          next.allFinite() ? cost_of(tried, options.robust_scale) : std::numeric_limits<double>::infinity();
      if (tried_cost < cost) {
        gain = (cost - tried_cost) / cost;
        x = next;
        r = tried;
        cost = tried_cost;
        damping = std::max(1e-12, damping / 3);
        growth = 2;
        accepted = true;
        break;
      }
      damping *= growth;
      growth *= 2;
      if (small) break;
    }
    if (small) {
      stop = FitStop::kConverged;
      break;
    }
    if (!accepted) {
      stop = FitStop::kStuck;
      break;
    }
    if (gain < options.cost_tolerance) {
      stop = FitStop::kNoImprovement;
      break;
    }
  }
  Matrix j = problem.jacobian(x);
  Vector weighted = r;
  weigh(j, weighted, options.robust_scale);
  fit.standard_error = standard_errors(j.transpose() * j, weighted.squaredNorm() / 2, problem.count);
  return give(stop);
}

}  // namespace orrery
