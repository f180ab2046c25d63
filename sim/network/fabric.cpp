#include "sim/network/fabric.hpp"

#include <algorithm>
#include <cmath>

namespace orrery {
namespace {

constexpr std::int64_t kPlanes = 8;

std::int64_t up(double x) {
  return static_cast<std::int64_t>(std::ceil(x - 1e-9));
}

}  // namespace

Fabric fat_tree(std::int64_t endpoints, std::int64_t radix, double oversubscription) {
  const double n = static_cast<double>(endpoints);
  const double r = static_cast<double>(radix);
  if (endpoints <= radix) return {.layers = 1, .switches = 1, .links = endpoints};
  const double down = std::floor(r * oversubscription / (1.0 + oversubscription));
  const std::int64_t leaves = up(n / down);
  const double uplinks = std::ceil(n / oversubscription - 1e-9);
  if (endpoints <= radix * radix / 2)
    return {.layers = 2, .switches = leaves + up(uplinks / r), .links = endpoints + up(uplinks)};
  return {.layers = 3,
          .switches = leaves + up(2.0 * uplinks / r) + up(uplinks / r),
          .links = endpoints + 2 * up(uplinks)};
}

Fabric fabric_of(const ClusterProfile& cluster, std::int64_t gpus) {
  if (gpus <= cluster.gpus_per_node) return {};
  const auto radix = static_cast<std::int64_t>(cluster.switch_radix.value);
  const auto ports = static_cast<std::int64_t>(std::ceil(static_cast<double>(gpus) * cluster.nics_per_gpu));
  const bool multi = cluster.topology.starts_with("multi-plane") && ports >= 2 * kPlanes;
  const std::int64_t planes = multi ? kPlanes : 1;
  const std::int64_t each = (ports + planes - 1) / planes;
  Fabric plane = fat_tree(each, std::max<std::int64_t>(2, radix), cluster.oversubscription.value);
  return {.layers = plane.layers, .switches = plane.switches * planes, .links = plane.links * planes};
}

}  // namespace orrery
