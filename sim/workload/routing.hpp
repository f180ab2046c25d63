#pragma once

#include <cstdint>

#include "sim/model/model_spec.hpp"

namespace orrery {

/// Which experts the tokens choose.
struct Routing {
  enum class Kind { kBalanced, kSkewed } kind = Kind::kBalanced;
  double max_over_mean = 1;  ///< rows of the busiest rank over the mean; 1 when balanced
};

/// Expected spread of one token's top-k choice over nodes and ranks.
struct ExpertSpread {
  double node_copies = 1;  ///< distinct target nodes, the own node counted
  double rank_copies = 1;  ///< distinct target ranks, the own rank counted
};

/// Uniform choice of `groups_kept` of `groups` expert groups, then of top_k experts inside them (arXiv
/// 2412.19437, 2.1.2). With u experts of the kept groups on a unit, out of E = groups_kept * experts / groups
/// candidates, the unit is hit with probability 1 - C(E-u, k) / C(E, k); the sum over the possible u and over
/// the units is exact for units smaller than a group, larger, or cut across. `ranks` = expert-parallel size,
/// `ranks_per_node` = those of them that share a node; experts are numbered through, ranks fill nodes.
[[nodiscard]] ExpertSpread expert_spread(const MoeShape& moe, std::int64_t ranks,
                                         std::int64_t ranks_per_node);

}  // namespace orrery
