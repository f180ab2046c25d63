#pragma once

#include <cstdint>
#include <vector>

#include "sim/engine/timeline.hpp"
#include "sim/lower/lower.hpp"
#include "sim/lower/memory.hpp"
#include "sim/report/metrics.hpp"
#include "sim/scenario.hpp"

namespace orrery {

/// What the metrics are computed from, besides the timeline.
struct Measured {
  const Scenario& scenario;
  const Derived& derived;
  const Workload& workload;
  const std::vector<RankMemory>& memory;
  MemoryRules rules;
  std::int64_t communication_sms = 0;
};

/// Bytes an update moves per parameter a rank owns: gradient and master weight read, moments read and
/// written, master weight and BF16 weight written.
[[nodiscard]] double optimizer_traffic(const MemoryRules& rules);

[[nodiscard]] Metrics measure(const Measured& in, const LoweredStep& step, const Timeline& timeline);
[[nodiscard]] Metrics infeasible_metrics(const Measured& in, const Infeasible& reason);

/// Inputs behind the result with their sources: scenario, profile numbers used, rules of this program.
[[nodiscard]] std::vector<Assumption> list_assumptions(const Measured& in, const LoweredStep* step);

}  // namespace orrery
