#include "gui/core/report_sections.hpp"

namespace orrery::gui {

Document without_sections(const Document& document, const std::set<std::string>& left_out) {
  Document out = document;
  out.sections.clear();
  std::string names;
  for (const Section& section : document.sections) {
    if (left_out.count(section.key) == 0) {
      out.sections.push_back(section);
      continue;
    }
    names += (names.empty() ? "" : ", ") + section.title;
  }
  if (!names.empty())
    out.sections.push_back({"left-out", "Left out", {"This copy was made without: " + names + "."}, {}, {}});
  return out;
}

}  // namespace orrery::gui
