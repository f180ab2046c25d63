#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/report/table.hpp"

namespace orrery {

/// An input or an assumption that two results do not share; texts are JSON, empty where a side has none.
struct InputDifference {
  std::string key;  ///< "layout.pp"
  std::string a, b;
};

/// A number of both results.
struct MetricDifference {
  std::string name;  ///< "step.waterfall_s.bubble"
  std::string unit;  ///< by the ending of the name, empty where it tells none
  std::optional<double> a, b;
  [[nodiscard]] std::optional<double> difference() const;      ///< b - a
  [[nodiscard]] std::optional<double> change_percent() const;  ///< empty where a is 0
};

struct Comparison {
  std::string a_name, b_name;
  bool a_feasible = true, b_feasible = true;
  std::vector<InputDifference> inputs;       ///< of the scenarios
  std::vector<InputDifference> assumptions;  ///< figures behind the results
  std::vector<MetricDifference> metrics;     ///< every number, equal ones included
  std::vector<std::string> notes;
};

/// Compares two objects of schema orrery.result/1, given as text. InputError at the name of a side that is
/// none.
[[nodiscard]] Comparison compare_results(const std::string& a_name, const std::string& a_text,
                                         const std::string& b_name, const std::string& b_text);

/// Inputs, metrics and, where there are any, assumptions that differ. `all` shows equal metrics, too.
[[nodiscard]] std::vector<Table> comparison_tables(const Comparison& comparison, bool all);
/// {"schema": "orrery.compare/1", ...}, every metric included.
[[nodiscard]] std::string comparison_json(const Comparison& comparison);

}  // namespace orrery
