#include "planner/cli/validate_data.hpp"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "sim/base/suggest.hpp"

namespace orrery::cli {
namespace {

Cell percent(double fraction, const char* format) {
  return {fmt::format(fmt::runtime(format), 100 * fraction), 100 * fraction, "%"};
}

Cell count_cell(std::size_t count) {
  return {std::to_string(count), static_cast<double>(count), ""};
}

std::vector<Cell> group_row(const ErrorGroup& g) {
  std::vector<Cell> row{g.gpu,
                        g.precision,
                        count_cell(g.rows),
                        percent(g.bias, "{:+.1f}"),
                        percent(g.median, "{:.1f}"),
                        percent(g.ninetieth, "{:.1f}"),
                        percent(g.inside, "{:.0f}"),
                        Cell{},
                        g.source};
  if (g.rank) row[7] = Cell{fmt::format("{:.2f}", *g.rank), *g.rank, ""};
  return row;
}

/// Line, id, measured and computed step, error; empty where there is none.
std::vector<Cell> number_cells(const TableOutcome& o) {
  std::vector<Cell> row{count_cell(o.row.line), o.row.id, Cell{}, Cell{}, Cell{}};
  if (o.measured_step_s > 0) row[2] = Cell{digits_text(o.measured_step_s), o.measured_step_s, "s"};
  if (o.skip) return row;
  row[3] = Cell{digits_text(o.computed_step_s), o.computed_step_s, "s"};
  row[4] = percent(o.error(), "{:+.1f}");
  return row;
}

nlohmann::ordered_json rows_json(const Table& table) {
  return nlohmann::ordered_json::parse(to_json_text(table)).at("rows");
}

std::string json_text(const TableValidation& found) {
  nlohmann::ordered_json out;
  out["schema"] = "orrery.validation/1";
  out["summary"] = rows_json(summary_table(found));
  out["power"] = rows_json(power_table(found));
  out["memory"] = rows_json(memory_table(found));
  out["memory_rows"] = rows_json(memory_rows_table(found));
  out["skipped"] = rows_json(skipped_table(found));
  out["rows"] = rows_json(record_table(found));
  return out.dump(2) + "\n";
}

}  // namespace

Table summary_table(const TableValidation& found) {
  Table t{.key = "summary",
          .title = "Measured steps of published runs beside this program",
          .columns = {{"gpu", "GPU", false},
                      {"precision", "precision", false},
                      {"rows", "rows"},
                      {"bias_percent", "bias %"},
                      {"median_percent", "median %"},
                      {"ninetieth_percent", "90th %"},
                      {"inside_percent", "inside %"},
                      {"rank_correlation", "rank"},
                      {"source", "source", false}},
          .rows = {},
          .notes = {}};
  for (const ErrorGroup& group : found.groups) t.rows.push_back(group_row(group));
  if (found.all.rows > 0) {
    t.rows.push_back(group_row(found.all));
    t.rows.back()[0] = "all";
    t.rows.back().back() = "all";
  }
  t.notes.emplace_back(
      "Error: computed step time over the measured one (throughput as its inverse), minus 1; plus is too "
      "slow. "
      "Bias: median of the signed errors. Median and 90th percentile: of their absolute values. Inside: rows "
      "measured between P10 and P90 of the step time, as results state them from all such rows. Rank: "
      "Spearman's correlation of tokens/s per GPU, with 5 rows or more.");
  t.notes.push_back(fmt::format("{} rows: {} scored, {} skipped.", found.outcomes.size(), found.all.rows,
                                found.outcomes.size() - found.all.rows));
  const std::vector<double> large = found.too_large();
  if (!large.empty())
    t.notes.push_back(fmt::format(
        "{} of the scored rows need more memory here than the GPU has, {:.0f} % in the middle and {:.0f} % "
        "at "
        "most; somebody has run them, so memory comes out too high there. Their time is that of a GPU with "
        "enough.",
        large.size(), 100 * (median_of(large) - 1), 100 * (large.back() - 1)));
  return t;
}

Table skipped_table(const TableValidation& found) {
  Table t{.key = "skipped",
          .title = "Rows without an error",
          .columns = {{"rows", "rows"}, {"reason", "reason", false}, {"causes", "causes", false}},
          .rows = {},
          .notes = {}};
  constexpr int kReasons = static_cast<int>(SkipReason::kMemory) + 1;
  for (int i = 0; i < kReasons; ++i) {
    const auto reason = static_cast<SkipReason>(i);
    const std::size_t count = found.count(reason);
    if (count == 0) continue;
    std::map<std::string, std::size_t> causes;
    for (const TableOutcome& outcome : found.outcomes) {
      if (!outcome.skip || outcome.skip->reason != reason) continue;
      // Sizes and the words after them differ from row to row; the source tells more.
      const bool verdict = reason == SkipReason::kMemory || reason == SkipReason::kLayout;
      ++causes[verdict ? outcome.row.source : outcome.skip->text];
    }
    std::vector<std::string> words;
    for (const auto& [cause, rows] : causes) words.push_back(fmt::format("{} ({})", cause, rows));
    t.rows.push_back({count_cell(count), to_text(reason), join(words, ", ")});
  }
  return t;
}

Table power_table(const TableValidation& found) {
  Table t{.key = "power",
          .title = "Measured power of a node beside this program",
          .columns = {{"id", "id", false},
                      {"model", "model", false},
                      {"measured_w", "measured W"},
                      {"computed_w", "computed W"},
                      {"error_percent", "error %"},
                      {"source", "source", false},
                      {"inputs", "inputs, or why there is no error", false}},
          .rows = {},
          .notes = {"Mean over the run, without switches and the building."}};
  for (const PowerOutcome& o : found.power) {
    std::vector<Cell> row{o.row.id, o.row.model, Cell{digits_text(o.measured_w), o.measured_w, "W"},
                          Cell{},   Cell{},      o.row.source};
    if (o.skip) {
      row.emplace_back(fmt::format("{}: {}", to_text(o.skip->reason), o.skip->text));
    } else {
      row[3] = Cell{digits_text(o.computed_w), o.computed_w, "W"};
      row[4] = percent(o.error(), "{:+.1f}");
      row.emplace_back(o.inputs);
    }
    t.rows.push_back(std::move(row));
  }
  return t;
}

Table memory_table(const TableValidation& found) {
  Table t{
      .key = "memory",
      .title = "Measured peak memory of the fullest GPU beside this program",
      .columns = {{"gpu", "GPU", false},
                  {"metric", "metric", false},
                  {"rows", "rows"},
                  {"bias_percent", "bias %"},
                  {"median_percent", "median %"},
                  {"ninetieth_percent", "90th %"},
                  {"source", "source", false}},
      .rows = {},
      .notes = {"Error: computed over measured, minus 1; plus is too much. nvidia-smi shows the reserve for "
                "context, libraries and fragmentation, too; a program's allocator does not."}};
  for (const ErrorGroup& g : found.memory_groups)
    t.rows.push_back({g.gpu, g.precision, count_cell(g.rows), percent(g.bias, "{:+.1f}"),
                      percent(g.median, "{:.1f}"), percent(g.ninetieth, "{:.1f}"), g.source});
  return t;
}

Table memory_rows_table(const TableValidation& found) {
  Table t{.key = "memory_rows",
          .title = "Every row of measured memory",
          .columns = {{"line", "line"},
                      {"id", "id", false},
                      {"measured_bytes", "measured GB"},
                      {"computed_bytes", "computed GB"},
                      {"error_percent", "error %"},
                      {"note", "model: inputs, or why there is no error", false}},
          .rows = {},
          .notes = {}};
  for (const MemoryOutcome& o : found.memory) {
    std::vector<Cell> row{count_cell(o.row.line), o.row.id,
                          Cell{digits_text(o.measured_bytes / 1e9), o.measured_bytes, "B"}, Cell{}, Cell{}};
    if (!o.skip) {
      row[3] = Cell{digits_text(o.computed_bytes / 1e9), o.computed_bytes, "B"};
      row[4] = percent(o.error(), "{:+.1f}");
    }
    row.emplace_back(o.row.model + ": " +
                     (o.skip ? fmt::format("{}: {}", to_text(o.skip->reason), o.skip->text) : o.inputs));
    t.rows.push_back(std::move(row));
  }
  return t;
}

Table row_table(const TableValidation& found) {
  Table t{.key = "rows",
          .title = "Every row",
          .columns = {{"line", "line"},
                      {"id", "id", false},
                      {"measured_s", "measured s"},
                      {"computed_s", "computed s"},
                      {"error_percent", "error %"},
                      {"note", "model: inputs, or why there is no error", false}},
          .rows = {},
          .notes = {}};
  for (const TableOutcome& o : found.outcomes) {
    std::vector<Cell> row = number_cells(o);
    std::string note = o.row.model + ": ";
    if (o.skip) note += fmt::format("{}: {}", to_text(o.skip->reason), o.skip->text);
    if (o.skip && !o.inputs.empty()) note += "; ";
    row.emplace_back(note + o.inputs);
    t.rows.push_back(std::move(row));
  }
  return t;
}

Table record_table(const TableValidation& found) {
  Table t{.key = "rows",
          .title = "Every row",
          .columns = {{"line", "line"},
                      {"id", "id", false},
                      {"measured_s", "measured s"},
                      {"computed_s", "computed s"},
                      {"error_percent", "error %"},
                      {"source", "source", false},
                      {"model", "model", false},
                      {"gpu", "GPU", false},
                      {"precision", "precision", false},
                      {"skipped", "skipped", false},
                      {"cause", "cause", false},
                      {"inputs", "inputs", false}},
          .rows = {},
          .notes = {}};
  for (const TableOutcome& o : found.outcomes) {
    std::vector<Cell> row = number_cells(o);
    for (const std::string& words : {o.row.source, o.row.model, o.row.gpu, o.precision})
      row.emplace_back(words);
    row.emplace_back(o.skip ? to_text(o.skip->reason) : "");
    row.emplace_back(o.skip ? o.skip->text : "");
    row.emplace_back(o.inputs);
    t.rows.push_back(std::move(row));
  }
  return t;
}

std::string data_text(const TableValidation& found, const std::string& format, bool every_row) {
  if (format == "json") return json_text(found);
  if (format == "csv") return to_csv(record_table(found));
  std::vector<Table> tables{summary_table(found)};
  if (!found.power.empty()) tables.push_back(power_table(found));
  if (!found.memory_groups.empty()) tables.push_back(memory_table(found));
  tables.push_back(skipped_table(found));
  if (every_row) {
    tables.push_back(row_table(found));
    if (!found.memory.empty()) tables.push_back(memory_rows_table(found));
  } else {
    tables.back().notes.emplace_back("-v lists every row with its inputs or the reason.");
  }
  std::string out;
  for (const Table& table : tables) {
    if (!out.empty()) out += "\n";
    out += format == "md" ? to_markdown(table) : to_plain(table);
  }
  return out;
}

}  // namespace orrery::cli
