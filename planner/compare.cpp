#include "planner/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/base/fields.hpp"
#include "sim/base/units_text.hpp"

namespace orrery {
namespace {

Json read_result(const std::string& name, const std::string& text) {
  Json json = parse_json(text, name);
  const bool ours = json.is_object() && json.value("schema", Json()) == "orrery.result/1";
  if (!ours || !json.contains("scenario") || !json.contains("feasible"))
    throw InputError(name, "is no result of schema orrery.result/1");
  return json;
}

std::string unit_of(const std::string& name) {
  static const std::vector<std::pair<std::string, std::string>> kEndings{
      {"tokens_per_s_per_gpu", "tokens/s"},
      {"tokens_per_s", "tokens/s"},
      {"tokens_per_day", "tokens/d"},
      {"tflops_per_gpu_causal", "TFLOP/s"},
      {"tflops_per_gpu_noncausal", "TFLOP/s"},
      {"gpu_hours_per_trillion_tokens", "h"},
      {"per_token_j", "J"},
      {"_bytes", "B"},
      {"_w", "W"},
      {"_j", "J"},
      {"_mwh", "MWh"},
      {"gpu_hours", "h"},
      {"days", "d"},
      {"usd", "USD"},
      {"co2e_t", "t"},
      {"tokens", "tokens"}};
  if (name.find("_s.") != std::string::npos || name.ends_with("time_s") ||
      name.find("time_s_p") != std::string::npos)
    return "s";
  for (const auto& [ending, unit] : kEndings) {
    if (name.ends_with(ending)) return unit;
  }
  return {};
}

/// Every key of a JSON object down to values that are no objects.
void flatten(const Json& value, const std::string& path, std::vector<std::pair<std::string, Json>>& out) {
  if (!value.is_object() || value.empty()) {
    out.emplace_back(path, value);
    return;
  }
  for (const auto& item : value.items())
    flatten(item.value(), path.empty() ? item.key() : path + "." + item.key(), out);
}

std::vector<InputDifference> differences(const std::vector<std::pair<std::string, Json>>& a,
                                         const std::vector<std::pair<std::string, Json>>& b) {
  std::vector<InputDifference> out;
  const auto find = [](const auto& list, const std::string& key) {
    return std::find_if(list.begin(), list.end(), [&](const auto& item) { return item.first == key; });
  };
  for (const auto& [key, value] : a) {
    const auto other = find(b, key);
    if (other == b.end()) out.push_back({key, value.dump(), {}});
    if (other != b.end() && other->second != value) out.push_back({key, value.dump(), other->second.dump()});
  }
  for (const auto& [key, value] : b) {
    if (find(a, key) == a.end()) out.push_back({key, {}, value.dump()});
  }
  return out;
}

std::vector<std::pair<std::string, Json>> assumptions_of(const Json& result) {
  std::vector<std::pair<std::string, Json>> out;
  for (const Json& row : result.value("assumptions", Json::array()))
    out.emplace_back(row.value("name", ""), row.value("value", Json()));
  return out;
}

/// Numbers that say something of the run, in the order of the result.
std::vector<std::pair<std::string, Json>> numbers_of(const Json& result) {
  std::vector<std::pair<std::string, Json>> all;
  for (const char* part : {"step", "throughput", "memory", "power", "energy", "run"}) {
    if (result.contains(part)) flatten(result.at(part), part, all);
  }
  std::erase_if(all, [](const auto& item) {
    return item.second.is_array() || item.second.is_string() || item.first.ends_with("slowest_rank") ||
           item.first.ends_with("step.tasks");
  });
  return all;
}

std::optional<double> number(const Json& value) {
  return value.is_number() ? std::optional<double>(value.get<double>()) : std::nullopt;
}

std::vector<MetricDifference> metrics_of(const Json& a, const Json& b) {
  std::vector<MetricDifference> out;
  const auto mine = numbers_of(a);
  const auto theirs = numbers_of(b);
  const auto slot = [&](const std::string& name) -> MetricDifference& {
    const auto found =
        std::find_if(out.begin(), out.end(), [&](const MetricDifference& m) { return m.name == name; });
    if (found != out.end()) return *found;
    return out.emplace_back(MetricDifference{.name = name, .unit = unit_of(name), .a = {}, .b = {}});
  };
  for (const auto& [name, value] : mine) slot(name).a = number(value);
  for (const auto& [name, value] : theirs) slot(name).b = number(value);
  std::erase_if(out, [](const MetricDifference& m) { return !m.a && !m.b; });
  return out;
}

void add_notes(const Json& a, const Json& b, Comparison& out) {
  const auto reason = [&](const Json& side, const std::string& name) {
    if (side.at("feasible").get<bool>()) return;
    const Json& why = side.value("infeasible", Json());
    out.notes.push_back(
        fmt::format("{} cannot run: {}", name,
                    why.is_object() ? why.value("text", "no reason given") : "no reason given"));
  };
  reason(a, out.a_name);
  reason(b, out.b_name);
  const Json mine = a.value("program", Json());
  const Json theirs = b.value("program", Json());
  if (mine != theirs)
    out.notes.push_back(
        fmt::format("The two were computed by different programs: {} and {}.", mine.dump(), theirs.dump()));
}

std::string plain(const std::string& json) {
  if (json.empty()) return "-";
  const Json value = Json::parse(json);
  return value.is_string() ? value.get<std::string>() : json;
}

Cell cell_of(const std::optional<double>& value, const std::string& unit, bool sign) {
  if (!value) return {"-"};
  std::string text = unit == "B" ? to_text(Bytes{*value}) : digits_text(*value);
  if (sign && *value > 0) text.insert(0, "+");
  return {std::move(text), *value, unit};
}

Table input_table(const char* key, const char* title, const Comparison& c,
                  const std::vector<InputDifference>& rows) {
  Table table{.key = key,
              .title = title,
              .columns = {{.key = "key", .title = "key", .number = false},
                          {.key = "a", .title = "A", .number = false},
                          {.key = "b", .title = "B", .number = false}},
              .rows = {},
              .notes = {fmt::format("A: {}. B: {}.", c.a_name, c.b_name)}};
  for (const InputDifference& row : rows) table.rows.push_back({row.key, plain(row.a), plain(row.b)});
  if (rows.empty()) table.notes.insert(table.notes.begin(), "None.");
  return table;
}

Json json_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json::parse(text);
}

Json optional_number(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

}  // namespace

std::optional<double> MetricDifference::difference() const {
  if (!a || !b) return {};
  return *b - *a;
}

std::optional<double> MetricDifference::change_percent() const {
  if (!a || !b || *a == 0) return {};
  return 100 * (*b - *a) / std::abs(*a);
}

Comparison compare_results(const std::string& a_name, const std::string& a_text, const std::string& b_name,
                           const std::string& b_text) {
  const Json a = read_result(a_name, a_text);
  const Json b = read_result(b_name, b_text);
  Comparison out{.a_name = a_name,
                 .b_name = b_name,
                 .a_feasible = a.at("feasible").get<bool>(),
                 .b_feasible = b.at("feasible").get<bool>(),
                 .inputs = {},
                 .assumptions = {},
                 .metrics = metrics_of(a, b),
                 .notes = {}};
  std::vector<std::pair<std::string, Json>> mine;
  std::vector<std::pair<std::string, Json>> theirs;
  flatten(a.at("scenario"), "", mine);
  flatten(b.at("scenario"), "", theirs);
  out.inputs = differences(mine, theirs);
  out.assumptions = differences(assumptions_of(a), assumptions_of(b));
  // An input that the scenario names is not told twice.
  std::erase_if(out.assumptions, [&](const InputDifference& d) {
    return std::any_of(out.inputs.begin(), out.inputs.end(),
                       [&](const InputDifference& i) { return i.key == d.key; });
  });
  add_notes(a, b, out);
  return out;
}

std::vector<Table> comparison_tables(const Comparison& c, bool all) {
  std::vector<Table> tables{input_table("inputs", "Inputs that differ", c, c.inputs)};
  Table metrics{.key = "metrics",
                .title = all ? "Figures" : "Figures that differ",
                .columns = {{.key = "metric", .title = "figure", .number = false},
                            {.key = "a", .title = "A"},
                            {.key = "b", .title = "B"},
                            {.key = "difference", .title = "B - A"},
                            {.key = "change_percent", .title = "change %"},
                            {.key = "unit", .title = "unit", .number = false}},
                .rows = {},
                .notes = c.notes};
  for (const MetricDifference& m : c.metrics) {
    if (!all && m.a == m.b) continue;
    metrics.rows.push_back({m.name, cell_of(m.a, m.unit, false), cell_of(m.b, m.unit, false),
                            cell_of(m.difference(), m.unit, true), cell_of(m.change_percent(), "%", true),
                            m.unit});
  }
  if (metrics.rows.empty()) metrics.notes.insert(metrics.notes.begin(), "None.");
  tables.push_back(std::move(metrics));
  if (!c.assumptions.empty())
    tables.push_back(input_table("assumptions", "Assumptions that differ", c, c.assumptions));
  return tables;
}

std::string comparison_json(const Comparison& c) {
  const auto inputs = [](const std::vector<InputDifference>& rows) {
    Json out = Json::array();
    for (const InputDifference& row : rows)
      out.push_back({{"key", row.key}, {"a", json_or_null(row.a)}, {"b", json_or_null(row.b)}});
    return out;
  };
  Json metrics = Json::array();
  for (const MetricDifference& m : c.metrics) {
    metrics.push_back({{"metric", m.name},
                       {"unit", m.unit.empty() ? Json(nullptr) : Json(m.unit)},
                       {"a", optional_number(m.a)},
                       {"b", optional_number(m.b)},
                       {"difference", optional_number(m.difference())},
                       {"change_percent", optional_number(m.change_percent())}});
  }
  const Json out{{"schema", "orrery.compare/1"},
                 {"a", {{"name", c.a_name}, {"feasible", c.a_feasible}}},
                 {"b", {{"name", c.b_name}, {"feasible", c.b_feasible}}},
                 {"inputs", inputs(c.inputs)},
                 {"metrics", std::move(metrics)},
                 {"assumptions", inputs(c.assumptions)},
                 {"notes", c.notes}};
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace orrery
