#pragma once

#include <span>
#include <string>
#include <vector>

#include "calibrate/profile/build_profile.hpp"
#include "calibrate/profile/class_fit.hpp"
#include "calibrate/profile/direct_figures.hpp"
#include "sim/hw/cluster.hpp"

namespace orrery {

/// Whether a fitted class is of a cluster and not of a GPU: "collective.*", "communication.*".
[[nodiscard]] bool is_of_cluster(const std::string& op_class);

/// `base` with what was measured in a node:
///   collective.<operation> on n GPUs    its curve of `collectives`, in place of one of the same n
///   communication.dispatch, .combine    `in_node_dispatch`, `in_node_combine`, and the rate that the curve
///                                       has for a large exchange (8 targets' worth of rows of 7,168
///                                       elements)
///   host_link_bytes_per_s               of `direct`
/// `unplaced` names what has no place: low-latency kernels, groups larger than a node. Curves belong to the
/// links of `base`; where `base` has curves of other links, it has to keep none of them or all its links.
/// Numbers are rounded to 4 digits.
[[nodiscard]] ClusterProfile build_cluster(const ClusterProfile& base, std::span<const ClassFit> fits,
                                           const DirectFigures& direct, const SampleSource& source,
                                           std::vector<std::string>& unplaced);

}  // namespace orrery
