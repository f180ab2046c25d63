#pragma once

#include <string>

#include "sim/report/metrics.hpp"

namespace orrery {

/// The numbers of a result (schema orrery.result/1) as `simulate --format json` wrote them; the trace has the
/// mean over the GPUs only. An infeasible result, another schema, a missing number or one that is none is
/// an InputError with file and pointer. The scenario inside is read by `parse_scenario`.
[[nodiscard]] Metrics parse_result(const std::string& text, const std::string& place);

}  // namespace orrery
