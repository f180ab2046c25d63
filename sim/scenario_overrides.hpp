#pragma once

#include <string>
#include <vector>

#include "sim/base/fields.hpp"
#include "sim/scenario.hpp"

namespace orrery {

/// The text of a scenario as JSON; an empty text is an empty scenario. InputError at `place` for what is no
/// JSON object.
[[nodiscard]] Json parse_scenario_text(const std::string& text, const std::string& place);

/// Puts the values of the command line into the scenario's JSON, in order. A value is JSON where it can be
/// read as such and text otherwise. InputError at the option's place for an empty key or a key inside a plain
/// value.
void apply_overrides(Json& root, const std::vector<Override>& overrides);

/// "file#/layout/pp", or the place of the last override of that value or of a group it stands in.
[[nodiscard]] std::string place_of(const std::string& pointer, const std::string& file,
                                   const std::vector<Override>& overrides);

}  // namespace orrery
