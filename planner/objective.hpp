#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "planner/run_scale.hpp"
#include "sim/report/metrics.hpp"
#include "sim/scenario.hpp"

namespace orrery {

/// What a plan can be judged by.
enum class Metric { kStep, kDays, kUsd, kEnergy, kCarbon, kMfu, kMemory, kHeadroom, kPower, kGpus };

struct MetricInfo {
  Metric metric;
  const char* name;  ///< "days"
  const char* unit;  ///< of its value: "d"
  bool more_is_better;
  const char* what;
};
[[nodiscard]] const std::vector<MetricInfo>& metrics();
[[nodiscard]] const MetricInfo& info_of(Metric metric);
/// Errors: InputError at `place` with the nearest name.
[[nodiscard]] Metric parse_metric(std::string_view name, const std::string& place);

/// What the metrics of one layout are worked out from.
struct Figures {
  double step_s = 0;
  double memory_bytes = 0;
  double energy_j = 0;  ///< of all nodes in a step, without the building
};

/// Turns figures into metrics for one scenario. Every metric falls or rises with the step's time at constant
/// work, so bounds on the figures give bounds on the metrics.
class Meter {
 public:
  /// `scale` of the scenario; without it nothing fails.
  Meter(const Scenario& scenario, std::string place, const std::optional<RunScale>& scale = {});

  [[nodiscard]] double value(Metric metric, const Figures& figures) const;
  /// The same with the sign that makes less better.
  [[nodiscard]] double cost(Metric metric, const Figures& figures) const {
    return (info_of(metric).more_is_better ? -1 : 1) * value(metric, figures);
  }
  /// Errors: InputError naming the input of the scenario that the metric lacks.
  void demand(Metric metric) const;

 private:
  const Scenario& scenario_;
  std::string place_;
  RunScale scale_;
  double model_flops_per_step_ = 0;
};

/// "days", "usd+20000*days" (a day is worth 20,000 dollars), "days:1%,memory" (the least memory of what is
/// within 1 % of the fewest days). Smaller is better; metrics of which more is better count negatively.
struct Objective {
  struct Term {
    Metric metric = Metric::kStep;
    double weight = 1;
  };
  struct Level {
    std::vector<Term> terms;
    double tolerance = 0;  ///< relative, of this level when the next decides
  };
  std::vector<Level> levels;
  std::string text;

  [[nodiscard]] static double value(const Level& level, const Meter& meter, const Figures& figures);
};
[[nodiscard]] Objective parse_objective(std::string_view text, const std::string& place);

/// "days<=60", "usd<=6M", "memory<=76GB", "power<=20MW".
struct Constraint {
  Metric metric = Metric::kStep;
  bool at_most = true;
  double limit = 0;  ///< in the metric's unit
  std::string text;

  [[nodiscard]] bool holds(double value) const { return at_most ? value <= limit : value >= limit; }
  /// Whether a bound on the figures (least time, memory, energy) already breaks it.
  [[nodiscard]] bool broken_by_bound(const Meter& meter, const Figures& least) const;
};
/// Empty where the text names no metric (a condition on the layout, perhaps). Errors: InputError at `place`.
[[nodiscard]] std::optional<Constraint> parse_constraint(std::string_view text, const std::string& place);

/// Throws InputError naming the two that cannot both hold, whatever the layout: limits of one metric that
/// leave nothing between them, or of two that say the same of the step's time.
void check_contradictions(const std::vector<Constraint>& constraints, const Meter& meter,
                          const std::string& place);

}  // namespace orrery
