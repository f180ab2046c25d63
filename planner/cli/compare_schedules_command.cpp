#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "planner/cli/command.hpp"
#include "planner/cli/options.hpp"
#include "planner/cli/output.hpp"
#include "planner/compare_schedules.hpp"
#include "planner/export/schedules_svg.hpp"
#include "planner/export/svg_picture.hpp"
#include "sim/base/check.hpp"
#include "sim/base/fields.hpp"
#include "sim/report/table.hpp"

namespace orrery::cli {
namespace {

using Rows = std::vector<ComparedSchedule>;

Cell seconds(double value) {
  return {fmt::format("{:.3f}", value), value, "s"};
}
Cell percent(double share) {
  return {fmt::format("{:.1f}", 100 * share), share, "1"};
}
Cell gigabytes(double value) {
  return {fmt::format("{:.2f}", value / 1e9), value, "B"};
}
Cell whole(std::int64_t value) {
  return {std::to_string(value), static_cast<double>(value), ""};
}

/// A column with how to fill it.
struct Filled {
  Column column;
  Cell (*cell)(const ComparedSchedule& row, double best_s);
};

const std::vector<Filled>& name_columns() {
  static const std::vector<Filled> kColumns{
      {{"schedule", "schedule", false}, [](const ComparedSchedule& r, double) { return Cell{r.name}; }},
      {{"vpp", "vpp"}, [](const ComparedSchedule& r, double) { return whole(r.vpp); }}};
  return kColumns;
}

/// A cause as a share of the step.
template <double MeanBubble::*kCause>
Cell cause(const ComparedSchedule& r, double) {
  return r.infeasible ? Cell{} : percent(r.bubble.*kCause / r.step_time_s);
}

const std::vector<Filled>& time_columns() {
  static const std::vector<Filled> kColumns{
      {{"step_time_s", "step s"},
       [](const ComparedSchedule& r, double) { return r.infeasible ? Cell{} : seconds(r.step_time_s); }},
      {{"slower", "slower %"},
       [](const ComparedSchedule& r, double best) {
         return r.infeasible ? Cell{} : percent(r.step_time_s / best - 1);
       }},
      {{"bubble", "bubble %"},
       [](const ComparedSchedule& r, double) { return r.infeasible ? Cell{} : percent(r.bubble_share()); }},
      {{"warm_up", "warm-up"}, cause<&MeanBubble::warm_up_s>},
      {{"dependency", "dependency"}, cause<&MeanBubble::dependency_s>},
      {{"drain", "drain"}, cause<&MeanBubble::drain_s>},
      {{"message", "message"}, cause<&MeanBubble::message_s>},
      {{"imbalance", "imbalance"}, cause<&MeanBubble::imbalance_s>}};
  return kColumns;
}

const std::vector<Filled>& memory_columns() {
  static const std::vector<Filled> kColumns{
      {{"activations_bytes", "activations GB"},
       [](const ComparedSchedule& r, double) {
         return r.memory ? gigabytes(r.memory->activations_bytes) : Cell{};
       }},
      {{"live_microbatches", "live microb."},
       [](const ComparedSchedule& r, double) {
         if (!r.memory) return Cell{};
         return Cell{fmt::format("{:g}", r.memory->live_microbatches), r.memory->live_microbatches, ""};
       }},
      {{"parameters", "parameters 10^9"},
       [](const ComparedSchedule& r, double) {
         if (!r.memory) return Cell{};
         return Cell{fmt::format("{:.2f}", r.memory->parameters / 1e9), r.memory->parameters, ""};
       }},
      {{"memory_bytes", "memory GB"}, [](const ComparedSchedule& r, double) {
         return r.memory ? gigabytes(r.memory->total_bytes) : Cell{};
       }}};
  return kColumns;
}

const std::vector<Filled>& verdict_columns() {
  static const std::vector<Filled> kColumns{
      {{"fits", "fits", false},
       [](const ComparedSchedule& r, double) { return Cell{r.infeasible ? "no" : "yes"}; }},
      {{"reason", "why not", false},
       [](const ComparedSchedule& r, double) { return r.infeasible ? Cell{r.infeasible->text} : Cell{}; }}};
  return kColumns;
}

Table table_of(const Rows& rows, std::string title, std::initializer_list<const std::vector<Filled>*> parts) {
  Table t{.key = "schedule-comparison", .title = std::move(title), .columns = {}, .rows = {}, .notes = {}};
  const auto best = fastest(rows);
  const double best_s = best ? rows[*best].step_time_s : 0;
  for (const auto* part : parts) {
    for (const Filled& filled : *part) t.columns.push_back(filled.column);
  }
  for (const ComparedSchedule& row : rows) {
    auto& cells = t.rows.emplace_back();
    for (const auto* part : parts) {
      for (const Filled& filled : *part) cells.push_back(filled.cell(row, best_s));
    }
  }
  return t;
}

void add_notes(Table& t) {
  t.notes = {
      "Bubble and its causes: mean of the pipeline ranks, share of the step; docs/models/bubble.md defines "
      "them.",
      "Memory: the largest of any rank; live microb.: (stage, microbatch) whose activations are alive at a "
      "rank's fullest moment, a stage being 1/vpp of the rank, postponed weight gradients not counted."};
}

std::string title_of(const Scenario& s) {
  const Layout& l = s.layout;
  return fmt::format("{} on {} GPUs of {}: tp {}, cp {}, pp {}, ep {}, batch {}", s.model_ref, s.gpus,
                     s.cluster_ref, l.tp, l.cp, l.pp, l.ep, s.training.global_batch_size);
}

/// Two tables below each other for a terminal, one in all other formats.
void emit_rows(const Invocation& call, const Rows& rows, const Scenario& s) {
  if (call.get("--format", "table") != "table") {
    Table all = table_of(rows, "Schedules: " + title_of(s),
                         {&name_columns(), &time_columns(), &memory_columns(), &verdict_columns()});
    add_notes(all);
    emit(call, all);
    return;
  }
  const Table time = table_of(rows, "Schedules: " + title_of(s), {&name_columns(), &time_columns()});
  Table memory =
      table_of(rows, fmt::format("What a GPU holds, of {:.1f} GB", s.cluster.gpu.memory_bytes.value / 1e9),
               {&name_columns(), &memory_columns(), &verdict_columns()});
  add_notes(memory);
  emit(call, to_plain(time) + "\n" + to_plain(memory));
}

std::vector<std::string> wanted_schedules(const Invocation& call) {
  if (!call.has("--schedules")) return schedule_names();
  std::vector<std::string> names;
  std::istringstream list(call.get("--schedules"));
  for (std::string name; std::getline(list, name, ',');) {
    if (name.empty()) continue;
    if (std::find(names.begin(), names.end(), name) != names.end())
      throw UsageError(fmt::format("--schedules: '{}' is given twice", name));
    names.push_back(name);
  }
  if (names.empty()) throw UsageError("--schedules: found no name; see 'orrery list schedules'");
  return names;
}

Rows compared(const Invocation& call, const Scenario& scenario) {
  const std::vector<std::string> names = wanted_schedules(call);
  try {
    return compare_schedules(scenario, names);
  } catch (const InputError& error) {
    if (error.place() == "schedule") throw InputError("--schedules", error.problem());
    throw;
  }
}

int run(const Invocation& call) {
  const std::string picture = call.get("--picture");
  if (call.has("--picture") && (picture.empty() || picture == "-"))
    throw UsageError("--picture needs the name of a file");
  const PictureFormat format = picture.empty() ? PictureFormat::kSvg : picture_format(picture);
  const Scenario scenario = read_scenario(call, 0).scenario;
  const Rows rows = compared(call, scenario);
  const bool fits = fastest(rows).has_value();
  if (fits && !picture.empty()) {
    std::ostringstream svg;
    write_schedules_svg(rows, title_of(scenario), svg);
    write_file(picture, render_picture(svg.str(), format));
    note(call, "wrote " + picture);
  }
  emit_rows(call, rows, scenario);
  if (!fits) {
    note(call, fmt::format("nothing feasible: {}: {}", rows.front().name, rows.front().infeasible->text));
    return kNothingFeasible;
  }
  if (picture.empty()) hint(call, "next: --picture schedules.svg draws them on one time axis");
  return kFine;
}

}  // namespace

CommandInfo compare_schedules_command() {
  std::vector<OptionInfo> options{{.name = "--schedules",
                                   .value = "A,B,C",
                                   .what = "these alone; default: all of 'orrery list schedules'"},
                                  {.name = "--picture",
                                   .value = "FILE",
                                   .what = "a picture of all that fit on one time axis: .svg, .png or .pdf"}};
  // The schedule is what this command varies.
  for (const OptionInfo& option : scenario_options()) {
    if (option.name != "--schedule") options.push_back(option);
  }
  return {.name = "compare-schedules",
          .summary = "Every pipeline schedule on one model and cluster: step, bubble and why, memory.",
          .examples = {{"orrery compare-schedules docs/examples/deepseek-v3-2048-h800.json",
                        "all schedules, everything else as in the file"},
                       {"orrery compare-schedules run.json --schedules dualpipe,interleaved-1f1b --vpp 4",
                        "two of them, with 4 stages per rank where that is possible"},
                       {"orrery compare-schedules run.json --picture schedules.svg --format csv -o rows.csv",
                        "a picture, and the table for programs"}},
          .positionals = {{.name = "SCENARIO.json",
                           .what = "scenario, or a result that holds one; - reads standard input"}},
          .options = std::move(options) + common_options(),
          .run = run};
}

}  // namespace orrery::cli
