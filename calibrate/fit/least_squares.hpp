#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace orrery {

/// Answer of a linear fit y = A x.
struct LinearFit {
  std::vector<double> x;
  std::vector<double> standard_error;  ///< of each coefficient; 0 where it was held at its bound
  std::size_t rank = 0;                ///< of A; below x.size() the coefficients are not determined
  double residual = 0;                 ///< root mean square of A x - y
};

/// Ordinary least squares by QR with column pivoting. `a` is row-major, a.size() == y.size() * columns.
/// Standard errors from s^2 (A^T A)^-1, s^2 = |A x - y|^2 / (rows - columns).
/// InputError naming `place` with fewer rows than columns or a rank below the number of columns.
[[nodiscard]] LinearFit solve_least_squares(std::span<const double> a, std::span<const double> y,
                                            std::size_t columns, const std::string& place);

/// min |A x - y| with x >= 0: active-set method of Lawson and Hanson, "Solving Least Squares Problems",
/// chapter 23. Columns are scaled to length 1 first, so units do not matter. Same errors as above but for
/// the rank: a column that depends on others gets 0.
[[nodiscard]] LinearFit solve_nonnegative(std::span<const double> a, std::span<const double> y,
                                          std::size_t columns, const std::string& place);

}  // namespace orrery
