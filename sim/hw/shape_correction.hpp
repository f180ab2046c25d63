#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace orrery {

/// What the equations of a curve miss, by the sizes of a kernel: the natural logarithm of measured over
/// computed seconds on a grid over log2 of the sizes, linear between nodes, the edge's value outside. Found
/// by calibrate/fit/residual_surface.hpp; it holds for the kernels that were measured, not for relatives.
struct ShapeCorrection {
  std::vector<std::string> sizes = {};   ///< what the axes are, e.g. m, n, k; empty: no correction
  std::vector<double> log2_first = {};   ///< first node of each axis
  std::vector<double> log2_step = {};    ///< between nodes of each axis, > 0
  std::vector<std::int64_t> nodes = {};  ///< of each axis, >= 1
  std::vector<double> log_ratio = {};    ///< of all nodes, the last axis running fastest

  [[nodiscard]] bool empty() const { return log_ratio.empty(); }
  /// Factor on the seconds of a kernel of these sizes (in the order of `sizes`, all > 0); 1 where empty.
  [[nodiscard]] double factor(std::span<const double> values) const;
};

/// Sizes of the forms that can have a correction.
inline const std::vector<std::string> kProductSizes{"m", "n", "k"};
inline const std::vector<std::string> kAttentionSizes{"heads", "sequence"};  ///< heads: batch x heads

}  // namespace orrery
