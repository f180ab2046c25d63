#pragma once

#include <cstdint>
#include <vector>

#include "planner/sweep/sweep_spec.hpp"

namespace orrery {

/// The items of a sweep, numbered from 0: the whole grid with the last axis changing fastest, or a random
/// sample.
///
/// A sample of a grid draws without repetition. With an interval among the axes every axis is drawn for
/// itself: a list evenly, an interval evenly or, where its scale is log, in its logarithm; drawn numbers have
/// six significant digits. Draws depend on seed, item and axis alone, so a longer sample of intervals begins
/// like the shorter one.
class SweepPoints {
 public:
  /// InputError when the grid has more than 10 million items, or fewer than a sample asks for.
  explicit SweepPoints(const SweepSpec& spec);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// Items of the grid before sampling; 0 where intervals make it endless.
  [[nodiscard]] std::uint64_t grid() const { return grid_; }
  /// Base overrides of the command line, then the values of item `item`.
  [[nodiscard]] std::vector<Override> overrides(std::uint64_t item) const;

 private:
  [[nodiscard]] std::vector<std::string> drawn(std::uint64_t item, std::size_t axis) const;

  const SweepSpec& spec_;
  std::uint64_t grid_ = 0;
  std::uint64_t count_ = 0;
  std::vector<std::uint64_t> chosen_;  ///< grid numbers of a sample, in the order drawn
};

}  // namespace orrery
