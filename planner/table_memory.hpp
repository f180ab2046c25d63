#pragma once

#include <string>
#include <vector>

#include "planner/published_table.hpp"
#include "planner/table_skip.hpp"
#include "sim/hw/cluster.hpp"

namespace orrery {

/// A row of measured peak memory of the fullest GPU beside the simulated one.
struct MemoryOutcome {
  PublishedRow row;
  MaybeSkip skip;
  std::string inputs;  ///< layout and training as simulated; what was assumed
  double measured_bytes = 0;
  double computed_bytes = 0;

  /// Computed over measured, minus 1: positive is too much.
  [[nodiscard]] double error() const { return computed_bytes / measured_bytes - 1; }
};

/// Simulates every row whose metric is a peak of memory in GB, GiB or MiB. What an allocator of the program
/// reports is held against weights, gradients, optimizer, activations and buffers; what `nvidia-smi` shows,
/// against all, the reserve for context, libraries and fragmentation too. No time is scored, so a run that
/// does not fit counts as well. InputError: a profile cannot be loaded or lacks a curve.
[[nodiscard]] std::vector<MemoryOutcome> validate_memory(const std::vector<PublishedRow>& rows,
                                                         const ProfileFolders& folders);

}  // namespace orrery
