#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gui/core/ranges.hpp"
#include "gui/core/run_view.hpp"

namespace orrery::gui {

/// One figure of the top line, with its unit, what was published beside it, and how it comes about.
struct Tile {
  std::string key;        ///< "step"
  std::string title;      ///< "step"
  std::string value;      ///< with unit; "not computed" where the model has none
  std::string range;      ///< "P10 to P90 17.2 to 30.8 s"; empty where no error is known, or not yet
  std::string published;  ///< "published 19.93 s, -4.7 %"; empty where there is nothing to compare with
  std::string against;    ///< change to run B, "+3.2 % to B"; empty without one
  std::string badge;      ///< "simulated", "assumed price x simulated time"
  std::vector<std::pair<std::string, std::string>>
      derivation;  ///< formula, then its inputs with their sources
};

/// Step, throughput, MFU, days, money, memory, power; one "infeasible" tile and memory otherwise. `b` may be
/// null; `ranges` may lack any.
[[nodiscard]] std::vector<Tile> headline(const RunView& run, const RunView* b, const Ranges& ranges = {});
/// At most three sentences on what limits the step, each with its size.
[[nodiscard]] std::vector<std::string> bottlenecks(const RunView& run);

}  // namespace orrery::gui
