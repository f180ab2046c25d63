#include "sim/cost/host_cost.hpp"

#include "sim/base/check.hpp"

namespace orrery {
namespace {

constexpr double kHostMemoryEfficiency = 0.5;

}  // namespace

Seconds host_copy_time(Bytes bytes, const ClusterProfile& cluster) {
  return Seconds{bytes.value / cluster.host_link_bytes_per_s.value};
}

Seconds host_work_time(Bytes bytes, const ClusterProfile& cluster) {
  SIM_CHECK(cluster.host_memory_bytes_per_s, "offloading without the host's memory");
  return Seconds{bytes.value / (cluster.host_memory_bytes_per_s->value * kHostMemoryEfficiency)};
}

}  // namespace orrery
