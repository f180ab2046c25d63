#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/scenario.hpp"

namespace orrery {

/// A layout beside that of the scenario, for the same model, batch and GPUs.
struct PlanPoint {
  std::string layout;       ///< "pp 16, ep 64, dp 128, zero 1, mbs 1 x 120, dualpipe"
  double step_s = 0;        ///< without failures
  double memory_bytes = 0;  ///< of the fullest GPU
  bool own = false;         ///< the scenario's own layout

  bool operator==(const PlanPoint&) const = default;
};

/// Layouts that a search found, and of what space they are the best.
struct Alternatives {
  std::vector<PlanPoint> points;  ///< fastest first
  std::vector<PlanPoint> front;   ///< no layout looked at is both faster and smaller; fastest first
  std::vector<std::pair<std::string, std::string>> space;  ///< key and what was tried of it
  std::int64_t candidates = 0;                             ///< layouts in the space
  bool proven = false;          ///< no layout of the space is faster than the first point
  bool front_complete = false;  ///< `front` is that of the whole space
  std::string source;           ///< file of the plan; empty: searched for the report
  std::string why_none;         ///< why nothing was searched
};

/// Searches a small space around the scenario's layout: half, as many and twice the pipeline ranks, one, two
/// and the scenario's stages per rank, every schedule; all else as it is. At most 70 layouts or so, all
/// evaluated, so that the front is the whole space's. A layout with settings the search does not know gives
/// no points and `why_none`. The result does not depend on `threads`.
[[nodiscard]] Alternatives search_alternatives(const Scenario& scenario, std::size_t threads);

/// From an answer of `orrery plan --format json` (orrery.plan/1). InputError with place and pointer for a
/// damaged one, another version, one about another model, cluster, number of GPUs or training, or without a
/// layout.
[[nodiscard]] Alternatives read_alternatives(std::string_view text, const std::string& place,
                                             const Scenario& scenario, const LoadContext& context);

}  // namespace orrery
