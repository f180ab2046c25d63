#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "calibrate/fit/model_fit.hpp"
#include "calibrate/probe/sample.hpp"
#include "sim/hw/gpu_profile.hpp"

namespace orrery {

/// A kernel beside a communication-like one on `sms` SMs (0: alone), or that one.
struct ContentionPoint {
  Observation what;  ///< sizes and seconds of the kernel
  double sms = 0;
};

/// What samples say without a model: the figure is the measurement.
struct DirectFigures {
  std::optional<double> launch_s;       ///< between two kernels of a stream
  std::optional<double> host_launch_s;  ///< the call, on the host
  /// Rate of the largest copy in the slower direction, where both directions were measured.
  std::optional<double> host_link_bytes_per_s;
  std::optional<double> hbm_bytes_per_s;  ///< largest copy in device memory, read and written bytes
  std::map<std::string, std::vector<ContentionPoint>> contention;  ///< by class, "communication" among them
  std::map<std::string, std::int64_t> unused;                      ///< reason and how many
  std::string source, date;                                        ///< of the first file that has any

  /// Whether a GPU profile can take anything of it.
  [[nodiscard]] bool of_gpu() const { return launch_s || host_launch_s || !contention.empty(); }
};
[[nodiscard]] DirectFigures direct_figures(std::span<const SampleFile> files);

/// Whether samples of a class are for `direct_figures` and not for a model.
[[nodiscard]] bool is_direct(const std::string& op_class);

/// Slow-down of a class beside communication, beyond the SMs that it lost:
///   (t(s) / t(0)) / (curve(S - s) / curve(S))
/// median over all measured s > 0 and sizes, S SMs of the device, curve that of the class in the profile.
/// "communication": beside over alone, median over s. At least 1. Empty: no pair to compare, or no curve.
struct ContentionFactor {
  double slowdown = 1;
  double low = 1, high = 1;  ///< over s
  std::int64_t pairs = 0;
};
[[nodiscard]] std::optional<ContentionFactor> contention_factor(const std::string& op_class,
                                                                std::span<const ContentionPoint> points,
                                                                const GpuProfile& profile);

}  // namespace orrery
