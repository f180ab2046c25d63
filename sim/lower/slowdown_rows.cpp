#include "sim/lower/slowdown_rows.hpp"

#include <algorithm>
#include <initializer_list>

#include "sim/cost/comm_cost.hpp"

namespace orrery {
namespace {

constexpr std::size_t bit(Lane lane) {
  return std::size_t{1} << static_cast<std::size_t>(lane);
}

constexpr bool any(std::size_t mask, std::initializer_list<Lane> lanes) {
  std::size_t bits = 0;
  for (const Lane lane : lanes) bits |= bit(lane);
  return (mask & bits) != 0;
}

}  // namespace

SlowdownRow compute_row(double beside_communication) {
  SlowdownRow row;
  for (std::size_t mask = 0; mask < row.size(); ++mask) {
    const bool beside = any(mask, {Lane::kCommunication, Lane::kGather, Lane::kReduce});
    row[mask] = to_slowdown(beside ? beside_communication : 1.0);
  }
  return row;
}

SlowdownRow transfer_row(Lane own, double beside_compute, double nic_share, const NicShares& others) {
  SlowdownRow row;
  for (std::size_t mask = 0; mask < row.size(); ++mask) {
    double factor = (mask & bit(Lane::kCompute)) != 0 ? beside_compute : 1.0;
    double asked = 0;
    const auto ask = [&](Lane lane, double share) {
      if (lane != own && (mask & bit(lane)) != 0) asked += share;
    };
    ask(Lane::kCommunication, others.communication);
    ask(Lane::kNic, others.message);
    ask(Lane::kGather, others.data);
    ask(Lane::kReduce, others.data);
    ask(Lane::kStore, others.host);
    ask(Lane::kFetch, others.host);
    if (asked > 0) factor *= nic_slowdown(nic_share / factor, std::min(1.0, asked));
    row[mask] = to_slowdown(factor);
  }
  return row;
}

}  // namespace orrery
