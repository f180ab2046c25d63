#include <fmt/format.h>

#include "planner/cli/command.hpp"
#include "planner/cli/environment.hpp"
#include "planner/cli/options.hpp"
#include "planner/cli/output.hpp"
#include "planner/training_run.hpp"
#include "sim/report/report_json.hpp"
#include "sim/report/report_text.hpp"
#include "sim/simulate.hpp"

namespace orrery::cli {
namespace {

std::string formatted(const Invocation& call, const Metrics& metrics, const Scenario& scenario) {
  const std::string format = call.get("--format", "table");
  if (format == "json") return result_json(metrics, scenario, program_info());
  TextOptions options{.format = TextFormat::kTable,
                      .all = call.has("--verbose"),
                      .published = load_published(profile_folders())};
  if (format == "md") options.format = TextFormat::kMarkdown;
  if (format == "csv") options.format = TextFormat::kCsv;
  return result_text(metrics, scenario, options);
}

int run(const Invocation& call) {
  const ScenarioInput input = read_scenario(call, 0);
  SimResult result = simulate(input.scenario);
  complete_run(result.metrics, input.scenario, find_run_data(profile_folders()));
  emit(call, formatted(call, result.metrics, input.scenario));
  if (result.metrics.infeasible) {
    note(call, "nothing feasible: " + result.metrics.infeasible->text);
    return kNothingFeasible;
  }
  hint(call, "next: 'orrery export ... --as chrome-trace -o step.json' to see the step on a timeline");
  return kFine;
}

}  // namespace

CommandInfo simulate_command() {
  return {.name = "simulate",
          .summary = "One layout: time of a step and where it goes, memory, throughput, cost.",
          .examples =
              {{"orrery simulate docs/examples/deepseek-v3-2048-h800.json",
                "DeepSeek-V3 on 2,048 H800, beside the published figures"},
               {"orrery simulate docs/examples/deepseek-v3-2048-h800.json --pp 8 --format json -o pp8.json",
                "the same with 8 pipeline ranks, for programs"},
               {"orrery simulate --model llama-3-8b --cluster h100-sxm-ib400 --gpus 64 --tp 2 --gbs 256",
                "no file at all"},
               {"orrery simulate run.json --set routing.kind=skewed --set routing.max_over_mean=1.3",
                "any key of the scenario"}},
          .positionals = {{.name = "SCENARIO.json",
                           .what = "scenario, or a result that holds one; - reads standard input"}},
          .options = scenario_options() + common_options(),
          .run = run};
}

}  // namespace orrery::cli
