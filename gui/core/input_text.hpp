#pragma once

#include <string>

#include "planner/inputs.hpp"

namespace orrery::gui {

/// The value of an input in few letters that mean exactly the same: 148000000000000 is 148e12. What scenarios
/// take, so that it can be edited as it stands.
[[nodiscard]] std::string short_value(const std::string& value);

/// The unit behind a value: one GPU, two GPUs; empty where there is no value.
[[nodiscard]] std::string unit_after(const InputRow& row);

/// Where a value is from, in a word: "file", "edited", "assumed", "profile", "measured", "follows",
/// "default".
[[nodiscard]] std::string source_badge(const InputRow& row);

}  // namespace orrery::gui
