#pragma once

#include <span>
#include <string>
#include <vector>

#include "calibrate/profile/class_fit.hpp"
#include "calibrate/profile/direct_figures.hpp"
#include "sim/hw/gpu_profile.hpp"

namespace orrery {

/// Where the points of a profile came from.
struct SampleSource {
  std::string source;  ///< citation, or the file's name
  std::string date;    ///< YYYY[-MM[-DD]]
  std::string hash;    ///< "crc32 0123abcd" over all files of samples in the order given
};

/// `base` with the curves of the fitted classes in place of its own, in the order of `base`, new ones behind:
///   gemm.*, wgrad.* (fitted)        form gemm-kernel, clocks of long runs from `throttle`
///   attention*                      form attention-kernel; both with the surface of their residuals
///   memory.*                        form bandwidth
///   moe-layer.<p>                   form gemm-kernel as grouped-gemm.<p>
///   power.<p>                       joules per FLOP above the floor and the joules per byte of `base`
/// Weight gradients, grouped products and attention backward that `base` lacks take the curve of their
/// nearest relative, marked assumed. Of `direct`: launch_s, host_launch_s and the list of contention, whose
/// factors rest on the curves of the new profile. Collectives and all-to-all are of a cluster, not of a GPU
/// (build_cluster.hpp), and left out here; `unplaced` names what finds no place. Numbers are rounded to 4
/// digits, so that the same samples give the same bytes.
[[nodiscard]] GpuProfile build_profile(const GpuProfile& base, std::span<const ClassFit> fits,
                                       const DirectFigures& direct, const SampleSource& source,
                                       std::vector<std::string>& unplaced);

/// What a surface through residuals found, for people.
[[nodiscard]] std::string describe(const SurfaceFit& surface);
/// How a fit was made and what its data do not hold, for the note of a curve.
[[nodiscard]] std::string describe(const ClassFit& fit, const SampleSource& source);

/// Seconds that a profile's curve gives for an observation on `sms` SMs (0: all of the GPU); `burst`: the
/// kernel alone, with the clocks of a short run, instead of those of a training step. Negative: the curve's
/// form cannot say.
[[nodiscard]] double curve_seconds(const OperatorCurve& curve, const GpuProfile& gpu, const Observation& o,
                                   bool burst, double sms = 0);

}  // namespace orrery
