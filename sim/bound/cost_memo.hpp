#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "sim/hw/cluster.hpp"
#include "sim/network/collectives.hpp"
#include "sim/workload/op.hpp"

namespace orrery {

/// One kernel or transfer alone.
struct ItemCost {
  std::int64_t ps = 0;
  double beside = 1;            ///< factor while the other of compute and communication runs beside it
  std::size_t beside_slot = 0;  ///< of a kernel: place of its factor in `CostMemo::factors()`
  double joules = 0;            ///< of the GPU beyond its floor
  double nic_share = 0;         ///< of a transfer: what it asks of the NIC
};

/// Most different slowdowns of kernels that are told apart; more share the next lower one.
inline constexpr std::size_t kFactorSlots = 8;

/// Costs of `op_cost` and `comm_cost` on one cluster, each worked out once. Not for two threads at a time.
class CostMemo {
 public:
  explicit CostMemo(const ClusterProfile& cluster) : cluster_(cluster) {}

  const ItemCost& op(const Op& op, std::int64_t sms);
  const ItemCost& communication(const CommOp& op, const EndpointGroup& group, std::int64_t sms);
  /// Of the optimizer's update that moves so many bytes; at most a picosecond less than `op_cost` says.
  std::int64_t optimizer_ps(double bytes, std::int64_t sms);
  /// Slowdowns of kernels by slot.
  [[nodiscard]] const std::vector<double>& factors() const { return factors_; }
  [[nodiscard]] const ClusterProfile& cluster() const { return cluster_; }

 private:
  using Key = std::array<std::uint64_t, 12>;
  struct Hash {
    std::size_t operator()(const Key& key) const;
  };
  std::size_t slot_of(double factor);

  const ClusterProfile& cluster_;
  std::vector<double> factors_;
  struct Line {
    std::int64_t sms;
    double fixed_s, per_byte_s;
  };
  std::vector<Line> optimizer_;
  std::unordered_map<Key, ItemCost, Hash> known_;  ///< looked up, never walked
};

}  // namespace orrery
