#include "sim/schedule/list_policy.hpp"

#include <algorithm>
#include <functional>

namespace orrery {

std::string ListPolicy::text() const {
  static constexpr const char* kOrder[] = {"backward first", "forward first", "forward and backward in turn"};
  static constexpr const char* kDepth[] = {"deepest stage", "shallowest stage", "stage with fewest done"};
  static constexpr const char* kPairing[] = {"no pairs", "pairs when ready", "waits for pairs"};
  static constexpr const char* kSplit[] = {"whole backwards", "all backwards split", "split when wanted",
                                           "split at the end"};
  std::string out = kOrder[static_cast<std::size_t>(order)];
  for (const char* part :
       {kDepth[static_cast<std::size_t>(depth)], kPairing[static_cast<std::size_t>(pairing)],
        kSplit[static_cast<std::size_t>(split)]}) {
    out += std::string(", ") + part;
  }
  if (pairing == Pairing::kWait) out += ", up to " + std::to_string(wait_percent) + " %";
  out += ", W late by up to " + std::to_string(late_percent) + " %";
  return out + ", alive " + (alive_percent == 0 ? "any" : std::to_string(alive_percent) + " %");
}

std::vector<ListPolicy> list_policies(const Placement& placement, const ScheduleCosts& costs) {
  using P = ListPolicy;
  const bool several =
      placement.stages > placement.ranks ||
      std::ranges::adjacent_find(placement.owner.begin(), placement.owner.begin() + placement.microbatches,
                                 std::not_equal_to<>()) != placement.owner.begin() + placement.microbatches;
  std::vector<P::Depth> depths{P::Depth::kDeepest};
  if (several) depths = {P::Depth::kDeepest, P::Depth::kShallowest, P::Depth::kFewestDone};
  std::vector<P::Pairing> pairings{P::Pairing::kNever};
  if (!costs.pairs.empty()) pairings = {P::Pairing::kWhenReady, P::Pairing::kWait};
  std::vector<P> all;
  for (const P::Pairing pairing : pairings) {
    for (const P::Order order : {P::Order::kBackwardFirst, P::Order::kForwardFirst, P::Order::kInTurn}) {
      for (const P::Depth depth : depths) {
        for (const P::Split split :
             {P::Split::kNever, P::Split::kAlways, P::Split::kWhenWanted, P::Split::kAtTheEnd}) {
          for (const int alive : {0, 100}) {
            all.push_back(
                {.order = order, .depth = depth, .pairing = pairing, .split = split, .alive_percent = alive});
          }
        }
      }
    }
  }
  return all;
}

std::vector<ListPolicy> variants_of(const ListPolicy& policy) {
  const bool waits = policy.pairing == ListPolicy::Pairing::kWait;
  std::vector<ListPolicy> all;
  for (const int wait : waits ? std::vector<int>{25, 50, 100} : std::vector<int>{50}) {
    for (const int alive : {0, 60, 100, 140, 200}) {
      for (const int late : {0, 50, 100}) {
        if (policy.split == ListPolicy::Split::kNever && late != 50) continue;
        ListPolicy p = policy;
        p.wait_percent = wait;
        p.alive_percent = alive;
        p.late_percent = late;
        if (p != policy) all.push_back(p);
      }
    }
  }
  return all;
}

}  // namespace orrery
