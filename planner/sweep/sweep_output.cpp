#include "planner/sweep/sweep_output.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/fields.hpp"
#include "sim/base/units_text.hpp"
#include "sim/scenario_keys.hpp"

namespace orrery {
namespace {

std::string with_underscores(std::string_view key) {
  std::string out(key);
  std::replace(out.begin(), out.end(), '.', '_');
  return out;
}

/// JSON text without the quotes of a string; empty for null.
std::string plain(const std::string& json) {
  const Json value = Json::parse(json);
  if (value.is_null()) return {};
  return value.is_string() ? value.get<std::string>() : json;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string out;
  for (std::size_t i = 0; i < cells.size(); ++i) out += (i > 0 ? "," : "") + csv_field(cells[i]);
  return out + "\n";
}

std::string nearest_text(const SweepRow& row) {
  std::string out;
  for (const auto& [key, value] : row.nearest)
    out += fmt::format("{}{}={}", out.empty() ? "" : " ", key, value);
  return out;
}

/// What people read of a number: seconds, bytes and dollars in fitting units.
Cell cell_of(const SweepMetric& metric, const std::optional<double>& value) {
  if (!value) return {};
  const std::string unit(metric.unit);
  if (unit == "B") return {to_text(Bytes{*value}), *value, unit};
  if (unit == "W") return {to_text(Watts{*value}), *value, unit};
  return {digits_text(*value), *value, unit};
}

/// The metrics of the table of the best, besides the objective.
constexpr const char* kShown[] = {"step_time_s", "tokens_per_s_per_gpu", "mfu_causal", "peak_bytes", "days",
                                  "usd"};

}  // namespace

std::vector<SweepColumn> sweep_columns() {
  std::vector<SweepColumn> out{{"item", "", false}, {"key", "", true}, {"status", "", true}};
  for (const ScenarioKey& key : scenario_keys()) {
    if (key.key == "layout.pipeline_layout") continue;
    const bool words = key.is_text || key.key == "layout.stage_layers";
    out.push_back({with_underscores(key.key), std::string(key.unit), words});
  }
  for (const SweepMetric& metric : sweep_metrics())
    out.push_back({std::string(metric.name), std::string(metric.unit), false});
  for (const char* name : {"reason_code", "reason", "nearest"}) out.push_back({name, "", true});
  return out;
}

std::vector<std::string> sweep_cells(std::uint64_t item, const SweepRow& row) {
  std::vector<std::string> cells{std::to_string(item), row.key, row.status};
  for (const auto& [key, value] : row.inputs) cells.push_back(plain(value));
  for (std::size_t i = 0; i < sweep_metrics().size(); ++i) {
    const bool known = i < row.metrics.size() && row.metrics[i];
    cells.push_back(known ? Json(*row.metrics[i]).dump() : std::string());
  }
  cells.push_back(row.reason_code);
  cells.push_back(row.reason);
  cells.push_back(nearest_text(row));
  return cells;
}

std::string sweep_csv_head() {
  std::vector<std::string> names;
  for (const SweepColumn& column : sweep_columns()) names.push_back(column.name);
  return csv_line(names);
}

std::string sweep_csv_line(std::uint64_t item, const SweepRow& row) {
  return csv_line(sweep_cells(item, row));
}

std::string sweep_json_line(std::uint64_t item, const SweepRow& row) {
  return fmt::format("{{\"item\":{},{}\n", item, to_json_line(row).substr(1));
}

Table best_table(const SweepSpec& spec, const std::vector<RankedRow>& best, std::size_t objective) {
  const SweepMetric& aim = sweep_metrics()[objective];
  Table table{
      .key = "best",
      .title = fmt::format("Best by {} ({})", aim.name, aim.better < 0 ? "smallest first" : "largest first"),
      .columns = {{.key = "item", .title = "item"}},
      .rows = {},
      .notes = {}};
  std::vector<std::string> keys;
  for (const SweepAxis& axis : spec.axes) keys.insert(keys.end(), axis.keys.begin(), axis.keys.end());
  for (const std::string& key : keys) {
    const std::size_t dot = key.rfind('.');
    table.columns.push_back(
        {.key = key, .title = dot == std::string::npos ? key : key.substr(dot + 1), .number = false});
  }
  std::vector<std::size_t> shown{objective};
  for (const char* name : kShown) {
    const std::size_t i = find_objective(name, "table");
    const auto has = [&](const RankedRow& r) {
      return i < r.row.metrics.size() && r.row.metrics[i].has_value();
    };
    if (i != objective && std::any_of(best.begin(), best.end(), has)) shown.push_back(i);
  }
  for (const std::size_t i : shown) {
    const SweepMetric& metric = sweep_metrics()[i];
    const bool named = metric.unit.empty() || metric.unit == "B" || metric.unit == "W" ||
                       metric.name == "usd" || metric.name.ends_with("_s") || metric.name.ends_with("_t");
    table.columns.push_back(
        {.key = std::string(metric.name),
         .title = named ? std::string(metric.name) : fmt::format("{} [{}]", metric.name, metric.unit)});
  }
  for (const RankedRow& ranked : best) {
    std::vector<Cell> row{{std::to_string(ranked.item), static_cast<double>(ranked.item), ""}};
    for (const std::string& key : keys) {
      const auto found = std::find_if(ranked.row.inputs.begin(), ranked.row.inputs.end(),
                                      [&](const auto& input) { return input.first == key; });
      row.emplace_back(found == ranked.row.inputs.end() ? std::string() : plain(found->second));
    }
    for (const std::size_t i : shown) row.push_back(cell_of(sweep_metrics()[i], ranked.row.metrics[i]));
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table status_table(const std::vector<std::pair<std::string, std::uint64_t>>& counts) {
  Table table{.key = "items",
              .title = "Items",
              .columns = {{.key = "status", .title = "", .number = false}, {.key = "count", .title = ""}},
              .rows = {},
              .notes = {}};
  for (const auto& [status, count] : counts)
    table.rows.push_back({status, {std::to_string(count), static_cast<double>(count), "items"}});
  return table;
}

}  // namespace orrery
