#pragma once

#include <string>

#include "planner/report/document.hpp"

namespace orrery {

/// Schema orrery.report/1, the source of every other format.
[[nodiscard]] std::string to_json_text(const Document& document);
/// Reads it back; `place` names the file in errors. Strict: an unknown key, another schema, a cell with an
/// unknown figure or a number that is none is an InputError.
[[nodiscard]] Document parse_document(const std::string& text, const std::string& place);

}  // namespace orrery
