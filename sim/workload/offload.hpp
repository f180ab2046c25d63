#pragma once

#include <cstddef>

#include "sim/workload/stage_work.hpp"

namespace orrery {

/// Whether the activations of the i-th of a stage's units can wait in the host's memory: those of every
/// transformer layer but, in a stage that ends in the head, of the last one, whose backward follows at once.
/// `kind_of(i)`: kind of the i-th unit.
template <class KindOf>
[[nodiscard]] bool can_leave(const KindOf& kind_of, std::size_t units, std::size_t i) {
  const auto is_layer = [&](std::size_t unit) {
    const UnitKind kind = kind_of(unit);
    return kind == UnitKind::kDense || kind == UnitKind::kMoe || kind == UnitKind::kMtp;
  };
  if (!is_layer(i)) return false;
  if (kind_of(units - 1) != UnitKind::kHead) return true;
  for (std::size_t later = i + 1; later < units; ++later) {
    if (is_layer(later)) return true;
  }
  return false;
}

}  // namespace orrery
