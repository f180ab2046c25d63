#include "planner/inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "sim/base/fields.hpp"
#include "sim/model/param_count.hpp"
#include "sim/report/table.hpp"
#include "sim/scenario_keys.hpp"

namespace orrery {
namespace {

std::string text_of(const Json& value) {
  if (value.is_null()) return "not given";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{:.15g}", value.get<double>());
  return value.dump();
}

std::string source_of(const Scenario& s, const std::string& key, const std::string& file,
                      const std::vector<Override>& overrides) {
  for (const Scenario::Assumed& assumed : s.assumed) {
    if (assumed.name == key) return "assumed: " + assumed.why;
  }
  for (auto it = overrides.rbegin(); it != overrides.rend(); ++it) {
    if (it->key == key) return it->place;
  }
  return file;
}

/// What a cluster has where the scenario does not change it.
std::optional<std::string> of_profile(const ClusterProfile& c, const std::string& key) {
  if (key == "cluster.gpus_per_node") return std::to_string(c.gpus_per_node);
  if (key == "cluster.nics_per_gpu") return fmt::format("{:g}", c.nics_per_gpu);
  if (key == "cluster.oversubscription") return fmt::format("{:g}", c.oversubscription.value);
  if (key == "cluster.power_cap_w") return fmt::format("{:g}", c.gpu.power.cap_w.value);
  return std::nullopt;
}

InputRow scenario_row(const ScenarioKey& key, const Json& written, const Scenario& s, const std::string& file,
                      const std::vector<Override>& overrides) {
  InputRow row{.key = std::string(key.key),
               .value = {},
               .unit = std::string(key.unit),
               .bounds = bounds_text(key),
               .source = {}};
  std::string pointer = "/" + row.key;
  std::replace(pointer.begin(), pointer.end(), '.', '/');
  const Json::json_pointer at(pointer);
  if (written.contains(at) && !written.at(at).is_null()) {
    row.value = text_of(written.at(at));
    row.source = source_of(s, row.key, file, overrides);
    return row;
  }
  const std::int64_t dense = s.layout.tp * s.layout.cp * s.layout.pp;
  if (row.key == "layout.dp" && s.gpus % dense == 0) {
    row.value = std::to_string(s.gpus / dense);
    row.source = "follows: gpus / (tp*cp*pp)";
  } else if (const auto own = of_profile(s.cluster, row.key)) {
    row.value = *own;
    row.source = "as the profile " + s.cluster_ref + " has it";
  } else if (const auto usual = default_word(s, row.key)) {
    row.value = *usual;
    row.source = "default: today's training programs";
  } else {
    row.value = "not given";
    row.source = key.what;
  }
  return row;
}

void add_model(const ModelSpec& m, std::vector<InputRow>& rows) {
  const char* source = "configuration";
  const auto add = [&](const char* key, std::int64_t value, const char* unit) {
    rows.push_back({fmt::format("model.{}", key), std::to_string(value), unit, "", source});
  };
  add("hidden", m.hidden, "");
  add("layers", m.layers, "layers");
  add("heads", m.heads, "");
  add("kv_heads", m.kv_heads, "");
  add("ffn", m.ffn, "");
  add("vocab", m.vocab, "tokens");
  add("mtp_modules", m.mtp_modules, "");
  if (m.sliding_window > 0) {
    add("sliding_window", m.sliding_window, "tokens");
    add("window_layers", m.window_layers(), "layers");
  }
  if (m.moe) {
    add("experts", m.moe->experts, "");
    add("top_k", m.moe->top_k, "");
    add("expert_ffn", m.moe->expert_ffn, "");
    add("shared_experts", m.moe->shared_experts, "");
    add("leading_dense_layers", m.leading_dense_layers, "layers");
  }
  const ParamCount count = count_params(m);
  add("parameters", count.total(), "weights");
  add("active_parameters", count.active_per_token(), "weights");
}

/// The unit that the key of a profile's number ends in.
std::string unit_of_key(const std::string& path) {
  static const std::vector<std::pair<std::string, std::string>> kEndings{
      {"bytes_per_s", "B/s"}, {"flops_per_s", "FLOP/s"}, {"joules_per_byte", "J/B"}, {"_bytes", "B"},
      {"latency_s", "s"},     {"setup_s", "s"},          {"launch_s", "s"},          {"_w", "W"}};
  if (path.find("peak_flops_per_s.") != std::string::npos) return "FLOP/s";
  if (path.find("joules_per_flop.") != std::string::npos) return "J/FLOP";
  for (const auto& [ending, unit] : kEndings) {
    if (path.ends_with(ending)) return unit;
  }
  return {};
}

std::string provenance(const Json& object) {
  return fmt::format("{}: {}, {}", object.at("origin").get<std::string>(),
                     object.at("source").get<std::string>(), object.value("date", ""));
}

/// Every object with an origin below `value`: sourced numbers, and curves as a whole.
void add_sourced(const Json& value, const std::string& path, std::vector<InputRow>& rows) {
  if (value.is_object() && value.contains("origin")) {
    const bool number = value.contains("value");
    rows.push_back(
        {path, number ? text_of(value.at("value")) : "curve", unit_of_key(path), "", provenance(value)});
  }
  if (value.is_object()) {
    for (const auto& item : value.items()) {
      if (item.value().is_structured()) add_sourced(item.value(), path + "." + item.key(), rows);
    }
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      const Json& child = value[i];
      if (!child.is_object()) continue;
      add_sourced(child, path + "." + child.value("class", std::to_string(i)), rows);
    }
  }
}

}  // namespace

std::optional<std::string> default_word(const Scenario& s, const std::string& key) {
  const Training& t = s.training;
  if (key == "training.attention") return attention_kernel_names()[static_cast<std::size_t>(t.attention)];
  if (key == "training.dropout") return t.dropout ? "true" : "false";
  if (key == "training.loss") return loss_kernel_names()[static_cast<std::size_t>(t.loss)];
  if (key == "training.expert_calls") return expert_calls_names()[static_cast<std::size_t>(t.expert_calls)];
  if (key == "layout.moe_dispatcher")
    return token_dispatcher_names()[static_cast<std::size_t>(s.layout.moe_dispatcher)];
  if (key == "stack") return "none";
  if (key == "training.gradients") return gradient_format_names()[static_cast<std::size_t>(t.gradients)];
  return std::nullopt;
}

std::vector<InputRow> resolved_inputs(const Scenario& scenario, const std::string& file,
                                      const std::vector<Override>& overrides) {
  std::vector<InputRow> rows;
  const Json written = Json::parse(to_json_text(scenario));
  for (const ScenarioKey& key : scenario_keys())
    rows.push_back(scenario_row(key, written, scenario, file, overrides));
  add_model(scenario.model, rows);
  const std::size_t own = rows.size();
  add_sourced(Json::parse(to_json_text(scenario.cluster)), "cluster", rows);
  // A number that scenarios may change stands once, where a user would change it, with its provenance.
  for (std::size_t i = own; i < rows.size(); ++i) {
    const auto same = std::find_if(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(own),
                                   [&](const InputRow& row) { return row.key == rows[i].key; });
    if (same == rows.begin() + static_cast<std::ptrdiff_t>(own)) continue;
    if (same->source.starts_with("as the profile")) same->source = rows[i].source;
    rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(i--));
  }
  add_sourced(Json::parse(to_json_text(scenario.cluster.gpu)), "gpu", rows);
  return rows;
}

}  // namespace orrery
