#pragma once

namespace orrery {

/// What goes beside the figures of a cluster profile about a GPU's host; assumed, and listed among a result's
/// assumptions.
inline constexpr double kUsableHostMemory = 0.9;      ///< of its memory, for what is offloaded
inline constexpr double kReachedHostBandwidth = 0.5;  ///< of its memory's bandwidth, by an optimizer's update
inline constexpr double kHostCopyLatency_s = 10e-6;   ///< of a copy between GPU and host, beside its bytes

}  // namespace orrery
