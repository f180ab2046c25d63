#include "sim/cost/host_cost.hpp"

#include "sim/base/check.hpp"
#include "sim/hw/host_rules.hpp"

namespace orrery {
Seconds host_copy_time(Bytes bytes, const ClusterProfile& cluster) {
  return Seconds{kHostCopyLatency_s + bytes.value / cluster.host_link_bytes_per_s.value};
}

Seconds host_work_time(Bytes bytes, const ClusterProfile& cluster) {
  SIM_CHECK(cluster.host_memory_bytes_per_s, "offloading without the host's memory");
  return Seconds{bytes.value / (cluster.host_memory_bytes_per_s->value * kReachedHostBandwidth)};
}

}  // namespace orrery
