#pragma once

#include <string>

#include "sim/report/metrics.hpp"
#include "sim/scenario.hpp"

namespace orrery {

/// What made a result.
struct ProgramInfo {
  std::string version;
  std::string commit;
};

/// The object of schema orrery.result/1. Times in seconds, memory in bytes. What is not modelled or not given
/// is null; of an infeasible layout everything but the reason, the memory and the assumptions is null. A
/// number that is not finite is an InternalError.
[[nodiscard]] std::string result_json(const Metrics& metrics, const Scenario& scenario,
                                      const ProgramInfo& program);

/// The scenario's assumed values and those behind the metrics, each name once.
[[nodiscard]] std::vector<Assumption> all_assumptions(const Metrics& metrics, const Scenario& scenario);

}  // namespace orrery
