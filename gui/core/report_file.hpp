#pragma once

#include <string>
#include <vector>

#include "gui/core/run_view.hpp"
#include "planner/report/document.hpp"

namespace orrery::gui {

/// What a report says about itself.
struct ReportOrigin {
  std::string place;    ///< of the scenario: file or "built-in example"
  std::string program;  ///< with version
  std::string command;  ///< that makes it again
};

/// The training-cost report of a run, as `orrery report` makes it: with simulated alternatives, which takes
/// seconds, unless `alternatives` is false. InputError that names everything the scenario lacks for it.
[[nodiscard]] Document run_report(const RunView& run, const ProfileFolders& profiles,
                                  const ReportOrigin& origin, bool alternatives);

/// Endings that a report can be written with: html, pdf, md, csv, json.
[[nodiscard]] const std::vector<std::string>& report_endings();
/// The document in the format of the ending. InputError at `place` for another ending, or for PDF in a build
/// without it.
[[nodiscard]] std::string report_text(const Document& document, const std::string& ending,
                                      const std::string& place);

}  // namespace orrery::gui
