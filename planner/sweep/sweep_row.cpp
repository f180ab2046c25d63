#include "planner/sweep/sweep_row.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "planner/inputs.hpp"
#include "sim/base/fields.hpp"
#include "sim/base/suggest.hpp"
#include "sim/scenario_keys.hpp"

namespace orrery {
namespace {

using Value = std::optional<double>;

struct Column {
  SweepMetric metric;
  Value (*value)(const Metrics&);
};

Value memory_headroom(const Metrics& m) {
  if (m.memory.empty() || m.memory_capacity <= 0) return {};
  return m.memory_capacity - m.memory_peak;
}

constexpr std::array kColumns{
    Column{{"step_time_s", "s", "time of an optimizer step", -1},
           [](const Metrics& m) -> Value { return m.step_time_s; }},
    Column{{"tokens_per_s", "tokens/s", "of the whole cluster", 1},
           [](const Metrics& m) -> Value { return m.throughput.tokens_per_s; }},
    Column{{"tokens_per_s_per_gpu", "tokens/s", "of one GPU", 1},
           [](const Metrics& m) -> Value { return m.throughput.tokens_per_s_per_gpu; }},
    Column{{"model_tflops_per_gpu_causal", "TFLOP/s", "model FLOPs of causal attention", 1},
           [](const Metrics& m) -> Value { return m.throughput.model_tflops_per_gpu_causal; }},
    Column{{"mfu_causal", "", "share of the dense BF16 peak", 1},
           [](const Metrics& m) -> Value { return m.throughput.mfu_causal; }},
    Column{{"mfu_noncausal", "", "the same with attention counted in full", 1},
           [](const Metrics& m) -> Value { return m.throughput.mfu_noncausal; }},
    Column{{"bubble_s", "s", "waiting of the slowest pipeline rank", -1},
           [](const Metrics& m) -> Value { return m.breakdown.bubble; }},
    Column{{"peak_bytes", "B", "memory of the fullest GPU", -1},
           [](const Metrics& m) -> Value { return m.memory_peak; }},
    Column{{"headroom_bytes", "B", "memory left on it", 1}, memory_headroom},
    Column{{"gpu_mean_w", "W", "mean draw of a GPU", -1},
           [](const Metrics& m) { return m.power.gpu_mean_w; }},
    Column{{"cluster_mean_w", "W", "mean draw of the cluster, without PUE", -1},
           [](const Metrics& m) { return m.power.cluster_mean_w; }},
    Column{{"step_j", "J", "energy of a step, without PUE", -1},
           [](const Metrics& m) { return m.power.step_j; }},
    Column{{"days", "d", "of the whole run", -1}, [](const Metrics& m) { return m.run.days; }},
    Column{{"gpu_hours", "h", "of the whole run", -1}, [](const Metrics& m) { return m.run.gpu_hours; }},
    Column{{"goodput", "", "share of the time that makes progress", 1},
           [](const Metrics& m) { return m.run.goodput; }},
    Column{{"energy_mwh", "MWh", "of the whole run, with PUE", -1},
           [](const Metrics& m) { return m.run.energy_mwh; }},
    Column{{"usd", "USD", "of the whole run", -1}, [](const Metrics& m) { return m.run.usd; }},
    Column{{"co2e_t", "t", "CO2 equivalent of the whole run", -1},
           [](const Metrics& m) { return m.run.co2e_t; }},
};

const std::vector<SweepMetric>& metric_list() {
  static const std::vector<SweepMetric> kList = [] {
    std::vector<SweepMetric> out;
    for (const Column& column : kColumns) out.push_back(column.metric);
    return out;
  }();
  return kList;
}

Json number(const Value& value) {
  if (!value) return nullptr;
  SIM_CHECK(std::isfinite(*value), "a number of a row is not finite");
  return *value;
}

/// JSON where the text is some, else a string.
Json value_of(const std::string& text) {
  return Json::accept(text) ? Json::parse(text) : Json(text);
}

}  // namespace

std::span<const SweepMetric> sweep_metrics() {
  return metric_list();
}

std::vector<std::string> objective_names() {
  std::vector<std::string> out;
  for (const SweepMetric& metric : sweep_metrics()) {
    if (metric.better != 0) out.emplace_back(metric.name);
  }
  return out;
}

std::size_t find_objective(const std::string& name, const std::string& place) {
  for (std::size_t i = 0; i < sweep_metrics().size(); ++i) {
    if (sweep_metrics()[i].name == name && sweep_metrics()[i].better != 0) return i;
  }
  const std::vector<std::string> known = objective_names();
  throw InputError(
      place, fmt::format("found '{}', expected one of {}{}", name, join(known), did_you_mean(name, known)));
}

std::vector<std::pair<std::string, std::string>> row_inputs(const Scenario& scenario) {
  const Json written = Json::parse(to_json_text(scenario));
  std::vector<std::pair<std::string, std::string>> out;
  for (const ScenarioKey& key : scenario_keys()) {
    std::string pointer = "/" + std::string(key.key);
    std::replace(pointer.begin(), pointer.end(), '.', '/');
    const Json::json_pointer at(pointer);
    if (key.key == "layout.pipeline_layout") continue;  // another way of writing stage_layers
    if (written.contains(at)) {
      out.emplace_back(key.key, written.at(at).dump());
      continue;
    }
    const std::optional<std::string> word = default_word(scenario, std::string(key.key));
    out.emplace_back(key.key, !word ? "null" : Json::accept(*word) ? *word : Json(*word).dump());
  }
  return out;
}

void fill_row(const Metrics& metrics, SweepRow& row) {
  if (metrics.infeasible) {
    row.status = "infeasible";
    row.reason_code = to_text(metrics.infeasible->reason);
    row.reason = metrics.infeasible->text;
    row.nearest = metrics.nearest;
    return;
  }
  row.status = "ok";
  for (const Column& column : kColumns) row.metrics.push_back(column.value(metrics));
}

std::string to_json_line(const SweepRow& row) {
  Json inputs = Json::object();
  for (const auto& [key, text] : row.inputs) inputs[key] = value_of(text);
  Json metrics = nullptr;
  for (std::size_t i = 0; i < row.metrics.size(); ++i)
    metrics[std::string(sweep_metrics()[i].name)] = number(row.metrics[i]);
  Json reason = nullptr;
  if (!row.reason_code.empty()) {
    Json nearest = Json::object();
    for (const auto& [key, text] : row.nearest) nearest[key] = value_of(text);
    reason = {{"code", row.reason_code}, {"text", row.reason}, {"nearest", std::move(nearest)}};
  }
  const Json out{{"key", row.key.empty() ? Json(nullptr) : Json(row.key)},
                 {"status", row.status},
                 {"inputs", std::move(inputs)},
                 {"metrics", std::move(metrics)},
                 {"reason", std::move(reason)}};
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

SweepRow parse_row(const std::string& line) {
  try {
    const Json json = Json::parse(line);
    SweepRow row;
    if (!json.at("key").is_null()) row.key = json.at("key").get<std::string>();
    row.status = json.at("status").get<std::string>();
    for (const auto& item : json.at("inputs").items())
      row.inputs.emplace_back(item.key(), item.value().dump());
    for (const auto& item : json.at("metrics").items())
      row.metrics.push_back(item.value().is_null() ? Value() : Value(item.value().get<double>()));
    const Json& reason = json.at("reason");
    if (reason.is_null()) return row;
    row.reason_code = reason.at("code").get<std::string>();
    row.reason = reason.at("text").get<std::string>();
    for (const auto& item : reason.at("nearest").items())
      row.nearest.emplace_back(item.key(), item.value().dump());
    return row;
  } catch (const Json::exception& error) {
    throw InternalError(fmt::format("a row of a sweep cannot be read: {}: {}", error.what(), line));
  }
}

}  // namespace orrery
