#pragma once

#include <span>
#include <string>
#include <vector>

#include "calibrate/profile/build_profile.hpp"
#include "calibrate/profile/class_fit.hpp"

namespace orrery {

/// Whether a class has too few points for its model but enough to scale the curve of a relative: products and
/// attention, bursts, at least 2 points.
[[nodiscard]] bool is_sparse(const ClassPoints& data, const GpuProfile& gpu);

/// Scales the curves that `profile` has for the classes by the median of measured over predicted time; what a
/// profile derives from a nearest relative so meets the measured level, not the measured shape. Errors are
/// of every point against the median of the others. `unplaced` names a class without a curve, and one whose
/// 90th percentile of the error is above 30 %: its relative says nothing about it.
void scale_sparse(GpuProfile& profile, std::span<const ClassPoints> classes, const SampleSource& source,
                  std::vector<std::string>& unplaced);

}  // namespace orrery
