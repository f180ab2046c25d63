#pragma once

#include <cstdint>

#include "sim/schedule/schedule_costs.hpp"

namespace orrery {

/// Where the microbatches of one pipeline run: all of a schedule but the order.
struct Placement {
  int ranks = 0;
  int stages = 0;
  int microbatches = 0;
  std::vector<RankId> owner;  ///< [stage * microbatches + microbatch], as in `Schedule`

  bool operator==(const Placement&) const = default;
  [[nodiscard]] RankId rank_of(int stage, int microbatch) const {
    return owner[static_cast<std::size_t>(stage) * static_cast<std::size_t>(microbatches) +
                 static_cast<std::size_t>(microbatch)];
  }
};
[[nodiscard]] Placement placement_of(const Schedule& schedule);

/// No order of the steps on these ranks is shorter. With, for every rank r,
///   work(r, x)  the least ticks of its steps when x of its forwards are in no pair: F + min(B, I + W) of all
///               its microbatches, less the most that pairs can save (pair_prices.hpp);
///   head(r)     the earliest a first forward can begin: the shortest way from stage 0, with messages;
///   turn(r)     the earliest a first gradient can be there: the shortest way to the last stage and back;
///   ahead(r, x) the most ticks of x forwards that begin before that: as many of each stage as find the time,
///               and in all no more than the memory limit holds;
///   last(r)     the shortest way from the start of a backward or input gradient on r to the end of the one
///               on stage 0;
///   early(r)    without pairs: ticks of all forwards and of all input gradients but the longest, which all
///               come before the last of these; with pairs 0,
/// it is the greatest of
///   min over x of max(head(r), turn(r) - ahead(r, x)) + work(r, max(1, x)) + tail(r),
///   head(r) + early(r) + last(r),
/// and of the shortest way of any one microbatch through all stages and back.
[[nodiscard]] std::int64_t lower_bound(const Placement& placement, const ScheduleCosts& costs);

}  // namespace orrery
