#pragma once

#include <map>
#include <string>

#include "gui/core/run_view.hpp"
#include "planner/training_run.hpp"

namespace orrery::gui {

/// How far a headline figure may be off, and where that is known from.
struct FigureRange {
  double low = 0, high = 0;  ///< in base units: s, USD, W, ...
  std::string what;          ///< "P10 to P90": what the two ends are
  std::string source;
};

/// Ranges by the key of a tile ("step", "days", ...); a tile without one has no known error.
using Ranges = std::map<std::string, FigureRange>;

/// Step, throughput and MFU by the model's error on published runs; days and rent by sampling every input of
/// the run (planner/uncertainty); power by the model's error of power above idle. Takes tens of milliseconds:
/// for a worker.
[[nodiscard]] Ranges headline_ranges(const RunView& run, const RunData& data);

}  // namespace orrery::gui
