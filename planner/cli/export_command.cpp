#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <sstream>

#include "planner/cli/command.hpp"
#include "planner/cli/options.hpp"
#include "planner/cli/output.hpp"
#include "planner/export/chrome_trace.hpp"
#include "planner/export/launch.hpp"
#include "planner/export/schedule_svg.hpp"
#include "planner/export/svg_picture.hpp"
#include "sim/base/check.hpp"
#include "sim/base/fields.hpp"
#include "sim/base/suggest.hpp"
#include "sim/layout/check_layout.hpp"
#include "sim/schedule/generators.hpp"
#include "sim/simulate.hpp"

namespace orrery::cli {
namespace {

/// What --as takes.
std::vector<std::string> kinds() {
  return {"chrome-trace", "schedule-csv", "svg",       "png",   "pdf",
          "megatron",     "torchtitan",   "deepspeed", "sbatch"};
}

int infeasible(const Invocation& call, const Infeasible& reason) {
  note(call, "nothing feasible: " + reason.text);
  return kNothingFeasible;
}

int positive(const Invocation& call, const std::string& option, int otherwise) {
  if (!call.has(option)) return otherwise;
  const std::string text = call.get(option);
  int value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || rest != text.data() + text.size() || value < 1)
    throw InputError(option, fmt::format("found '{}', expected a whole number of at least 1", text));
  return value;
}

/// The schedule of sizes alone: no model, no cluster.
int export_bare_schedule(const Invocation& call) {
  for (const char* needed : {"--schedule", "--pp", "--microbatches"}) {
    if (!call.has(needed))
      throw UsageError(
          fmt::format("export --as schedule-csv needs a scenario, or --schedule, --pp and "
                      "--microbatches; {} is missing",
                      needed));
  }
  for (const OptionInfo& option : call.command->options) {
    const bool used = option.name == "--schedule" || option.name == "--pp" || option.name == "--vpp";
    if (!option.scenario_key.empty() && !used && call.has(option.name))
      throw UsageError(fmt::format("{} needs a scenario to change", option.name));
  }
  const std::string name = call.get("--schedule");
  const int pp = positive(call, "--pp", 1);
  const int vpp = positive(call, "--vpp", find_generator(name).default_vpp);
  const int microbatches = positive(call, "--microbatches", 1);
  if (const Verdict verdict = check_schedule(name, pp, vpp, microbatches)) return infeasible(call, *verdict);
  emit(call, to_csv(make_schedule(name, pp, vpp, microbatches)));
  return kFine;
}

int export_schedule(const Invocation& call) {
  if (call.positionals.empty() && !call.has("--model")) return export_bare_schedule(call);
  if (call.has("--microbatches"))
    throw UsageError("--microbatches follows from the scenario's batch; give --gbs instead");
  const Scenario scenario = read_scenario(call, 0).scenario;
  if (const Verdict verdict = check_layout(scenario.model, scenario.layout, scenario.training, scenario.gpus))
    return infeasible(call, *verdict);
  Schedule schedule;
  if (const Verdict verdict = scenario_schedule(scenario, schedule)) return infeasible(call, *verdict);
  emit(call, to_csv(schedule));
  return kFine;
}

/// A file of the simulated timeline: trace or picture.
int export_timeline(const Invocation& call, const std::string& kind) {
  if (call.has("--microbatches"))
    throw UsageError("--microbatches is for --as schedule-csv without a scenario");
  const Scenario scenario = read_scenario(call, 0).scenario;
  const SimResult result = simulate(scenario);
  if (result.metrics.infeasible) return infeasible(call, *result.metrics.infeasible);
  std::ostringstream out;
  if (kind != "chrome-trace") {
    const Layout& l = scenario.layout;
    const std::string title = fmt::format("{} on {} GPUs of {}: {}, tp {}, pp {}, ep {}, {} microbatches",
                                          scenario.model_ref, scenario.gpus, scenario.cluster_ref, l.schedule,
                                          l.tp, l.pp, l.ep, result.schedule->microbatches);
    write_schedule_svg(result, title, out);
    emit(call, render_picture(out.str(), picture_format("." + kind)));
    return kFine;
  }
  write_chrome_trace(result, out);
  emit(call, out.str());
  hint(call, "next: open it in https://ui.perfetto.dev or chrome://tracing");
  return kFine;
}

/// A plan as the flags or the configuration of a training framework.
int export_launch(const Invocation& call, const std::string& kind) {
  if (call.has("--microbatches"))
    throw UsageError("--microbatches is for --as schedule-csv without a scenario");
  const Scenario scenario = read_scenario(call, 0).scenario;
  const SimResult result = simulate(scenario);
  if (result.metrics.infeasible) return infeasible(call, *result.metrics.infeasible);
  const LaunchPlan plan = launch_plan(scenario, result.metrics);
  if (kind == "megatron") emit(call, megatron_script(plan));
  if (kind == "deepspeed") emit(call, deepspeed_json(plan));
  if (kind == "sbatch") emit(call, sbatch_script(plan));
  if (kind != "torchtitan") return kFine;
  const std::string path = call.get("--output", "-");
  const std::string csv =
      path == "-" ? "schedule.csv" : std::filesystem::path(path).replace_extension(".csv").string();
  if (torchtitan_needs_csv(plan)) {
    if (path == "-") {
      note(call,
           "the file names schedule.csv: 'orrery export ... --as schedule-csv -o schedule.csv' writes it");
    } else {
      write_file(csv, to_csv(*result.schedule));
      note(call, "wrote " + csv);
    }
  }
  emit(call, torchtitan_toml(plan, csv));
  return kFine;
}

int run(const Invocation& call) {
  if (!call.has("--as")) throw UsageError("export needs --as: " + join(kinds()));
  if (call.has("--format"))
    throw UsageError("export writes the one format that --as names; leave --format out");
  const std::string kind = call.get("--as");
  if (kind == "schedule-csv") return export_schedule(call);
  for (const char* timeline : {"chrome-trace", "svg", "png", "pdf"}) {
    if (kind == timeline) return export_timeline(call, kind);
  }
  for (const char* launch : {"megatron", "torchtitan", "deepspeed", "sbatch"}) {
    if (kind == launch) return export_launch(call, kind);
  }
  throw UsageError(
      fmt::format("--as: found '{}', expected {}{}", kind, join(kinds()), did_you_mean(kind, kinds())));
}

}  // namespace

CommandInfo export_command() {
  std::vector<OptionInfo> own{
      {.name = "--as",
       .value = "KIND",
       .what = "chrome-trace, schedule-csv, svg, png, pdf, megatron, torchtitan, deepspeed or sbatch"},
      {.name = "--microbatches", .value = "N", .what = "of one step, for a schedule without a scenario"}};
  return {
      .name = "export",
      .summary = "A simulated step, a schedule or a plan for other tools.",
      .examples = {{"orrery export docs/examples/deepseek-v3-2048-h800.json --as chrome-trace -o step.json",
                    "a timeline for Perfetto or chrome://tracing"},
                   {"orrery export docs/examples/deepseek-v3-2048-h800.json --as svg -o step.svg",
                    "a picture of the schedule"},
                   {"orrery export result.json --as megatron -o flags.sh",
                    "the plan as flags of Megatron-LM; also torchtitan, deepspeed, sbatch"},
                   {"orrery export --as schedule-csv --schedule dualpipe --pp 8 --microbatches 20",
                    "the order of work on each of 8 pipeline ranks, as PyTorch writes it"}},
      .positionals = {{.name = "RESULT|SCENARIO", .what = "result or scenario; - reads standard input"}},
      .options = std::move(own) + scenario_options() + common_options(),
      .run = run};
}

}  // namespace orrery::cli
