#include "sim/workload/offload.hpp"

namespace orrery {
namespace {

bool is_layer(UnitKind kind) {
  return kind == UnitKind::kDense || kind == UnitKind::kMoe || kind == UnitKind::kMtp;
}

}  // namespace

bool can_leave(const Workload& workload, const std::vector<std::size_t>& units, std::size_t i) {
  if (!is_layer(workload.units[units[i]].kind)) return false;
  if (workload.units[units.back()].kind != UnitKind::kHead) return true;
  for (std::size_t later = i + 1; later < units.size(); ++later) {
    if (is_layer(workload.units[units[later]].kind)) return true;
  }
  return false;
}

}  // namespace orrery
