#pragma once

#include <set>
#include <string>

#include "planner/report/document.hpp"

namespace orrery::gui {

/// The document without the sections of these keys. What was left out is named in a section at the end; the
/// figures stay, since other sections may show them.
[[nodiscard]] Document without_sections(const Document& document, const std::set<std::string>& left_out);

}  // namespace orrery::gui
