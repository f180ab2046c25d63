#include "gui/core/input_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace orrery::gui {

std::string short_value(const std::string& value) {
  constexpr std::size_t kLong = 8;
  const bool whole = !value.empty() && std::all_of(value.begin(), value.end(),
                                                   [](unsigned char c) { return std::isdigit(c) != 0; });
  if (!whole || value.size() < kLong) return value;
  // Thousands are cut off as long as that loses nothing: at most three digits of a fraction stay.
  const std::size_t last = value.find_last_not_of('0');
  if (last == std::string::npos) return value;
  const std::size_t exponent = (value.size() - 1) / 3 * 3;
  const std::size_t before = value.size() - exponent;
  const std::string fraction = last >= before ? value.substr(before, last + 1 - before) : "";
  if (fraction.size() > 3) return value;
  return value.substr(0, before) + (fraction.empty() ? "" : "." + fraction) + fmt::format("e{}", exponent);
}

std::string unit_after(const InputRow& row) {
  if (row.value == "not given") return {};
  const bool plural =
      row.unit.size() > 2 && row.unit.ends_with('s') && row.unit.find('/') == std::string::npos;
  return row.value == "1" && plural ? row.unit.substr(0, row.unit.size() - 1) : row.unit;
}

std::string source_badge(const InputRow& row) {
  if (row.value == "not given") return "default";
  if (row.source.starts_with("edit of")) return "edited";
  if (row.source.starts_with("layout of the search")) return "search";
  if (row.source.starts_with("as the profile")) return "profile";
  if (row.source == "configuration") return "model";
  const std::size_t colon = row.source.find(": ");
  const std::string word = row.source.substr(0, colon);
  const bool plain =
      colon != std::string::npos && !word.empty() && word.size() < 12 &&
      std::all_of(word.begin(), word.end(), [](unsigned char c) { return std::islower(c) != 0; });
  return plain ? word : "file";
}

}  // namespace orrery::gui
