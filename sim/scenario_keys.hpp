#pragma once

#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace orrery {

/// One key of a scenario as people see it: unit, inclusive limits and what it means. The reader takes its
/// limits from here, so what `config show` prints is what is enforced.
struct ScenarioKey {
  std::string_view key;   ///< dotted: "layout.pp"
  std::string_view unit;  ///< empty where there is none
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool above_low = false;  ///< `low` itself is not allowed
  bool is_text = false;    ///< a value of the command line is text even where it looks like a number
  std::string_view what;
};

/// Every key of orrery.scenario/1 except `schema`, in the order of the file.
[[nodiscard]] std::span<const ScenarioKey> scenario_keys();
/// nullptr when there is no such key.
[[nodiscard]] const ScenarioKey* find_scenario_key(std::string_view key);
/// ">= 1", "0 to 3", "> 0", or empty for text and flags.
[[nodiscard]] std::string bounds_text(const ScenarioKey& key);

}  // namespace orrery
