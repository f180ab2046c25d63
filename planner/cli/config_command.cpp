#include "planner/cli/command.hpp"
#include "planner/cli/options.hpp"
#include "planner/cli/output.hpp"
#include "planner/inputs.hpp"

namespace orrery::cli {
namespace {

int run(const Invocation& call) {
  const ScenarioInput input = read_scenario(call, 1);
  Table t{.key = "config",
          .title = "",
          .columns = {{"key", "key", false},
                      {"value", "value", false},
                      {"unit", "unit", false},
                      {"bounds", "bounds", false},
                      {"source", "source", false}},
          .rows = {},
          .notes = {}};
  for (const InputRow& row : resolved_inputs(input.scenario, input.place, input.overrides))
    t.rows.push_back({row.key, row.value, row.unit, row.bounds, row.source});
  emit(call, t);
  return kFine;
}

}  // namespace

CommandInfo config_command() {
  return {.name = "config",
          .summary = "Every resolved input with value, unit, bounds and source.",
          .examples = {{"orrery config show docs/examples/deepseek-v3-2048-h800.json",
                        "what a simulation of this scenario would use, profile figures included"},
                       {"orrery config show run.json --pp 8 --format csv",
                        "the same with a change, for programs"}},
          .positionals = {{.name = "show", .what = "the word 'show'", .choices = {"show"}, .required = true},
                          {.name = "SCENARIO.json",
                           .what = "scenario, or a result that holds one; - reads standard input"}},
          .options = scenario_options() + common_options(),
          .run = run};
}

}  // namespace orrery::cli
