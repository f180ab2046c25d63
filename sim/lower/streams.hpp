#pragma once

#include <cstdint>

namespace orrery {

/// The lanes of one GPU; each runs its tasks in order, like a CUDA stream. They form one group of the engine
/// and slow each other as docs/models/compute.md says:
/// - compute: kernels on the SMs left to compute. Shares the memory system with communication.
/// - communication: all-to-all and collectives on their own SMs. Shares the memory system with compute and
/// the
///   NIC with messages.
/// - nic: messages between stages (copy engine, NIC). Shares the NIC with communication.
/// - host: enqueues the kernels of the next step. Shares nothing.
enum class Lane : std::uint8_t { kCompute, kCommunication, kNic, kHost };
inline constexpr int kLaneCount = 4;

/// What a task's time is booked under.
enum class TaskKind : std::uint8_t {
  kMarker,
  kCompute,
  kRecompute,
  kTp,
  kCp,
  kEp,
  kPp,
  kDp,
  kOptimizer,
  kHost,
};

}  // namespace orrery
