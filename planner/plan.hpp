#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "planner/search.hpp"

namespace orrery {

/// What a plan is asked.
struct PlanRequest {
  Scenario scenario;  ///< its layout is the starting point, not a limit
  SearchSpace space;
  std::optional<RunData> run_data = {};  ///< for failures, checkpoints and carbon; without it nothing fails
  Objective objective;
  std::vector<Constraint> constraints;
  std::vector<Metric> front;  ///< two or three metrics of a Pareto front; empty: none
  int front_points = 6;       ///< at most so many, from the best in the first metric on
  std::size_t top = 5;
  std::size_t threads = 1;
  bool auto_schedule = true;  ///< try the searched schedule on the best layout
  bool sensitivity = true;    ///< what would flip the choice, and how robust it is
  std::function<bool()> stop = {};
  std::function<void(const SearchProgress&)> progress = {};
};

/// A change of one input at which the runner-up becomes the best.
struct Flip {
  std::string input;  ///< "bandwidth between nodes"
  double factor = 1;  ///< of its present value
};

/// How the best layout fares when the profile's rates are off by their known errors.
struct Robustness {
  int draws = 0, best_stays = 0;
  double worst_regret = 0;  ///< most that it was slower than the best of a draw, relative
};

/// The answer.
struct PlanReport {
  Scenario scenario;
  RunScale scale;  ///< from steps to the run
  std::vector<std::pair<std::string, std::string>> space;
  Objective objective;
  std::vector<Constraint> constraints;
  SearchResult search;
  std::vector<Metrics> metrics;  ///< of search.best, simulated; fewer where a `ControlScope` was stopped
  std::vector<Found> front;
  std::vector<Metric> front_metrics;
  bool front_complete = false;        ///< every point of the front stands in it
  std::optional<Metrics> own;         ///< of the scenario's layout, where it is whole and fits
  Verdict own_verdict;                ///< why it does not
  std::optional<double> auto_step_s;  ///< of the searched schedule on the best layout
  std::string auto_how;
  std::vector<Flip> flips;
  std::vector<std::string> flips_tried;  ///< inputs that were varied, between what and what
  std::optional<Robustness> robustness;
  /// Where nothing is feasible: single changes of the question that make something so.
  std::vector<std::string> nearest;

  [[nodiscard]] bool found() const { return !search.best.empty(); }
};

/// Errors: InputError for constraints that contradict each other and for inputs that a metric lacks.
[[nodiscard]] PlanReport plan_layouts(const PlanRequest& request);

/// From steps to the run, by what the request knows.
[[nodiscard]] RunScale scale_of(const PlanRequest& request);

/// InputError naming a setting of the layout that neither search space nor bounds know.
void refuse_unknown_settings(const Layout& layout);

/// The scenario with a layout that was found.
[[nodiscard]] Scenario scenario_of(const PlanReport& report, const Found& found);

/// The Pareto front of two or three metrics, best in the first metric first: one search after the other, each
/// for the best of what no point found so far beats in all other metrics. Metrics that say the same on one
/// cluster (days and usd) count once. `complete`: the search ended because nothing was left.
[[nodiscard]] std::vector<Found> find_front(const PlanRequest& request, const SearchResult& search,
                                            bool& complete);

/// Several lines on a space without a feasible layout.
[[nodiscard]] std::vector<std::string> nearest_changes(const PlanRequest& request);

/// Inputs at which the second of two layouts gets better than the first, by chunk-level simulation.
[[nodiscard]] std::vector<Flip> find_flips(const Scenario& best, const Scenario& runner_up,
                                           std::vector<std::string>& tried);
/// Layouts [0] is the best one.
[[nodiscard]] Robustness robustness_of(const std::vector<Scenario>& layouts, std::size_t threads);

}  // namespace orrery
