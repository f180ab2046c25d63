#pragma once

#include <iosfwd>
#include <string>

#include "calibrate/layer/layer_kernels.hpp"
#include "calibrate/measure.hpp"

namespace orrery {

struct LayerCheckOptions {
  std::string profile;
  std::string model = "deepseek-v3";    ///< a name or path, as sim/model/zoo.hpp takes it
  std::string precision = "fp8-block";  ///< of the linear layers: bf16, fp8-block or fp8-tensor
  LayerOptions layer = {};              ///< `layer.precision` follows from the text above
};

/// Error of the layer's time that is aimed at.
inline constexpr double kLayerTarget = 0.07;

/// `check --layer`: one layer forward and backward as one sequence of the probe's kernels, timed back to back
/// for seconds as a whole, beside the sum that the simulator gives for the same kernels.
///
/// First every kernel is measured alone (budget, isolation and journal as in `measure`), of several that can
/// serve the fastest counts; then the sequence, in a process of its own. What none can serve is left out of
/// both sums and named. The sequence's time becomes a row of class `layer` in measure.output. Prints a row
/// for each kernel and the totals. Exit code 5 when a kernel or the sequence could not be measured.
/// InputError as in `measure`, and when the profile lacks a class.
[[nodiscard]] int run_layer_check(const LayerCheckOptions& options, const MeasureOptions& measure,
                                  const ProbeFactory& factory, std::ostream& out, std::ostream& progress);

}  // namespace orrery
