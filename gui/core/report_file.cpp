#include "gui/core/report_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "planner/report/document_json.hpp"
#include "planner/report/report_builder.hpp"
#include "planner/report/report_input.hpp"
#include "planner/report/writers.hpp"
#include "sim/base/check.hpp"
#include "sim/base/suggest.hpp"
#include "sim/report/published.hpp"

namespace orrery::gui {

Document run_report(const RunView& run, const ProfileFolders& profiles, const ReportOrigin& origin,
                    bool alternatives) {
  const std::string& place = origin.place;
  if (!run.feasible())
    throw InputError(place, "has no report: the layout does not fit, " + run.metrics().infeasible->text);
  const RunData data = find_run_data(profiles);
  // What the scenario lacks is said before anything is simulated.
  (void)report_input(run.scenario(), run.metrics(), {}, data, {}, place);
  ReportRuns runs;
  if (alternatives) runs = report_runs(run.scenario(), run.metrics(), true);
  ReportInput in =
      report_input(run.scenario(), run.metrics(), std::move(runs), data, load_published(profiles), place);
  in.program = origin.program;
  in.source = place;
  in.command = origin.command;
  in.scenario_text = to_json_text(run.scenario());
  return build_report(in);
}

const std::vector<std::string>& report_endings() {
  static const std::vector<std::string> kEndings{"html", "pdf", "md", "csv", "json"};
  return kEndings;
}

std::string report_text(const Document& document, const std::string& ending, const std::string& place) {
  if (ending == "html") return html_report(document);
  if (ending == "pdf") return pdf_report(document);
  if (ending == "md") return markdown_report(document);
  if (ending == "csv") return csv_report(document);
  if (ending == "json") return to_json_text(document);
  throw InputError(place, fmt::format("found the ending '{}', expected one of {}{}", ending,
                                      join(report_endings()), did_you_mean(ending, report_endings())));
}

}  // namespace orrery::gui
