#include <fmt/format.h>

#include <cmath>

#include "planner/cli/command.hpp"
#include "planner/cli/environment.hpp"
#include "planner/cli/options.hpp"
#include "planner/cli/output.hpp"
#include "planner/cli/validate_data.hpp"
#include "planner/validate.hpp"
#include "planner/validate_table.hpp"

namespace orrery::cli {
namespace {

Table error_table(const std::vector<ValidationRow>& rows, bool verbose) {
  Table t{.key = "validation",
          .title = "Published runs beside this program",
          .columns = {{"case", "case", false},
                      {"quantity", "quantity", false},
                      {"published", "published"},
                      {"computed", "computed"},
                      {"error_percent", "error %"},
                      {"unit", "unit", false}},
          .rows = {},
          .notes = {}};
  if (verbose) {
    t.columns.push_back({"note", "note", false});
    t.columns.push_back({"source", "source", false});
  }
  double sum = 0;
  for (const ValidationRow& row : rows) {
    const double error = 100 * (row.computed / row.published - 1);
    sum += std::abs(error);
    t.rows.push_back({row.name, row.quantity, Cell{digits_text(row.published), row.published, row.unit},
                      Cell{digits_text(row.computed), row.computed, row.unit},
                      Cell{fmt::format("{:+.1f}", error), error, "%"}, row.unit});
    if (!verbose) continue;
    t.rows.back().emplace_back(row.note);
    t.rows.back().emplace_back(row.source);
  }
  if (!rows.empty())
    t.notes.push_back(fmt::format("{} figures, mean absolute error {:.1f} %.", rows.size(),
                                  sum / static_cast<double>(rows.size())));
  if (!verbose) t.notes.emplace_back("-v adds notes and sources.");
  return t;
}

int run(const Invocation& call) {
  if (call.has("--set")) throw UsageError("validate runs the published cases as they are; leave --set out");
  if (call.has("--data")) {
    const TableValidation found = validate_table(load_published_table(call.get("--data")), profile_folders());
    emit(call, data_text(found, call.get("--format", "table"), call.has("--verbose")));
    return kFine;
  }
  const bool programs = call.get("--format", "table") != "table";
  emit(call, error_table(validate_published(profile_folders()), programs || call.has("--verbose")));
  return kFine;
}

}  // namespace

CommandInfo validate_command() {
  return {
      .name = "validate",
      .summary = "Runs the published cases and prints how far off the results are.",
      .examples = {{"orrery validate", "the table of errors"},
                   {"orrery validate --format csv -o errors.csv", "with notes and sources, for programs"},
                   {"orrery validate --data runs.csv", "errors of a table of measured runs, by source"}},
      .positionals = {},
      .options = std::vector<OptionInfo>{{.name = "--data",
                                          .value = "FILE",
                                          .what = "run the rows of this CSV table of measured training runs "
                                                  "instead; docs/validation.md has its columns"}} +
                 common_options(),
      .run = run};
}

}  // namespace orrery::cli
