#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/hw/cluster.hpp"

namespace orrery {

/// What a buyer may choose of a cluster beyond its profile; empty: as the profile has it.
struct ClusterOptions {
  std::optional<std::int64_t> gpus_per_node = {};  ///< GPUs that one NVLink domain joins
  std::optional<double> nics_per_gpu = {};         ///< NICs of the profile's kind
  std::optional<double> oversubscription = {};     ///< of the network between nodes, 1 = full bisection
  std::optional<double> power_cap_w = {};          ///< board power limit of a GPU

  bool operator==(const ClusterOptions&) const = default;
};

/// Changes `cluster`; every changed number is marked as assumed, with `place` as its source.
///   gpus_per_node     same rate per GPU inside the larger or smaller domain; overhead power of a node in
///                     proportion to its GPUs
///   nics_per_gpu      rate between nodes in proportion, that of expert all-to-all kernels too; the kernels'
///                     NVLink side stays and bounds them
///   oversubscription  rate between nodes divided by it, relative to the profile's own
///   power_cap_w       a cap below the profile's own slows kernels that need more (sim/cost/compute_cost.hpp)
/// Errors: InputError at `place` + "/power_cap_w" for a cap outside (floor, cap of the board].
void apply_options(ClusterProfile& cluster, const ClusterOptions& options, const std::string& place);

/// "72 GPUs per node, 2 NICs per GPU, 2:1 oversubscribed, capped at 500 W"; empty where nothing is chosen.
[[nodiscard]] std::string to_text(const ClusterOptions& options);

}  // namespace orrery
