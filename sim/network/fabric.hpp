#pragma once

#include <cstdint>

#include "sim/hw/cluster.hpp"

namespace orrery {

/// Switches and links of the scale-out network of a number of GPUs, one port for each NIC.
struct Fabric {
  int layers = 0;  ///< of switches; 0: one node needs no network
  std::int64_t switches = 0;
  std::int64_t links = 0;  ///< GPU to switch and switch to switch
};

/// The smallest full fat tree of the cluster's topology. Radix R, N endpoints of one plane, oversubscription
/// o:
///   N <= R       one switch
///   N <= R^2/2   two layers: ceil(N / down) leaves with down = R o / (1 + o) ports down, spines for the
///                uplinks N / o
///   else         three layers: as many switches again between them
/// "multi-plane-fat-tree" splits the GPUs over 8 planes (arXiv 2505.09343, section 5.1), any other topology
/// is one plane. Checked against table 3 there: 16,384 endpoints in 8 planes 768 switches; 2,048 in two
/// layers 96; 65,536 in three 5,120. Known error: vendors round up to whole pods.
[[nodiscard]] Fabric fabric_of(const ClusterProfile& cluster, std::int64_t gpus);
/// The same for one plane; radix at least 2.
[[nodiscard]] Fabric fat_tree(std::int64_t endpoints, std::int64_t radix, double oversubscription);

}  // namespace orrery
