#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/engine/sim_time.hpp"

namespace orrery {

/// The pending events of a simulation: one per lane, the time at which its running task ends.
///
/// A lane has at most one running task, so the set is a fixed array of keys that change in place, and no
/// stale entry can exist. It is a winner tree: the leaves are the lanes in id order, every inner node
/// holds the lesser of its two children, the root is the next event. Changing a key replays its path in
/// log2(lanes) steps of load, minimum, store: no unpredictable branch, and no load waits for another.
/// From 8 to 8192 lanes it takes half the time of an indexed 4-ary heap or less, and likewise of a
/// std::priority_queue (tests/bench/queue_bench.cpp).
///
/// Rule for ties: the next event is the least (time, lane id). It depends on the keys alone, never on the
/// order in which they were set. The rules between events of one instant (all ends before any start)
/// belong to the event loop and stand in engine.hpp.
///
/// A key is one 64-bit number: the time since `base_` above the lane id. The base moves up when a time no
/// longer fits, so with 2^b lanes it is pending spans that must stay below 2^(64-b) ps (281 s with 65,536
/// lanes), not the simulated time; SIM_CHECK guards it.
class LaneQueue {
 public:
  explicit LaneQueue(std::size_t lanes);

  /// Time of the next event; kNever when no lane has one.
  [[nodiscard]] SimTime time() const {
    const std::uint64_t span = keys_[1] >> lane_bits_;
    return span == idle_span_ ? kNever : SimTime{base_ + static_cast<std::int64_t>(span)};
  }

  /// Lane of the next event; meaningless when time() is kNever.
  [[nodiscard]] ResourceId lane() const {
    return ResourceId{static_cast<std::size_t>(keys_[1]) & (width_ - 1)};
  }

  /// Gives `lane` its event, not earlier than the next event of all.
  void set(ResourceId lane, SimTime time) {
    auto span = static_cast<std::uint64_t>(time.ps - base_);
    if (span >= idle_span_) span = rebase(time);
    replay(lane, span);
  }

  /// Takes the lane's event away.
  void clear(ResourceId lane) { replay(lane, idle_span_); }

 private:
  void replay(ResourceId lane, std::uint64_t span) {
    std::uint64_t* const keys = keys_.data();
    std::size_t i = width_ + lane.at();
    std::uint64_t least = (span << lane_bits_) | lane.at();
    keys[i] = least;
    while (i > 1) {
      const std::uint64_t sibling = keys[i ^ 1];
      least = sibling < least ? sibling : least;
      i >>= 1;
      keys[i] = least;
    }
  }

  /// Moves the base up to the next event. Returns the span of `time` over the new base.
  std::uint64_t rebase(SimTime time);

  std::size_t width_;                ///< leaves: lanes rounded up to a power of two
  int lane_bits_;                    ///< log2(width_)
  std::uint64_t idle_span_;          ///< the largest span: no event
  std::int64_t base_ = 0;            ///< ps
  std::vector<std::uint64_t> keys_;  ///< children of i are 2i and 2i+1, entry 0 unused
};

}  // namespace orrery
