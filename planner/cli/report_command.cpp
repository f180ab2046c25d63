#include <fmt/format.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <optional>

#include "planner/cli/command.hpp"
#include "planner/cli/environment.hpp"
#include "planner/cli/options.hpp"
#include "planner/cli/output.hpp"
#include "planner/read_result.hpp"
#include "planner/report/document_json.hpp"
#include "planner/report/report_builder.hpp"
#include "planner/report/writers.hpp"
#include "planner/stable_hash.hpp"
#include "sim/base/fields.hpp"
#include "sim/base/suggest.hpp"
#include "sim/simulate.hpp"

namespace orrery::cli {
namespace {

const std::vector<std::string>& formats() {
  static const std::vector<std::string> kFormats{"html", "pdf", "md", "csv", "json"};
  return kFormats;
}

/// By --format, else by the ending of -o; Markdown to standard output.
std::string format_of(const Invocation& call) {
  if (call.has("--format")) return call.get("--format");
  const std::string path = call.get("--output", "-");
  if (path == "-") return "md";
  if (std::filesystem::is_directory(path))
    throw InputError(path, "is a folder, expected a file such as report.html");
  std::string ending = std::filesystem::path(path).extension().string();
  if (!ending.empty()) ending.erase(0, 1);
  if (std::find(formats().begin(), formats().end(), ending) == formats().end())
    throw UsageError(fmt::format("--output: found '{}', expected a name that ends in {}{}; or give --format",
                                 path, join(formats()), did_you_mean(ending, formats())));
  return ending;
}

std::string schema_of(const std::string& text, const std::string& place) {
  const Json json = parse_json(text, place);
  if (!json.is_object()) throw InputError(place, "expected an object { ... }");
  const auto it = json.find("schema");
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::string{};
}

/// Prices and rates change nothing that was simulated.
bool only_about_the_run(const std::vector<Override>& overrides) {
  return std::all_of(overrides.begin(), overrides.end(), [](const Override& o) {
    return o.key.starts_with("economics.") || o.key.starts_with("reliability.") || o.key == "training.tokens";
  });
}

/// Of the files of the folder `economics`, one after the other.
std::string data_hash(const std::filesystem::path& folder) {
  std::string all;
  for (const char* name : {"prices.json", "grids.json", "reliability.json", "model-error.json"})
    all += read_file((folder / name).string()) + '\n';
  return checksum(all);
}

/// As it would be typed: what a shell would take apart stands in quotes.
std::string quoted_word(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("_-./=:,+%@").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string command_of(const Invocation& call) {
  std::string out = "orrery report " + quoted_word(call.positional(0));
  for (const auto& [name, values] : call.options) {
    if (name == "--output" || name == "--quiet" || name == "--verbose") continue;
    for (const std::string& value : values)
      out += " " + name + (value.empty() ? "" : " " + quoted_word(value));
  }
  return out + " -o FILE";
}

Document made_from(const Invocation& call, const std::string& text, const std::string& place,
                   bool is_result) {
  const ProfileFolders folders = profile_folders();
  const std::vector<Override> overrides = overrides_of(call);
  LoadContext context{.profiles = folders, .base = std::filesystem::path(place).parent_path()};
  std::string scenario_text = text;
  std::string scenario_place = place;
  if (is_result) {
    const Json json = parse_json(text, place);
    if (!json.contains("scenario")) throw InputError(place, "is a result without its scenario");
    scenario_text = json.at("scenario").dump();
    scenario_place = place + "#/scenario";
  }
  Scenario scenario = parse_scenario(scenario_text, scenario_place, context, overrides);
  const RunData data = find_run_data(folders);
  Metrics metrics;
  if (is_result && only_about_the_run(overrides)) {
    metrics = parse_result(text, place);
    // With other prices or rates the run's figures in the file are those of another question.
    if (!overrides.empty()) metrics.run = {};
  } else {
    metrics = simulate(scenario).metrics;
    if (metrics.infeasible) {
      note(call, "nothing feasible: " + metrics.infeasible->text);
      return {};
    }
    complete_run(metrics, scenario, data);
  }
  ReportRuns runs;
  // What the scenario lacks is said before anything is simulated.
  (void)report_input(scenario, metrics, {}, data, {}, scenario_place);
  std::optional<Alternatives> plan;
  if (call.has("--plan")) {
    const std::string path = call.get("--plan");
    plan = read_alternatives(read_file(path), path, scenario, context);
  }
  if (!call.has("--no-runs")) runs = report_runs(scenario, metrics, !plan);
  if (plan) runs.alternatives = std::move(*plan);
  ReportInput in = report_input(std::move(scenario), std::move(metrics), std::move(runs), data,
                                load_published(folders), scenario_place);
  in.program = version_line();
  const std::filesystem::path data_folder = data.place;
  in.data_place = (data_folder.parent_path().filename() / data_folder.filename()).string();
  in.data_hash = data_hash(data_folder);
  in.profile_hash = checksum(to_json_text(in.scenario.cluster));
  in.source = place;
  in.command = command_of(call);
  in.scenario_text = to_json_text(in.scenario);
  return build_report(in);
}

std::string written(const Document& document, const std::string& format) {
  if (format == "html") return html_report(document);
  if (format == "pdf") return pdf_report(document);
  if (format == "csv") return csv_report(document);
  if (format == "json") return to_json_text(document);
  return markdown_report(document);
}

/// A report runs some twenty simulations of the same size one after the other: what one frees the next takes,
/// instead of going back to the system and being cleared again (a tenth of the time of a report of V3).
void keep_freed_memory() {
#ifdef __GLIBC__
  constexpr int kGibibyte = 1 << 30;
  mallopt(M_MMAP_THRESHOLD, kGibibyte);
  mallopt(M_TRIM_THRESHOLD, kGibibyte);
#endif
}

int run(const Invocation& call) {
  keep_freed_memory();
  const std::string format = format_of(call);
  if (format == "pdf" && !can_write_pdf()) (void)pdf_report({});
  const std::string path = call.positional(0);
  const std::string place = path == "-" ? "standard input" : path;
  const std::string text =
      path == "-" ? std::string(std::istreambuf_iterator<char>(std::cin), {}) : read_file(path);
  const std::string schema = schema_of(text, place);
  Document document;
  if (schema == "orrery.report/1") {
    document = parse_document(text, place);
  } else if (schema.starts_with("orrery.report/") ||
             (schema.starts_with("orrery.result/") && schema != "orrery.result/1")) {
    throw InputError(place + "#/schema",
                     fmt::format("found '{}', expected 'orrery.result/1', 'orrery.scenario/1' or "
                                 "'orrery.report/1'; this file is of another version of orrery",
                                 schema));
  } else {
    document = made_from(call, text, place, schema == "orrery.result/1");
    if (document.sections.empty()) return kNothingFeasible;
  }
  emit(call, written(document, format));
  return kFine;
}

std::vector<OptionInfo> report_options() {
  std::vector<OptionInfo> all = common_options();
  for (OptionInfo& option : all) {
    if (option.name != "--format") continue;
    option.what = "html, pdf, md, csv or json; by the ending of -o when left out, else md";
    option.choices = formats();
  }
  all.push_back(
      {.name = "--plan",
       .value = "PLAN.json",
       .what = "other layouts from an answer of 'orrery plan --format json' instead of a small search"});
  all.push_back(
      {.name = "--no-runs", .what = "simulate no alternatives: no changes, no other numbers of GPUs"});
  return all;
}

}  // namespace

CommandInfo report_command() {
  return {.name = "report",
          .summary = "The training-cost report: time, memory, power, money, carbon, ranges, alternatives.",
          .examples = {{"orrery report docs/examples/deepseek-v3-2048-h800.json -o report.html",
                        "one HTML file, no network"},
                       {"orrery report result.json -o report.pdf",
                        "from a saved result of 'orrery simulate --format json'"},
                       {"orrery report result.json --plan plan.json -o report.html",
                        "with the layouts that 'orrery plan' found"},
                       {"orrery report docs/examples/deepseek-v3-2048-h800.json -o report.json",
                        "the source of every other format"},
                       {"orrery report report.json -o report.md", "print a saved report again"}},
          .positionals = {{.name = "RESULT.json",
                           .what = "a result, a scenario or a saved report; - reads standard input",
                           .required = true}},
          .options = scenario_options() + report_options(),
          .run = run};
}

}  // namespace orrery::cli
