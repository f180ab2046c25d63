#include "planner/economics/price_list.hpp"

#include <fmt/format.h>

#include "sim/base/fields.hpp"
#include "sim/base/suggest.hpp"
#include "sim/hw/hw_fields.hpp"

namespace orrery {

template <class V>
void fields(V& v, Ranged& r) {
  v.required("low", r.low, kNonNegative);
  v.required("value", r.value, kNonNegative);
  v.required("high", r.high, kNonNegative);
  provenance_fields(v, r.origin, r.source, r.date, r.note);
  if constexpr (V::reading) {
    if (!(r.low <= r.value && r.value <= r.high))
      throw InputError(v.node().where(), fmt::format("found {:g}, {:g}, {:g}, expected low <= value <= high",
                                                     r.low, r.value, r.high));
  }
}

template <class V>
void fields(V& v, GpuPrice& g) {
  v.required("name", g.name);
  v.required("rent_usd_per_hour", g.rent_usd_per_hour);
  v.required("server_usd", g.server_usd);
  v.required("embodied_kg_per_gpu", g.embodied_kg_per_gpu);
  v.required("embodied_holds_server", g.embodied_holds_server);
}

template <class V>
void fields(V& v, PriceList& p) {
  schema_field(v, "orrery.prices/1");
  v.required("gpus", p.gpus);
  v.required("switch_usd", p.switch_usd);
  v.required("link_usd", p.link_usd);
  v.required("other_usd_per_gpu", p.other_usd_per_gpu);
  v.required("lifetime_years", p.lifetime_years);
  v.required("utilisation", p.utilisation);
  v.required("space_usd_per_kw_month", p.space_usd_per_kw_month);
  v.required("usd_per_kwh", p.usd_per_kwh);
  v.required("server_embodied_kg", p.server_embodied_kg);
  v.required("water_onsite_l_per_kwh", p.water_onsite_l_per_kwh);
  v.required("development_hardware_share", p.development_hardware_share);
  v.required("development_energy_share", p.development_energy_share);
}

template <class V>
void fields(V& v, Grid& g) {
  v.required("name", g.name);
  v.required("g_per_kwh", g.g_per_kwh);
  if (V::reading || g.water_offsite_l_per_kwh)
    v.optional("water_offsite_l_per_kwh", g.water_offsite_l_per_kwh);
}

struct GridFile {
  std::vector<Grid> grids;
};

template <class V>
void fields(V& v, GridFile& f) {
  schema_field(v, "orrery.grids/1");
  v.required("grids", f.grids);
}

template <class V>
void fields(V& v, ReliabilityData& r) {
  schema_field(v, "orrery.reliability/1");
  v.required("failures_per_node_day", r.failures_per_node_day);
  v.required("restart_s", r.restart_s);
  v.required("checkpoint_bytes_per_s_per_node", r.checkpoint_bytes_per_s_per_node);
  v.required("checkpoint_stall_s", r.checkpoint_stall_s);
  v.required("straggler_loss", r.straggler_loss);
  v.required("slow_node_share", r.slow_node_share);
  v.required("hardware_share", r.hardware_share);
  v.required("repair_s", r.repair_s);
}

template <class V>
void fields(V& v, ModelError::Entry& e) {
  v.required("gpu", e.gpu);
  v.required("runs", e.runs, kNonNegative);
  v.required("measured_over_computed", e.measured_over_computed);
}

template <class V>
void fields(V& v, ModelError& m) {
  schema_field(v, "orrery.model-error/1");
  v.required("step_time", m.step_time);
  v.required("power_above_idle", m.power_above_idle);
}

namespace {

template <class T>
T load(const std::filesystem::path& path) {
  const Json json = load_json(path);
  T value;
  read_value(JsonNode{json, path.string(), ""}, value);
  return value;
}

void demand_share(const Ranged& r, const std::filesystem::path& path, const char* key) {
  if (r.low > 0 && r.high <= 1) return;
  throw InputError(path.string() + "#/" + key,
                   fmt::format("found {:g} to {:g}, expected a share above 0, at most 1", r.low, r.high));
}

void demand_positive(const Ranged& r, const std::filesystem::path& path, const char* key) {
  if (r.low > 0) return;
  throw InputError(path.string() + "#/" + key, fmt::format("found {:g}, expected a positive number", r.low));
}

}  // namespace

const GpuPrice* PriceList::find(const std::string& gpu) const {
  for (const GpuPrice& price : gpus) {
    if (price.name == gpu) return &price;
  }
  return nullptr;
}

const Grid& RunData::grid(const std::string& name, const std::string& where) const {
  std::vector<std::string> known;
  for (const Grid& grid : grids) {
    if (grid.name == name) return grid;
    known.push_back(grid.name);
  }
  throw InputError(where, fmt::format("found '{}', expected one of {}{}; or give economics.co2_g_per_kwh, or "
                                      "add the grid to {}/grids.json",
                                      name, join(known), did_you_mean(name, known), place));
}

const ModelError::Entry& ModelError::of(const std::string& gpu) const {
  const Entry* any = nullptr;
  for (const Entry& entry : step_time) {
    if (entry.gpu == gpu) return entry;
    if (entry.gpu == "any") any = &entry;
  }
  SIM_CHECK(any != nullptr, "the model error has no entry 'any'");
  return *any;
}

RunData load_run_data(const std::filesystem::path& folder) {
  RunData data;
  data.place = folder.string();
  const std::filesystem::path prices = folder / "prices.json";
  data.prices = load<PriceList>(prices);
  demand_share(data.prices.utilisation, prices, "utilisation");
  demand_share(data.prices.development_hardware_share, prices, "development_hardware_share");
  demand_positive(data.prices.lifetime_years, prices, "lifetime_years");
  data.grids = load<GridFile>(folder / "grids.json").grids;
  const std::filesystem::path reliability = folder / "reliability.json";
  data.reliability = load<ReliabilityData>(reliability);
  demand_positive(data.reliability.checkpoint_bytes_per_s_per_node, reliability,
                  "checkpoint_bytes_per_s_per_node");
  const std::filesystem::path error = folder / "model-error.json";
  data.model_error = load<ModelError>(error);
  bool any = false;
  for (const ModelError::Entry& entry : data.model_error.step_time) {
    demand_positive(entry.measured_over_computed, error, "step_time");
    any = any || entry.gpu == "any";
  }
  if (!any) throw InputError(error.string() + "#/step_time", "has no entry for the gpu 'any'");
  return data;
}

}  // namespace orrery
