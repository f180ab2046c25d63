#pragma once

#include <string>

#include "sim/base/fields.hpp"
#include "sim/scenario_keys.hpp"
#include "sim/scenario_run.hpp"

/// Fields of the scenario's parts `economics` and `reliability`; meant for scenario.cpp.
namespace orrery {

/// The limits that `config show` prints for a key.
[[nodiscard]] inline Limits limits_of(std::string_view key) {
  const ScenarioKey* found = find_scenario_key(key);
  SIM_CHECK(found != nullptr, key);
  return {.low = found->low, .high = found->high, .open_low = found->above_low};
}

/// Written only where it was given: an empty value means a rule or the data decides.
template <class V>
void number_if_given(V& v, const char* part, const char* key, std::optional<double>& value) {
  if (V::reading || value) v.optional(key, value, limits_of(std::string(part) + "." + key));
}

template <class V>
void fields(V& v, Economics& e) {
  v.optional("usd_per_gpu_hour", e.usd_per_gpu_hour, limits_of("economics.usd_per_gpu_hour"));
  v.optional("usd_per_kwh", e.usd_per_kwh, limits_of("economics.usd_per_kwh"));
  v.optional("pue", e.pue, limits_of("economics.pue"));
  v.optional("grid", e.grid);
  number_if_given(v, "economics", "co2_g_per_kwh", e.co2_g_per_kwh);
  number_if_given(v, "economics", "server_usd", e.server_usd);
  number_if_given(v, "economics", "lifetime_years", e.lifetime_years);
}

template <class V>
void fields(V& v, Reliability& r) {
  number_if_given(v, "reliability", "failures_per_node_day", r.failures_per_node_day);
  number_if_given(v, "reliability", "restart_s", r.restart_s);
  number_if_given(v, "reliability", "checkpoint_interval_s", r.checkpoint_interval_s);
  number_if_given(v, "reliability", "checkpoint_bytes_per_s_per_node", r.checkpoint_bytes_per_s_per_node);
  number_if_given(v, "reliability", "checkpoint_stall_s", r.checkpoint_stall_s);
  number_if_given(v, "reliability", "straggler_loss", r.straggler_loss);
  number_if_given(v, "reliability", "repair_s", r.repair_s);
}

}  // namespace orrery
