#include "planner/compare.hpp"

#include "planner/cli/command.hpp"
#include "planner/cli/environment.hpp"
#include "planner/cli/options.hpp"
#include "planner/cli/output.hpp"
#include "sim/base/fields.hpp"
#include "sim/report/report_json.hpp"
#include "sim/simulate.hpp"

namespace orrery::cli {
namespace {

/// A result as it is written in the file, or the result of simulating the scenario in it. Overrides make a
/// new scenario of a result.
std::string result_text(const Invocation& call, std::size_t positional) {
  const std::string path = call.positional(positional);
  if (path != "-" && overrides_of(call).empty()) {
    const std::string text = read_file(path);
    const bool blank = text.find_first_not_of(" \t\r\n") == std::string::npos;
    const Json json = blank ? Json() : parse_json(text, path);
    if (json.is_object() && json.value("schema", Json()) == "orrery.result/1") return text;
  }
  const ScenarioInput input = read_scenario(call, positional);
  return result_json(simulate(input.scenario).metrics, input.scenario, program_info());
}

std::string formatted(const Invocation& call, const Comparison& comparison) {
  const std::string format = call.get("--format", "table");
  if (format == "json") return comparison_json(comparison);
  const std::vector<Table> tables = comparison_tables(comparison, call.has("--verbose"));
  if (format == "csv") return to_tidy_csv(tables);
  std::string out;
  for (const Table& table : tables) {
    if (!out.empty()) out += "\n";
    out += format == "md" ? to_markdown(table) : to_plain(table);
  }
  return out;
}

int run(const Invocation& call) {
  if (call.positional(0) == "-" && call.positional(1) == "-")
    throw UsageError("standard input can be one of the two only");
  const Comparison comparison =
      compare_results(call.positional(0), result_text(call, 0), call.positional(1), result_text(call, 1));
  emit(call, formatted(call, comparison));
  if (comparison.a_feasible || comparison.b_feasible) return kFine;
  note(call, "nothing feasible: neither of the two can run");
  return kNothingFeasible;
}

}  // namespace

CommandInfo compare_command() {
  return {
      .name = "compare",
      .summary =
          "Two results or scenarios side by side: what differs in the input, what that does to each figure.",
      .examples = {{"orrery compare run-a.json run-b.json",
                    "results or scenarios; a scenario is simulated first"},
                   {"orrery compare docs/examples/deepseek-v3-2048-h800.json pp8.json --format md",
                    "as Markdown; also json and csv"},
                   {"orrery compare run-a.json run-b.json -v", "equal figures as well"},
                   {"orrery compare a.json b.json --set training.sequence_length=8192",
                    "both with one more change"}},
      .positionals = {{.name = "A", .what = "result or scenario", .required = true},
                      {.name = "B",
                       .what = "result or scenario; one of the two may be - for standard input",
                       .required = true}},
      .options = scenario_options() + common_options(),
      .run = run};
}

}  // namespace orrery::cli
