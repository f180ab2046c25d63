#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "calibrate/probe/sample.hpp"
#include "sim/hw/gpu_profile.hpp"

/// Predicted against measured, case by case.
namespace orrery {

/// A measured case beside what the profile's curve of its class gives.
struct ComparedCase {
  Case what;
  double predicted_s = 0;
  double measured_s = 0;  ///< median
};

struct Comparison {
  std::vector<ComparedCase> cases;
  std::map<std::string, std::int64_t> left_out;  ///< by reason
};

/// Seconds that `gpu` gives for a case: with burst clocks, or, for a sustained case, those of long runs.
/// Absent, with `reason` set, where it has no curve of the class, or the class no model, or sizes are
/// missing.
[[nodiscard]] std::optional<double> predicted_seconds(const GpuProfile& gpu, const Case& what,
                                                      std::string& reason);

/// Every outcome of `files` that is not in `known` and that the profile predicts.
[[nodiscard]] Comparison compare_with(const GpuProfile& gpu, std::span<const SampleFile> files,
                                      const std::set<Case>& known);

/// Prints the first cases and for each class count, median and 90th percentile of the relative error and its
/// bias; with `by_kernel` the kernels of a class apart.
void print_compared(std::span<const ComparedCase> cases, bool by_kernel, std::ostream& out);
void print_left_out(const std::map<std::string, std::int64_t>& left_out, std::ostream& out);

}  // namespace orrery
