#include "planner/cli/options.hpp"

#include <fmt/format.h>

#include <iostream>
#include <iterator>

#include "planner/cli/environment.hpp"
#include "sim/base/fields.hpp"
#include "sim/base/suggest.hpp"
#include "sim/layout/layout.hpp"
#include "sim/model/zoo.hpp"
#include "sim/schedule/generators.hpp"

namespace orrery::cli {
namespace {

OptionInfo override_option(std::string name, std::string value, std::string key, std::string what) {
  return {.name = std::move(name),
          .value = std::move(value),
          .what = std::move(what),
          .scenario_key = std::move(key)};
}

std::string read_input(const std::string& path) {
  if (path != "-") return read_file(path);
  return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
}

/// The scenario inside a result, or the text as it is.
std::string scenario_text(const std::string& text, std::string& place) {
  const Json json = parse_json(text, place);
  if (!json.is_object() || json.value("schema", Json()) != "orrery.result/1") return text;
  if (!json.contains("scenario")) throw InputError(place, "is a result without its scenario");
  place += "#/scenario";
  return json.at("scenario").dump();
}

}  // namespace

std::vector<OptionInfo> operator+(std::vector<OptionInfo> first, const std::vector<OptionInfo>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

std::vector<OptionInfo> common_options() {
  return {
      {.name = "--format",
       .value = "FORMAT",
       .what = "table (default), json, csv or md",
       .choices = {"table", "json", "csv", "md"}},
      {.name = "--output",
       .letter = "-o",
       .value = "FILE",
       .what = "write there instead of standard output (-)"},
      {.name = "--set",
       .value = "KEY=VALUE",
       .what = "set a key of the scenario, such as layout.pp=8; may be repeated",
       .repeats = true},
      {.name = "--quiet", .letter = "-q", .what = "print no hints and notes"},
      {.name = "--verbose", .letter = "-v", .what = "show every row"},
      {.name = "--help", .letter = "-h", .what = "show this help"},
  };
}

std::vector<OptionInfo> scenario_options() {
  std::vector<OptionInfo> all{
      override_option("--model", "NAME|PATH", "model", "built-in model or Hugging Face config.json"),
      override_option("--cluster", "NAME|PATH", "cluster.profile", "cluster profile"),
      override_option("--gpus", "N", "cluster.gpus", "GPUs used"),
      override_option("--tp", "N", "layout.tp", "tensor parallel size"),
      override_option("--cp", "N", "layout.cp", "context parallel size"),
      override_option("--pp", "N", "layout.pp", "pipeline ranks"),
      override_option("--vpp", "N", "layout.vpp", "stages per pipeline rank"),
      override_option("--ep", "N", "layout.ep", "expert parallel size"),
      override_option("--etp", "N", "layout.etp", "tensor parallel size inside an expert"),
      override_option("--dp", "N", "layout.dp", "data parallel size; follows from the rest"),
      override_option("--zero", "0..3", "layout.zero_stage", "ZeRO stage"),
      override_option("--mbs", "N", "layout.microbatch_size", "sequences of a microbatch"),
      override_option("--gbs", "N", "training.global_batch_size", "sequences of a step"),
      override_option("--seq", "N", "training.sequence_length", "tokens of a sequence"),
      override_option("--schedule", "NAME|CSV", "layout.schedule",
                      "pipeline schedule; see 'orrery list schedules'"),
      override_option("--recompute", "POLICY", "layout.recompute",
                      "none, selective, full, deepseek-v3 or operators separated by commas"),
      override_option("--precision", "NAME", "training.precision", join(precision_names())),
      override_option("--stack", "NAME|PATH", "stack",
                      "training program whose kernels are meant; see 'orrery list stacks'"),
      override_option("--mtp", "BOOL", "training.mtp",
                      "train the multi-token-prediction modules: true or false"),
      override_option("--tokens", "COUNT", "training.tokens", "tokens of the whole run, such as 14.8T"),
  };
  return all;
}

std::vector<Override> overrides_of(const Invocation& call) {
  std::vector<Override> out;
  for (const OptionInfo& option : call.command->options) {
    if (option.scenario_key.empty() || !call.has(option.name)) continue;
    out.push_back({.key = option.scenario_key, .value = call.get(option.name), .place = option.name});
  }
  const auto sets = call.options.find("--set");
  if (sets == call.options.end()) return out;
  for (const std::string& text : sets->second) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      throw UsageError(fmt::format("--set: found '{}', expected KEY=VALUE such as layout.pp=8", text));
    out.push_back({.key = text.substr(0, equals),
                   .value = text.substr(equals + 1),
                   .place = "--set " + text.substr(0, equals)});
  }
  return out;
}

ScenarioInput read_scenario(const Invocation& call, std::size_t positional) {
  // First, for it may throw: g++ 12 destroys the members of a half-made aggregate twice.
  std::vector<Override> overrides = overrides_of(call);
  ScenarioInput input{.scenario = {}, .place = "command line", .overrides = std::move(overrides)};
  LoadContext context{.profiles = profile_folders(), .base = {}};
  std::string text;
  const std::string path = call.positional(positional);
  if (!path.empty()) {
    input.place = path == "-" ? "standard input" : path;
    text = read_input(path);
    if (text.find_first_not_of(" \t\r\n") == std::string::npos)
      throw InputError(input.place, "is empty, expected a scenario in JSON");
    text = scenario_text(text, input.place);
    context.base = path == "-" ? std::filesystem::path{} : std::filesystem::path(path).parent_path();
  }
  input.scenario = parse_scenario(text, input.place, context, input.overrides);
  return input;
}

}  // namespace orrery::cli
