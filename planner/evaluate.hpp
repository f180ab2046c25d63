#pragma once

#include <optional>
#include <string>
#include <vector>

#include "planner/screen.hpp"

namespace orrery {

/// What became of one candidate.
struct Evaluated {
  std::string infeasible;  ///< reason code or "constraint"; empty: feasible
  bool complete = false;   ///< `figures` are those of the operator level; else only no better than the cut
  bool operator_level = false;  ///< simulated task by task
  Figures figures;
  double objective = 0;
  std::vector<std::int64_t> stage_layers;
};

/// Evaluates candidates one by one. One per thread.
class Evaluator {
 public:
  Evaluator(const Scenario& scenario, const SearchSpace& space, const std::vector<Variant>& variants,
            const Goal& goal);

  /// At chunk level; where that is not exact and better than `cut`, or where the goal asks for more than time
  /// and memory, at operator level.
  [[nodiscard]] Evaluated evaluate(const Candidate& candidate, double cut);
  /// The same for a candidate that nobody has screened; nothing where it breaks a rule on sizes.
  [[nodiscard]] std::optional<Evaluated> try_seed(const Candidate& candidate);

 private:
  /// The schedule itself is looked for, in seconds; `scenario_` holds the layout.
  [[nodiscard]] Evaluated evaluate_searched(double cut);
  void simulate_into(Evaluated& out);
  static void take(const Metrics& metrics, Evaluated& out);
  /// Objective, limits and front of complete figures.
  void judge(Evaluated& out) const;

  Scenario scenario_;
  Layout base_;
  const SearchSpace& space_;
  const std::vector<Variant>& variants_;
  const Goal& goal_;
  Meter meter_;
  bool needs_energy_ = false;
};

}  // namespace orrery
