#pragma once

#include <string>
#include <vector>

#include "sim/report/metrics.hpp"
#include "sim/report/published.hpp"
#include "sim/scenario.hpp"

namespace orrery {

enum class TextFormat { kTable, kMarkdown, kCsv };

struct TextOptions {
  TextFormat format = TextFormat::kTable;
  bool all = false;                          ///< every rank, stage and assumption; CSV always has them
  std::vector<PublishedRun> published = {};  ///< those about the scenario are shown beside the result
};

/// A result for people: ASCII, at most 100 characters wide as a table; Markdown; or CSV with one value per
/// line (section, item, quantity, value, unit) in base units.
[[nodiscard]] std::string result_text(const Metrics& metrics, const Scenario& scenario,
                                      const TextOptions& options);

/// Two lines that say what was simulated: model, cluster, layout, batch.
[[nodiscard]] std::string scenario_line(const Scenario& scenario);

}  // namespace orrery
