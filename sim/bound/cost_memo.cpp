#include "sim/bound/cost_memo.hpp"

#include <algorithm>
#include <bit>
#include <string>

#include "sim/cost/comm_cost.hpp"
#include "sim/cost/compute_cost.hpp"
#include "sim/engine/sharing.hpp"
#include "sim/engine/sim_time.hpp"

namespace orrery {
namespace {

std::uint64_t bits(double x) {
  return std::bit_cast<std::uint64_t>(x);
}
std::uint64_t bits(std::int64_t x) {
  return static_cast<std::uint64_t>(x);
}

/// Joules of a kernel as docs/models/power.md counts them: FLOPs where there are any, else bytes.
double joules_of(const Op& op, const PowerFigures& p) {
  if (op.flops == 0) return op.bytes * p.joules_per_byte.value;
  const auto per_flop = [&](const char* precision, const char* fallback) {
    auto it = p.joules_per_flop.find(precision);
    if (it == p.joules_per_flop.end()) it = p.joules_per_flop.find(fallback);
    return it == p.joules_per_flop.end() ? 0.0 : it->second.value;
  };
  const bool fp8 = op_class(op).find("fp8") != std::string::npos;
  return op.flops * (fp8 ? per_flop("fp8", "bf16") : per_flop("bf16", "fp16"));
}

}  // namespace

std::size_t CostMemo::Hash::operator()(const Key& key) const {
  std::uint64_t h = 0x9e3779b97f4a7c15ULL;
  for (const std::uint64_t word : key) {
    h ^= word;
    h *= 0xff51afd7ed558ccdULL;
    h ^= h >> 32;
  }
  return static_cast<std::size_t>(h);
}

std::size_t CostMemo::slot_of(double factor) {
  std::size_t lower = factors_.size();
  for (std::size_t i = 0; i < factors_.size(); ++i) {
    if (factors_[i] == factor) return i;
    if (factors_[i] <= factor && (lower == factors_.size() || factors_[i] > factors_[lower])) lower = i;
  }
  // The last place is kept for factor 1, which is below all others.
  if (factors_.size() + 1 < kFactorSlots || factor == 1) {
    factors_.push_back(factor);
    return factors_.size() - 1;
  }
  return lower < factors_.size() ? lower : slot_of(1);
}

const ItemCost& CostMemo::op(const Op& op, std::int64_t sms) {
  const std::uint64_t kinds = static_cast<std::uint64_t>(op.kind) |
                              static_cast<std::uint64_t>(op.precision) << 8 | (op.mla ? 1U : 0U) << 16 |
                              static_cast<std::uint64_t>(op.repeats) << 17 |
                              static_cast<std::uint64_t>(op.kernels) << 32;
  const Key key{kinds,          bits(sms),         bits(op.groups), bits(op.m),     bits(op.n),
                bits(op.k),     bits(op.sequence), bits(op.flops),  bits(op.bytes), bits(op.output_bytes),
                bits(op.window)};
  const auto found = known_.find(key);
  if (found != known_.end()) return found->second;
  const OpCost c = op_cost(op, cluster_.gpu, sms);
  // As the engine will use it: in steps of 2^-16.
  const double beside = static_cast<double>(to_slowdown(c.beside_communication)) / kNoSlowdown;
  return known_
      .emplace(key, ItemCost{.ps = to_sim_time(c.alone).ps,
                             .beside = beside,
                             .beside_slot = slot_of(beside),
                             .joules = joules_of(op, cluster_.gpu.power)})
      .first->second;
}

std::int64_t CostMemo::optimizer_ps(double bytes, std::int64_t sms) {
  const auto seconds = [&](double moved) {
    Op op{.name = "optimizer update", .kind = OpKind::kOptimizer};
    op.bytes = moved;
    return op_cost(op, cluster_.gpu, sms).alone.value;
  };
  const OperatorCurve* curve = cluster_.gpu.find("memory.optimizer");
  if (curve == nullptr || curve->form != CurveForm::kBandwidth)
    return to_sim_time(Seconds{seconds(bytes)}).ps;
  // Bytes over a rate, and something fixed: two points make the line.
  auto line = std::find_if(optimizer_.begin(), optimizer_.end(), [&](const Line& l) { return l.sms == sms; });
  if (line == optimizer_.end()) {
    const double fixed = seconds(0);
    optimizer_.push_back({.sms = sms, .fixed_s = fixed, .per_byte_s = (seconds(1e12) - fixed) / 1e12});
    line = optimizer_.end() - 1;
  }
  const double s = line->fixed_s + bytes * line->per_byte_s;
  return std::max<std::int64_t>(0, to_sim_time(Seconds{s * (1 - 1e-12)}).ps - 1);
}

const ItemCost& CostMemo::communication(const CommOp& op, const EndpointGroup& group, std::int64_t sms) {
  const std::uint64_t kinds = static_cast<std::uint64_t>(op.kind) |
                              static_cast<std::uint64_t>(op.each_copy) << 62 | std::uint64_t{1} << 63;
  const Key key{
      kinds,          bits(sms),       bits(group.size),         bits(group.per_node), bits(group.nodes),
      bits(op.bytes), bits(op.tokens), bits(op.bytes_per_token), bits(op.node_copies), bits(op.rank_copies)};
  const auto found = known_.find(key);
  if (found != known_.end()) return found->second;
  const CommCost c = comm_cost(op, group, cluster_, sms);
  return known_
      .emplace(key, ItemCost{.ps = to_sim_time(c.alone).ps,
                             .beside = static_cast<double>(to_slowdown(c.beside_compute)) / kNoSlowdown,
                             .nic_share = c.nic_share})
      .first->second;
}

}  // namespace orrery
