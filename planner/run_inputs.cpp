#include "planner/run_inputs.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <utility>

#include "sim/lower/memory.hpp"
#include "sim/model/param_count.hpp"
#include "sim/network/fabric.hpp"

namespace orrery {
namespace {

constexpr double kPortsPriced = 64.0;  // of the switch in the price list

Ranged ranged(const Sourced& s, double tolerance) {
  return {.low = s.value * (1.0 - tolerance),
          .value = s.value,
          .high = s.value * (1.0 + tolerance),
          .origin = s.origin,
          .source = s.source,
          .date = s.date,
          .note = fmt::format("Range assumed: {:.0f} %.", 100.0 * tolerance)};
}

class Question {
 public:
  void add(std::string key, std::string what, std::string unit, double RunInputs::*member, Ranged range,
           bool stated = false) {
    out.values.*member = range.value;
    out.ranges.push_back({.key = std::move(key),
                          .what = std::move(what),
                          .unit = std::move(unit),
                          .member = member,
                          .range = std::move(range),
                          .stated = stated});
  }

  /// An input that is shown and not varied.
  void add_other(std::string key, std::string what, std::string unit, double RunInputs::*member,
                 const Ranged& range) {
    out.values.*member = range.value;
    out.others.push_back({.key = std::move(key),
                          .what = std::move(what),
                          .unit = std::move(unit),
                          .member = member,
                          .range = range});
  }

  /// The scenario's value where it has one, else the data's.
  void add_or(std::string key, std::string what, std::string unit, double RunInputs::*member,
              const std::optional<double>& stated, const Ranged& data) {
    const Ranged range = stated ? given(*stated, "scenario") : data;
    add(std::move(key), std::move(what), std::move(unit), member, range, stated.has_value());
  }

  /// A price or factor that the scenario states, with the relative range of `market` around it.
  void add_stated(std::string key, std::string what, std::string unit, double RunInputs::*member,
                  double value, const Ranged& market) {
    Ranged range = given(value, "scenario");
    if (market.value > 0) {
      range.low = value * market.low / market.value;
      range.high = value * market.high / market.value;
      range.note = "range: that of the market, " + market.source;
      if (!market.note.empty()) range.note += " (" + market.note + ")";
    }
    add(std::move(key), std::move(what), std::move(unit), member, range, true);
  }

  RunQuestion out;
};

void add_step(const Metrics& m, const Scenario& s, const RunData& data, Question& q) {
  RunInputs& v = q.out.values;
  v.step_s = m.step_time_s;
  v.step_tokens = m.step_tokens;
  v.tokens = s.training.tokens;
  v.gpus = static_cast<double>(s.gpus);
  v.nodes = std::ceil(v.gpus / static_cast<double>(s.cluster.gpus_per_node));
  q.out.has_tokens = s.training.tokens > 0 && m.step_tokens > 0;
  const ModelError::Entry& error = data.model_error.of(s.cluster.gpu.name);
  q.add("model error of the step time",
        fmt::format("measured over computed step time, {} published runs", error.runs), "factor",
        &RunInputs::step_error, error.measured_over_computed);
  v.step_error = 1;  // the simulated step stands; the error is for ranges
}

void add_power(const Metrics& m, const Scenario& s, const RunData& data, Question& q) {
  RunInputs& v = q.out.values;
  v.gpu_mean_w = m.power.gpu_mean_w.value_or(0);
  q.add("model error of GPU power", "power above idle, real over computed", "factor", &RunInputs::power_error,
        data.model_error.power_above_idle);
  q.add("gpu.power.idle_w", "power of an idle GPU", "W", &RunInputs::gpu_idle_w,
        ranged(s.cluster.gpu.power.idle_w, 0.1));
  q.add("cluster.node_overhead_w", "power of a node without its GPUs", "W", &RunInputs::node_overhead_w,
        ranged(s.cluster.node_overhead_w, 0.2));
  v.network_w = m.power.network_w.value_or(0);
  const Fabric fabric = fabric_of(s.cluster, s.gpus);
  v.switches = static_cast<double>(fabric.switches) * s.cluster.switch_radix.value / kPortsPriced;
  v.links = static_cast<double>(fabric.links);
}

void add_reliability(const Scenario& s, const RunData& data, Question& q) {
  const ReliabilityData& d = data.reliability;
  const Reliability& r = s.reliability;
  RunInputs& v = q.out.values;
  const MemoryRules rules = memory_rules(s.training);
  v.checkpoint_bytes =
      static_cast<double>(count_params(s.model).total()) * (2.0 + rules.master_bytes + rules.moment_bytes);
  v.copy_s = v.checkpoint_bytes / v.gpus / s.cluster.host_link_bytes_per_s.value;
  v.checkpoint_interval_s = r.checkpoint_interval_s.value_or(0);
  // Rates are per node of 8 GPUs; smaller nodes fail in proportion.
  Ranged failures = d.failures_per_node_day;
  const double per_node = static_cast<double>(s.cluster.gpus_per_node) / 8.0;
  for (double* x : {&failures.low, &failures.value, &failures.high}) *x *= per_node;
  q.add_or("reliability.failures_per_node_day", "failures that stop the job", "per node and day",
           &RunInputs::failures_per_node_day, r.failures_per_node_day, failures);
  q.add_or("reliability.restart_s", "restart after a failure", "s", &RunInputs::restart_s, r.restart_s,
           d.restart_s);
  q.add_or("reliability.checkpoint_bytes_per_s_per_node", "checkpoint bandwidth", "B/s per node",
           &RunInputs::bytes_per_s_per_node, r.checkpoint_bytes_per_s_per_node,
           d.checkpoint_bytes_per_s_per_node);
  q.add_or("reliability.checkpoint_stall_s", "stall of one checkpoint", "s", &RunInputs::stall_s,
           r.checkpoint_stall_s, d.checkpoint_stall_s);
  q.add_or("reliability.straggler_loss", "largest share of time lost to slow nodes", "share",
           &RunInputs::straggler_loss, r.straggler_loss, d.straggler_loss);
  q.add("slow_node_share", "nodes that run slow", "share", &RunInputs::slow_node_share, d.slow_node_share);
  q.add_other("hardware_share", "failures that take a node out", "share", &RunInputs::hardware_share,
              d.hardware_share);
  q.add_other("reliability.repair_s", "repair of a node", "s", &RunInputs::repair_s,
              r.repair_s ? given(*r.repair_s, "scenario") : d.repair_s);
  q.out.others.back().stated = r.repair_s.has_value();
}

void add_money(const Scenario& s, const RunData& data, Question& q) {
  const PriceList& p = data.prices;
  const Economics& e = s.economics;
  const GpuPrice* gpu = p.find(s.cluster.gpu.name);
  q.out.has_rent = e.usd_per_gpu_hour.has_value();
  if (e.usd_per_gpu_hour) {
    q.add_stated("economics.usd_per_gpu_hour", "rent of a GPU", "USD/h", &RunInputs::usd_per_gpu_hour,
                 *e.usd_per_gpu_hour, gpu != nullptr ? gpu->rent_usd_per_hour : Ranged{});
  }
  q.out.has_energy_price = e.usd_per_kwh.has_value();
  if (e.usd_per_kwh) {
    q.add_stated("economics.usd_per_kwh", "price of electricity", "USD/kWh", &RunInputs::usd_per_kwh,
                 *e.usd_per_kwh, p.usd_per_kwh);
  }
  q.out.has_pue = e.pue.has_value();
  if (e.pue) {
    Ranged range = given(*e.pue, "scenario");
    range.low = 1.0 + (*e.pue - 1.0) * 0.5;
    range.high = 1.0 + (*e.pue - 1.0) * 1.5;
    range.note = "Range assumed: half as much and half again of what the building adds.";
    q.add("economics.pue", "power usage effectiveness", "ratio", &RunInputs::pue, range, true);
  }
  q.out.has_machines = e.server_usd.has_value() || gpu != nullptr;
  if (!q.out.has_machines) return;
  if (gpu != nullptr) q.out.machine = gpu->name;
  // Prices are of nodes with eight GPUs.
  Ranged server = gpu != nullptr ? gpu->server_usd : Ranged{};
  const double per_node = static_cast<double>(s.cluster.gpus_per_node) / 8.0;
  for (double* x : {&server.low, &server.value, &server.high}) *x *= per_node;
  q.add_or("economics.server_usd", "a node with its GPUs", "USD", &RunInputs::server_usd, e.server_usd,
           server);
  q.add("switch_usd", "a 64-port switch", "USD", &RunInputs::switch_usd, p.switch_usd);
  q.add("link_usd", "a link with its transceivers", "USD", &RunInputs::link_usd, p.link_usd);
  q.add("other_usd_per_gpu", "storage, management, installation", "USD per GPU",
        &RunInputs::other_usd_per_gpu, p.other_usd_per_gpu);
  q.add_or("economics.lifetime_years", "depreciation", "years", &RunInputs::lifetime_years, e.lifetime_years,
           p.lifetime_years);
  q.add("utilisation", "share of its life a machine works", "share", &RunInputs::utilisation, p.utilisation);
  q.add("space_usd_per_kw_month", "space and cooling plant", "USD per kW and month",
        &RunInputs::space_usd_per_kw_month, p.space_usd_per_kw_month);
  q.add_other("development_hardware_share", "hardware in the cost of development", "share",
              &RunInputs::development_hardware_share, p.development_hardware_share);
  q.add_other("development_energy_share", "energy in the cost of development", "share",
              &RunInputs::development_energy_share, p.development_energy_share);
}

void add_carbon(const Scenario& s, const RunData& data, Question& q) {
  const Economics& e = s.economics;
  const PriceList& p = data.prices;
  if (e.co2_g_per_kwh) {
    q.add("economics.co2_g_per_kwh", "carbon intensity of electricity", "g CO2e/kWh", &RunInputs::g_per_kwh,
          given(*e.co2_g_per_kwh, "scenario"), true);
  }
  if (e.grid) {
    const Grid& grid = data.grid(*e.grid, "economics.grid");
    if (!e.co2_g_per_kwh) {
      q.add("grid " + grid.name, "carbon intensity of electricity", "g CO2e/kWh", &RunInputs::g_per_kwh,
            grid.g_per_kwh);
    }
    if (grid.water_offsite_l_per_kwh) {
      q.add("grid " + grid.name + ", water", "water of generation", "L/kWh",
            &RunInputs::water_offsite_l_per_kwh, *grid.water_offsite_l_per_kwh);
    }
  }
  const GpuPrice* gpu = p.find(s.cluster.gpu.name);
  q.out.has_carbon = (e.grid || e.co2_g_per_kwh) && gpu != nullptr;
  if (gpu == nullptr) return;
  q.add("embodied_kg_per_gpu", "making a GPU", "kg CO2e", &RunInputs::gpu_embodied_kg,
        gpu->embodied_kg_per_gpu);
  if (!gpu->embodied_holds_server) {
    q.add("server_embodied_kg", "making a node without its GPUs", "kg CO2e", &RunInputs::node_embodied_kg,
          p.server_embodied_kg);
  }
  q.add("water_onsite_l_per_kwh", "cooling water", "L/kWh", &RunInputs::water_onsite_l_per_kwh,
        p.water_onsite_l_per_kwh);
}

}  // namespace

RunQuestion run_question(const Metrics& metrics, const Scenario& scenario, const RunData& data) {
  Question q;
  add_step(metrics, scenario, data, q);
  add_power(metrics, scenario, data, q);
  add_reliability(scenario, data, q);
  add_money(scenario, data, q);
  add_carbon(scenario, data, q);
  return std::move(q.out);
}

}  // namespace orrery
