#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "planner/search_space.hpp"

namespace orrery {

/// A schedule with a number of stages per rank that it has.
struct Variant {
  std::string schedule;
  std::int64_t vpp = 1;
  bool pairs = false;     ///< overlaps forwards with backwards
  bool searched = false;  ///< an order is searched for each layout: nothing is known of it before
};

/// The schedules of a space with the stages per rank that each may have.
[[nodiscard]] std::vector<Variant> variants_of(const SearchSpace& space);

/// One layout of a space: places in its lists. The order of candidates decides between equals.
struct Candidate {
  std::uint8_t precision = 0, tp = 0, cp = 0, ep = 0, etp = 0, microbatch = 0, sequence_parallel = 0;
  std::uint8_t recompute = 0, pp = 0, variant = 0, placement = 0, sms = 0, zero = 0, offload = 0;
  auto operator<=>(const Candidate&) const = default;
};

/// What a search leaves as the scenario has it; the rest at its defaults.
[[nodiscard]] Layout carried_over(const Layout& base);

/// The layout; a placement that counts layers is written out, the balanced one left to the simulator.
/// `layers`: of the model.
[[nodiscard]] Layout layout_of(const SearchSpace& space, const std::vector<Variant>& variants,
                               const Candidate& candidate, const Layout& base, std::int64_t layers);

/// Sets scenario.layout and its precision.
void apply(const SearchSpace& space, const std::vector<Variant>& variants, const Candidate& candidate,
           const Layout& base, Scenario& scenario);

/// Whether conditions on layouts leave it in. `placement` as in the space.
[[nodiscard]] bool allowed(const SearchSpace& space, const Scenario& scenario, LayerPlacement placement);
[[nodiscard]] bool meets(const LayoutCondition& condition, const Scenario& scenario,
                         LayerPlacement placement);

/// "tp 8, pp 16 x 2, dp 16, mbs 1, zb-v, recompute none, zero 1": what is not 1 or off.
[[nodiscard]] std::string layout_text(const Layout& layout, const Derived& derived);

}  // namespace orrery
