#pragma once

#include <vector>

#include "sim/report/metrics.hpp"
#include "sim/report/published.hpp"
#include "sim/report/table.hpp"
#include "sim/scenario.hpp"

namespace orrery {

/// How much of a result is shown.
struct ShownRows {
  bool all = false;             ///< every rank, stage and assumption
  bool compact = false;         ///< for people: an assumption is one sentence
  std::size_t ranks = 16;       ///< rows of the memory and stage tables otherwise
  std::size_t assumptions = 8;  ///< likewise
};

/// The tables of a feasible result, in order: summary, comparisons with `published` runs that are about the
/// scenario, breakdown, waterfall, memory, stages, power, run, assumptions. Tables with nothing in them are
/// left out.
[[nodiscard]] std::vector<Table> result_tables(const Metrics& metrics, const Scenario& scenario,
                                               const std::vector<PublishedRun>& published, ShownRows shown);
/// The tables of an infeasible one: reason, memory where it was computed, assumptions.
[[nodiscard]] std::vector<Table> infeasible_tables(const Metrics& metrics, const Scenario& scenario,
                                                   ShownRows shown);

}  // namespace orrery
