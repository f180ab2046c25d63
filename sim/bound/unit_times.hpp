#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/bound/cost_memo.hpp"
#include "sim/scenario.hpp"
#include "sim/workload/stage_work.hpp"

namespace orrery {

/// What a run of units moves the two lanes on by in a whole backward: entry (i, j) is the least time from the
/// moment that lane i (0 the chain of input gradients, 1 the compute lane) is free for the run until lane j
/// is free behind it. Runs follow one another by the max-plus product.
struct LaneShift {
  static constexpr std::int64_t kNever = -(std::int64_t{1} << 60);
  std::array<std::array<std::int64_t, 2>, 2> at{{{0, kNever}, {kNever, 0}}};

  /// `at` after `before`.
  [[nodiscard]] LaneShift then(const LaneShift& next) const;
  /// From both lanes free until lane j is free.
  [[nodiscard]] std::int64_t until(std::size_t j) const { return std::max(at[0][j], at[1][j]); }
};

/// Slowdowns of communication beside compute are rounded down to 1 + k / 16, k < kBesideSlots.
inline constexpr std::size_t kBesideSlots = 16;

/// Sums over units that do not depend on their order; picoseconds, every task as fast as alone.
struct WorkSums {
  std::int64_t forward = 0;      ///< all of the forward, one task after the other
  std::int64_t input_grad = 0;   ///< the same of the input gradient
  std::int64_t weight_grad = 0;  ///< its kernels; what they send may run beside the next unit's
  std::int64_t forward_compute = 0, backward_compute = 0;  ///< on the compute lane
  std::int64_t forward_calls = 0, input_calls = 0, weight_calls = 0;
  /// What contention is worked out from: the lanes by slowdown beside the other, [0] forward, [1] backward.
  std::array<std::array<double, kFactorSlots>, 2> compute_by_factor{};
  std::array<std::array<double, kBesideSlots>, 2> communication_by_factor{};
  double joules = 0;  ///< of forward and backward
  double nic_ps = 0;  ///< forward and backward transfers, each by the share of the NIC that it asks for
  double dense_params = 0, expert_params = 0, kept = 0, deferred = 0;

  WorkSums& operator+=(const WorkSums& other);
};

/// One unit of the model on one rank for one microbatch.
struct UnitTimes {
  UnitKind kind = UnitKind::kDense;
  WorkSums sums;
  LaneShift backward;
  bool ends_with_weights = false;           ///< the last task of its whole backward is a weight gradient
  std::int64_t last_backward_compute = 0;   ///< compute of attention_b and attention_w
  std::int64_t combine = 0;                 ///< of combine_f
  double working = 0;                       ///< bytes
  double seconds = 0, compute_seconds = 0;  ///< forward and backward, with and without communication
};

/// All units of a layout without what ZeRO 2 and 3 add to them.
struct UnitTable {
  std::vector<UnitTimes> units;
  std::vector<std::size_t> layers;  ///< [layer] its unit
  std::vector<std::size_t> front;   ///< in front of layer 0: the embedding
  std::vector<std::size_t> back;    ///< behind the last layer: head, MTP modules and their heads
  WorkSums whole;                   ///< of the whole model
  double head_params = 0;           ///< of heads after the first, which share its weights
  double boundary_bytes = 0;
  double exchange_bytes = 0;  ///< received by the largest expert exchange
};

/// Units of the scenario's layout on `gpu SMs - communication_sms`; schedule, pp, vpp and ZeRO stage are not
/// looked at, except that a tied head needs its own copy where `many_stages`.
[[nodiscard]] UnitTable unit_table(const Scenario& scenario, std::int64_t communication_sms, bool many_stages,
                                   CostMemo& memo);

/// Least seconds of compute that the whole model needs per microbatch and tensor-parallel rank, whatever
/// overlaps: no schedule of this layout's units is faster.
[[nodiscard]] double least_compute_s(const UnitTable& table);

}  // namespace orrery
