#pragma once

#include <string>
#include <vector>

#include "planner/published_table.hpp"
#include "planner/table_skip.hpp"
#include "sim/hw/cluster.hpp"

namespace orrery {

/// Mean power of a node while a row's run trained, measured and computed; or why there is none computed.
struct PowerOutcome {
  PublishedRow row;
  MaybeSkip skip;
  std::string inputs;  ///< as simulated; what was assumed, the stand-in for adapters too
  double measured_w = 0;
  double computed_w = 0;

  /// Computed over measured, minus 1.
  [[nodiscard]] double error() const { return computed_w / measured_w - 1; }
};

/// The rows whose metric is `avg_node_power_reported` in W, in the order of the table. Low-rank adapters are
/// not simulated: such a row stands in with all weights trained, as much memory as that takes and 64
/// microbatches to a step, so that the optimizer, which a run of adapters hardly has, hardly counts.
/// InputError: a profile that is needed cannot be loaded.
[[nodiscard]] std::vector<PowerOutcome> validate_power(const std::vector<PublishedRow>& rows,
                                                       const ProfileFolders& folders);

}  // namespace orrery
