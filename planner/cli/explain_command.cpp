#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "planner/cli/command.hpp"
#include "planner/cli/environment.hpp"
#include "planner/cli/options.hpp"
#include "planner/cli/output.hpp"
#include "planner/explain.hpp"
#include "planner/rounded_parts.hpp"
#include "planner/training_run.hpp"
#include "sim/base/fields.hpp"
#include "sim/report/report_text.hpp"
#include "sim/simulate.hpp"

namespace orrery::cli {
namespace {

constexpr double kBarLength = 40;

struct Explained {
  StepWaterfall waterfall;
  RoundedParts seconds, shares;
  std::vector<Lever> levers;
  std::vector<std::string> sentences;
};

Explained explain(const Scenario& scenario, const Metrics& metrics) {
  Explained e;
  e.waterfall = step_waterfall(metrics);
  std::vector<double> seconds;
  std::vector<double> shares;
  for (const WaterfallBar& bar : e.waterfall.bars) {
    seconds.push_back(bar.seconds);
    shares.push_back(100.0 * bar.seconds / e.waterfall.total_s);
  }
  e.seconds = rounded_parts(seconds, decimals_for(e.waterfall.total_s, 5));
  e.shares = rounded_parts(shares, 1);
  e.levers = try_levers(scenario, metrics);
  e.sentences = bottleneck_sentences(metrics, e.levers);
  return e;
}

Table waterfall_table(const Explained& e) {
  Table t{.key = "waterfall",
          .title = "From ideal compute to the time of a step, on the slowest pipeline rank",
          .columns = {{"cause", "cause", false}, {"seconds", "s"}, {"share", "%"}, {"bar", "", false}},
          .rows = {},
          .notes = {}};
  double at = 0;
  for (std::size_t i = 0; i < e.waterfall.bars.size(); ++i) {
    const WaterfallBar& bar = e.waterfall.bars[i];
    const auto place = [&](double s) {
      return static_cast<std::size_t>(std::max(0.0, std::round(kBarLength * s / e.waterfall.total_s)));
    };
    const std::size_t from = place(at);
    const std::size_t to = place(at + bar.seconds);
    at += bar.seconds;
    if (bar.seconds == 0) continue;
    t.rows.push_back({bar.label, Cell{e.seconds.part_texts[i], e.seconds.parts[i], "s"},
                      Cell{e.shares.part_texts[i], e.shares.parts[i], "%"},
                      std::string(from, '.') + std::string(to > from ? to - from : 0, '#')});
  }
  t.rows.push_back({e.waterfall.has_failures ? "a step of the real run" : "step",
                    Cell{e.seconds.sum_text, e.seconds.sum, "s"}, Cell{e.shares.sum_text, e.shares.sum, "%"},
                    std::string(static_cast<std::size_t>(kBarLength), '#')});
  t.notes.emplace_back(
      "Causes that took no time are left out; the parts add up to the sum in every digit shown.");
  return t;
}

Table memory_table(const Metrics& m) {
  Table t{.key = "memory",
          .title = "Memory of the fullest GPU",
          .columns = {{"part", "part", false}, {"bytes", "GB"}, {"share", "% of the GPU"}},
          .rows = {},
          .notes = {}};
  const auto fullest =
      std::max_element(m.memory.begin(), m.memory.end(),
                       [](const RankMemoryRow& a, const RankMemoryRow& b) { return a.total < b.total; });
  if (fullest == m.memory.end()) return t;
  const std::vector<std::pair<const char*, double>> parts{
      {"weights", fullest->weights},     {"gradients", fullest->gradients},
      {"optimizer", fullest->optimizer}, {"activations", fullest->activations},
      {"buffers", fullest->buffers},     {"reserve", fullest->reserve}};
  std::vector<double> gigabytes;
  std::vector<double> shares;
  for (const auto& [name, bytes] : parts) {
    gigabytes.push_back(bytes / 1e9);
    shares.push_back(100.0 * bytes / m.memory_capacity);
  }
  const RoundedParts gb = rounded_parts(gigabytes, 2);
  const RoundedParts percent = rounded_parts(shares, 1);
  for (std::size_t i = 0; i < parts.size(); ++i)
    t.rows.push_back({parts[i].first, Cell{gb.part_texts[i], gb.parts[i], "GB"},
                      Cell{percent.part_texts[i], percent.parts[i], "%"}});
  t.rows.push_back({fmt::format("pipeline rank {}", fullest->rank), Cell{gb.sum_text, gb.sum, "GB"},
                    Cell{percent.sum_text, percent.sum, "%"}});
  return t;
}

Table lever_table(const Explained& e) {
  Table t{.key = "levers",
          .title = "Changes tried against the two largest losses, each simulated",
          .columns = {{"change", "change", false},
                      {"setting", "setting", false},
                      {"step_s", "step s"},
                      {"gain", "tokens/s, %"}},
          .rows = {},
          .notes = {}};
  for (const Lever& l : e.levers)
    t.rows.push_back({l.words + (l.changes_training ? " (changes the training)" : ""), l.key + "=" + l.value,
                      Cell{digits_text(l.step_s), l.step_s, "s"},
                      Cell{fmt::format("{:+.1f}", 100 * l.gain), 100 * l.gain, "%"}});
  if (t.rows.empty()) t.notes.emplace_back("No change that was tried can run.");
  return t;
}

std::string explained_json(const Explained& e, const Metrics& m) {
  Json bars = Json::array();
  for (const WaterfallBar& bar : e.waterfall.bars)
    bars.push_back({{"key", bar.key}, {"label", bar.label}, {"seconds", bar.seconds}});
  Json levers = Json::array();
  for (const Lever& l : e.levers)
    levers.push_back({{"key", l.key},
                      {"value", l.value},
                      {"words", l.words},
                      {"changes_training", l.changes_training},
                      {"step_s", l.step_s},
                      {"gain", l.gain}});
  const Json out{
      {"schema", "orrery.explain/1"},   {"step_s", e.waterfall.step_s},
      {"total_s", e.waterfall.total_s}, {"goodput", m.run.goodput ? Json(*m.run.goodput) : Json(nullptr)},
      {"waterfall", std::move(bars)},   {"levers", std::move(levers)},
      {"sentences", e.sentences}};
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string formatted(const Invocation& call, const Explained& e, const Metrics& m, const Scenario& s) {
  const std::string format = call.get("--format", "table");
  if (format == "json") return explained_json(e, m);
  const std::vector<Table> tables{waterfall_table(e), memory_table(m), lever_table(e)};
  if (format == "csv") return to_tidy_csv(tables);
  const bool markdown = format == "md";
  std::string out = markdown ? "## " + scenario_line(s) : scenario_line(s);
  std::string sentences;
  for (const std::string& line : e.sentences) sentences += (sentences.empty() ? "" : " ") + line;
  out += "\n" + (markdown ? sentences : wrapped(sentences, 100)) + "\n";
  for (const Table& t : tables) out += "\n" + (markdown ? to_markdown(t) : to_plain(t));
  return out + "\nSimulated, not measured.\n";
}

int run(const Invocation& call) {
  const ScenarioInput input = read_scenario(call, 0);
  Metrics metrics = simulate(input.scenario).metrics;
  complete_run(metrics, input.scenario, find_run_data(profile_folders()));
  if (metrics.infeasible) {
    TextOptions options{.format = TextFormat::kTable, .all = call.has("--verbose")};
    if (call.get("--format") == "json") {
      emit(call, result_json(metrics, input.scenario, program_info()));
    } else {
      if (call.get("--format") == "md") options.format = TextFormat::kMarkdown;
      if (call.get("--format") == "csv") options.format = TextFormat::kCsv;
      emit(call, result_text(metrics, input.scenario, options));
    }
    note(call, "nothing feasible: " + metrics.infeasible->text);
    return kNothingFeasible;
  }
  emit(call, formatted(call, explain(input.scenario, metrics), metrics, input.scenario));
  hint(call, "next: 'orrery report ... -o report.html' for money, carbon and ranges");
  return kFine;
}

}  // namespace

CommandInfo explain_command() {
  return {
      .name = "explain",
      .summary =
          "Where the time and the memory of a step go, and what would help; or why a layout cannot run.",
      .examples = {{"orrery explain docs/examples/deepseek-v3-2048-h800.json",
                    "waterfall, memory and simulated changes"},
                   {"orrery explain docs/examples/deepseek-v3-2048-h800.json --schedule 1f1b --format json",
                    "for programs"},
                   {"orrery explain docs/examples/deepseek-v3-2048-h800.json --recompute none --mbs 2",
                    "why it does not fit"}},
      .positionals = {{.name = "SCENARIO.json",
                       .what = "scenario, or a result that holds one; - reads standard input"}},
      .options = scenario_options() + common_options(),
      .run = run};
}

}  // namespace orrery::cli
