#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "planner/screen.hpp"

namespace orrery {

struct SearchProgress {
  std::int64_t candidates = 0, decided = 0, evaluated = 0;
  std::optional<double> best;  ///< objective of the best so far
};

struct SearchOptions {
  std::size_t threads = 1;  ///< results do not depend on it
  std::size_t top = 5;      ///< as many best layouts are kept, at least 1
  /// Looked at first where the space has it: a good start spares work. Changes no answer.
  std::optional<Layout> seed = {};
  /// Layouts whose objective is no better do not count: `best` may stay empty though some are feasible.
  double better_than = std::numeric_limits<double>::infinity();
  /// Asked between rounds: end with the best so far. A `ControlScope` that is stopped ends the search inside
  /// a round; where this says so too, also with the best so far, else with `Stopped`.
  std::function<bool()> stop = {};
  std::function<void(const SearchProgress&)> progress = {};
};

/// A layout with its figures at operator level.
struct Found {
  Candidate candidate;
  Layout layout;                           ///< as a scenario has it
  std::vector<std::int64_t> stage_layers;  ///< as simulated, also where the layout leaves them open
  Precision precision = Precision::kBf16;
  Figures figures;
  double objective = 0;
};

struct SearchResult {
  std::int64_t candidates = 0;  ///< in the space
  ReasonCounts infeasible;      ///< by reason
  std::int64_t bounded = 0;     ///< their bound is no better than the worst layout kept
  std::int64_t evaluated = 0;   ///< at chunk level; includes those found infeasible or no better there
  std::int64_t simulated = 0;   ///< of these, at operator level too
  std::vector<Found> best;      ///< best first; equal ones in the order of candidates
  bool complete = false;        ///< every candidate is decided: the list is proven best
  double lower_bound = 0;  ///< no layout in the space has a smaller objective; -infinity: nothing is known
};

/// Best-first branch and bound. The space is opened by degrees and microbatch; what a bound cannot exclude is
/// screened layout by layout, what that bound cannot exclude is evaluated at chunk level
/// (sim/chunk_step.hpp), and where that is no more than a bound itself, at operator level. Rounds have a
/// fixed size and are merged in order, so neither result nor counts depend on the number of threads.
[[nodiscard]] SearchResult search_layouts(const Scenario& scenario, const SearchSpace& space,
                                          const Goal& goal, const SearchOptions& options);

}  // namespace orrery
