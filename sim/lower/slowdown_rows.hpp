#pragma once

#include "sim/engine/sharing.hpp"
#include "sim/lower/streams.hpp"

namespace orrery {

/// A compute kernel is slowed while anything communicates by kernels.
[[nodiscard]] SlowdownRow compute_row(double beside_communication);

/// Shares of the NIC that other lanes' transfers ask for.
struct NicShares {
  double communication = 0;  ///< the busiest kind: what runs at the moment is not known
  double message = 0;
  double data = 0;
  double host = 0;  ///< of copies to and from the host, where they use the NIC's way to the GPU
  bool operator==(const NicShares&) const = default;
};

/// A transfer of its lane is slowed by compute and, through the NIC, by transfers of other lanes, of which it
/// keeps at least half. Slowed by compute it asks for less of the NIC.
[[nodiscard]] SlowdownRow transfer_row(Lane own, double beside_compute, double nic_share,
                                       const NicShares& others);

}  // namespace orrery
