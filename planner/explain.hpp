#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/report/metrics.hpp"
#include "sim/scenario.hpp"

namespace orrery {

/// One bar on the way from ideal compute to the time a step takes in the real run.
struct WaterfallBar {
  std::string key;    ///< "ideal_compute", "exposed_ep", ...
  std::string label;  ///< for people
  double seconds = 0;
};

/// The slowest rank's step by cause; the bars sum to `total_s`. The first is its FLOPs at the dense peak of
/// their precision (without such a peak it is part of "compute"), the last what failures, checkpoints and
/// slow nodes add to every step, where the goodput is known.
struct StepWaterfall {
  std::vector<WaterfallBar> bars;
  double step_s = 0;   ///< without failures
  double total_s = 0;  ///< with them
  bool has_failures = false;
};
[[nodiscard]] StepWaterfall step_waterfall(const Metrics& metrics);

/// A change of one key of the scenario and what simulating it gave.
struct Lever {
  std::string key, value;  ///< "layout.schedule", "auto"
  std::string words;       ///< "another schedule (zb-v)"
  bool changes_training = false;
  double step_s = 0;
  double gain = 0;  ///< relative: tokens/s of the change over those of the scenario, less 1
};

/// Changes worth trying against the two largest losses, each simulated; feasible ones, best first. At most
/// six runs.
[[nodiscard]] std::vector<Lever> try_levers(const Scenario& scenario, const Metrics& metrics);

/// At most three sentences: what limits the step and by how much, the best lever with its simulated size, and
/// the memory that is left.
[[nodiscard]] std::vector<std::string> bottleneck_sentences(const Metrics& metrics,
                                                            const std::vector<Lever>& levers);

}  // namespace orrery
