#pragma once

#include <cstdint>

#include "sim/base/ids.hpp"

namespace orrery {

/// The lanes of one GPU; each runs its tasks in order, like a CUDA stream. They form one group of the engine
/// and slow each other as docs/models/compute.md says:
/// - compute: kernels on the SMs left to compute. Shares the memory system with communication.
/// - communication: all-to-all and collectives on their own SMs. Shares the memory system with compute and
/// the
///   NIC with messages.
/// - nic: messages between stages (copy engine, NIC). Shares the NIC with communication.
/// - host: enqueues the kernels of the next step. Shares nothing.
/// - gather, reduce: data-parallel weights coming and gradients leaving beside the pipeline's work, each on a
/// stream of its own as in PyTorch's FSDP. They share the memory system with compute and the NIC with the
/// other communication; only steps whose template has such tasks use them.
/// - store, fetch: the copy engines, to the host's memory and back. They share the GPU's link with the NIC.
enum class Lane : std::uint8_t { kCompute, kCommunication, kNic, kHost, kGather, kReduce, kStore, kFetch };
inline constexpr int kLaneCount = 8;

/// Lanes that outlast a step: the next one does not wait for what runs there.
[[nodiscard]] constexpr bool beside_steps(Lane lane) {
  return lane >= Lane::kGather;
}

/// The lane of a rank's GPU in the task graph, and back.
[[nodiscard]] constexpr ResourceId lane_of(RankId rank, Lane lane) {
  return ResourceId{rank.value * kLaneCount + static_cast<std::int32_t>(lane)};
}
[[nodiscard]] constexpr RankId rank_of_lane(ResourceId lane) {
  return RankId{lane.value / kLaneCount};
}
[[nodiscard]] constexpr Lane kind_of_lane(ResourceId lane) {
  return static_cast<Lane>(lane.value % kLaneCount);
}

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
  kOffload,  ///< copies to and from the host's memory, and its update of the weights
};

}  // namespace orrery
