#pragma once

#include <string>
#include <vector>

#include "sim/scenario.hpp"

namespace orrery::gui {

/// Values to try for a key of the scenario that has `value` now, as the command line takes them: those that a
/// plan would search where it knows the key, both of a flag, half and double of a whole number, a fifth less
/// and a quarter more of another one, all within the key's bounds. Else the value alone.
[[nodiscard]] std::vector<std::string> values_to_vary(const Scenario& scenario, const std::string& key,
                                                      const std::string& value);

}  // namespace orrery::gui
