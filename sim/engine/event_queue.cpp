#include "sim/engine/event_queue.hpp"

#include <algorithm>
#include <bit>

#include "sim/base/check.hpp"

namespace orrery {

LaneQueue::LaneQueue(std::size_t lanes)
    : width_(std::bit_ceil(lanes)),
      lane_bits_(std::countr_zero(width_)),
      idle_span_(~std::uint64_t{0} >> lane_bits_),
      keys_(2 * width_) {
  keys_[0] = ~std::uint64_t{0};
  for (std::size_t lane = 0; lane < width_; ++lane) keys_[width_ + lane] = (idle_span_ << lane_bits_) | lane;
  for (std::size_t i = width_; i-- > 1;) keys_[i] = std::min(keys_[2 * i], keys_[2 * i + 1]);
}

std::uint64_t LaneQueue::rebase(SimTime time) {
  const std::uint64_t passed = keys_[1] >> lane_bits_;
  if (passed != idle_span_) {
    for (std::uint64_t& key : keys_) {
      if (key >> lane_bits_ != idle_span_) key -= passed << lane_bits_;
    }
    base_ += static_cast<std::int64_t>(passed);
  } else {
    base_ = time.ps;
  }
  const auto span = static_cast<std::uint64_t>(time.ps - base_);
  SIM_CHECK(span < idle_span_, "a task is too long for a simulation with this many lanes");
  return span;
}

}  // namespace orrery
