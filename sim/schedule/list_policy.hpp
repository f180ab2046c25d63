#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/schedule/schedule_bound.hpp"
#include "sim/schedule/schedule_costs.hpp"

namespace orrery {

/// What a rank does next when it is free and more than one thing is possible.
struct ListPolicy {
  enum class Order : std::uint8_t { kBackwardFirst, kForwardFirst, kInTurn };
  enum class Depth : std::uint8_t { kDeepest, kShallowest, kFewestDone };
  enum class Pairing : std::uint8_t { kNever, kWhenReady, kWait };
  /// When a backward leaves its weight gradient for later: never, always, when the rank that needs the
  /// gradient of the input stands idle, or when the rank has no forward left.
  enum class Split : std::uint8_t { kNever, kAlways, kWhenWanted, kAtTheEnd };

  Order order = Order::kBackwardFirst;
  Depth depth = Depth::kDeepest;
  Pairing pairing = Pairing::kNever;
  Split split = Split::kNever;
  /// A weight gradient runs while the rank would wait, if it delays what is known to come by at most this
  /// share of itself, in percent.
  int late_percent = 50;
  /// `kWait`: a rank waits for the other half of a pair for at most this share of what the pair saves, in
  /// percent.
  int wait_percent = 50;
  /// Most microbatches alive on a stage, in percent of what keeps the busiest rank busy over the time of the
  /// way to the last stage and back (Little's law); 0: as many as the memory holds.
  int alive_percent = 0;

  bool operator==(const ListPolicy&) const = default;
  /// "backward first, deepest stage, ...": for the report.
  [[nodiscard]] std::string text() const;
};

/// All combinations of the choices that make sense for the costs, in a fixed order.
[[nodiscard]] std::vector<ListPolicy> list_policies(const Placement& placement, const ScheduleCosts& costs);

/// The same choices with other percentages.
[[nodiscard]] std::vector<ListPolicy> variants_of(const ListPolicy& policy);

}  // namespace orrery
