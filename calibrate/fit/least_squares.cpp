#include "calibrate/fit/least_squares.hpp"

#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <Eigen/QR>
#include <cmath>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;

Matrix as_matrix(std::span<const double> a, std::size_t rows, std::size_t columns) {
  Matrix m(rows, columns);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < columns; ++j)
      m(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = a[i * columns + j];
  return m;
}

void check(std::span<const double> a, std::span<const double> y, std::size_t columns,
           const std::string& place) {
  SIM_CHECK(columns > 0 && a.size() == y.size() * columns, "shape of a linear system");
  if (y.size() < columns)
    throw InputError(place, fmt::format("found {} points, expected at least {} for as many coefficients",
                                        y.size(), columns));
  for (const double v : a)
    if (!std::isfinite(v)) throw InputError(place, "a point is not a finite number");
  for (const double v : y)
    if (!std::isfinite(v)) throw InputError(place, "a point is not a finite number");
}

/// Residual and standard errors of the columns in `used`.
void finish(const Matrix& a, const Vector& y, const std::vector<Eigen::Index>& used, const Vector& x,
            LinearFit& fit) {
  const Vector residual = a * x - y;
  fit.residual = std::sqrt(residual.squaredNorm() / static_cast<double>(y.size()));
  fit.x.assign(x.data(), x.data() + x.size());
  fit.standard_error.assign(static_cast<std::size_t>(x.size()), 0.0);
  const Eigen::Index spare = y.size() - static_cast<Eigen::Index>(used.size());
  if (spare <= 0 || used.empty()) return;
  Matrix part(a.rows(), static_cast<Eigen::Index>(used.size()));
  for (std::size_t j = 0; j < used.size(); ++j) part.col(static_cast<Eigen::Index>(j)) = a.col(used[j]);
  const Matrix normal = part.transpose() * part;
  const Matrix inverse = normal.ldlt().solve(Matrix::Identity(normal.rows(), normal.cols()));
  const double variance = residual.squaredNorm() / static_cast<double>(spare);
  for (std::size_t j = 0; j < used.size(); ++j) {
    const auto index = static_cast<Eigen::Index>(j);
    fit.standard_error[static_cast<std::size_t>(used[j])] =
        std::sqrt(std::max(0.0, variance * inverse(index, index)));
  }
}

/// Least squares over the columns in `used`; the others stay 0.
Vector solve_subset(const Matrix& a, const Vector& y, const std::vector<Eigen::Index>& used) {
  Matrix part(a.rows(), static_cast<Eigen::Index>(used.size()));
  for (std::size_t j = 0; j < used.size(); ++j) part.col(static_cast<Eigen::Index>(j)) = a.col(used[j]);
  const Vector z = part.colPivHouseholderQr().solve(y);
  Vector x = Vector::Zero(a.cols());
  for (std::size_t j = 0; j < used.size(); ++j) x(used[j]) = z(static_cast<Eigen::Index>(j));
  return x;
}

/// Lawson and Hanson on columns of length 1.
Vector active_set(const Matrix& a, const Vector& y) {
  const Eigen::Index n = a.cols();
  Vector x = Vector::Zero(n);
  std::vector<bool> free(static_cast<std::size_t>(n), false);
  const double tolerance = 1e-12 * std::max(1.0, y.norm());
  const auto used = [&] {
    std::vector<Eigen::Index> list;
    for (Eigen::Index j = 0; j < n; ++j)
      if (free[static_cast<std::size_t>(j)]) list.push_back(j);
    return list;
  };
  for (Eigen::Index round = 0; round < 10 * n + 10; ++round) {
    const Vector gradient = a.transpose() * (y - a * x);
    Eigen::Index best = -1;
    for (Eigen::Index j = 0; j < n; ++j) {
      if (free[static_cast<std::size_t>(j)] || gradient(j) <= tolerance) continue;
      if (best < 0 || gradient(j) > gradient(best)) best = j;
    }
    if (best < 0) break;
    free[static_cast<std::size_t>(best)] = true;
    for (Eigen::Index inner = 0; inner <= n; ++inner) {
      const std::vector<Eigen::Index> list = used();
      const Vector z = solve_subset(a, y, list);
      double step = 1;
      for (const Eigen::Index j : list)
        if (z(j) <= 0) step = std::min(step, x(j) / (x(j) - z(j)));
      if (step >= 1) {
        x = z;
        break;
      }
      x += step * (z - x);
      for (const Eigen::Index j : list)
        if (x(j) <= tolerance || z(j) <= 0) {
          if (x(j) > tolerance) continue;
          x(j) = 0;
          free[static_cast<std::size_t>(j)] = false;
        }
    }
  }
  return x;
}

}  // namespace

LinearFit solve_least_squares(std::span<const double> a, std::span<const double> y, std::size_t columns,
                              const std::string& place) {
  check(a, y, columns, place);
  const Matrix matrix = as_matrix(a, y.size(), columns);
  const Vector right = Eigen::Map<const Vector>(y.data(), static_cast<Eigen::Index>(y.size()));
  Vector scale = matrix.colwise().norm().transpose();
  for (Eigen::Index j = 0; j < scale.size(); ++j)
    if (!(scale(j) > 0)) scale(j) = 1;
  const Matrix scaled = matrix * scale.cwiseInverse().asDiagonal();
  const auto qr = scaled.colPivHouseholderQr();
  LinearFit fit;
  fit.rank = static_cast<std::size_t>(qr.rank());
  if (fit.rank < columns)
    throw InputError(place, fmt::format("the points determine {} of {} coefficients: too many of them are "
                                        "alike; add points of other sizes",
                                        fit.rank, columns));
  const Vector x = scale.cwiseInverse().asDiagonal() * qr.solve(right);
  std::vector<Eigen::Index> used;
  for (Eigen::Index j = 0; j < x.size(); ++j) used.push_back(j);
  finish(matrix, right, used, x, fit);
  return fit;
}

LinearFit solve_nonnegative(std::span<const double> a, std::span<const double> y, std::size_t columns,
                            const std::string& place) {
  check(a, y, columns, place);
  const Matrix matrix = as_matrix(a, y.size(), columns);
  const Vector right = Eigen::Map<const Vector>(y.data(), static_cast<Eigen::Index>(y.size()));
  Vector scale = matrix.colwise().norm().transpose();
  for (Eigen::Index j = 0; j < scale.size(); ++j)
    if (!(scale(j) > 0)) scale(j) = 1;
  const Matrix scaled = matrix * scale.cwiseInverse().asDiagonal();
  const Vector x = scale.cwiseInverse().asDiagonal() * active_set(scaled, right);
  LinearFit fit;
  std::vector<Eigen::Index> used;
  for (Eigen::Index j = 0; j < x.size(); ++j)
    if (x(j) > 0) used.push_back(j);
  fit.rank = used.size();
  finish(matrix, right, used, x, fit);
  return fit;
}

}  // namespace orrery
