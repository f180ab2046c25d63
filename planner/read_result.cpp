#include "planner/read_result.hpp"

#include <fmt/format.h>

#include <cmath>

#include "sim/base/fields.hpp"

namespace orrery {
namespace {

/// Reads numbers by pointer; tolerant of keys it does not know, strict about those it needs.
class Reader {
 public:
  Reader(const Json& root, std::string place) : root_(root), place_(std::move(place)) {}

  [[nodiscard]] const Json* find(const std::string& pointer) const {
    const Json::json_pointer at(pointer);
    return root_.contains(at) ? &root_.at(at) : nullptr;
  }
  [[nodiscard]] std::optional<double> optional(const std::string& pointer) const {
    const Json* value = find(pointer);
    if (value == nullptr || value->is_null()) return std::nullopt;
    if (!value->is_number() || !std::isfinite(value->get<double>()))
      JsonNode{*value, place_, pointer}.fail("a finite number");
    return value->get<double>();
  }
  [[nodiscard]] double number(const std::string& pointer) const {
    const std::optional<double> value = optional(pointer);
    if (value) return *value;
    throw InputError(place_ + "#" + pointer, find(pointer) == nullptr ? "is missing, expected a number"
                                                                      : "found null, expected a number");
  }
  [[nodiscard]] std::string text(const std::string& pointer) const {
    const Json* value = find(pointer);
    if (value == nullptr) throw InputError(place_ + "#" + pointer, "is missing, expected a text");
    if (!value->is_string()) JsonNode{*value, place_, pointer}.fail("a text");
    return value->get<std::string>();
  }
  [[nodiscard]] std::size_t size(const std::string& pointer) const {
    const Json* value = find(pointer);
    if (value == nullptr || !value->is_array()) throw InputError(place_ + "#" + pointer, "expected a list");
    return value->size();
  }
  [[nodiscard]] const std::string& place() const { return place_; }

 private:
  const Json& root_;
  std::string place_;
};

Breakdown breakdown(const Reader& r, const std::string& at) {
  return {.forward = r.number(at + "/forward"),
          .backward_input = r.number(at + "/backward_input"),
          .backward_weight = r.number(at + "/backward_weight"),
          .forward_backward = r.number(at + "/forward_backward"),
          .bubble = r.number(at + "/bubble"),
          .optimizer = r.number(at + "/optimizer"),
          .other = r.number(at + "/other")};
}

Waterfall waterfall(const Reader& r, const std::string& at) {
  Waterfall w;
  w.compute = r.number(at + "/compute");
  w.recompute = r.number(at + "/recompute");
  w.exposed_tp = r.number(at + "/exposed_tp");
  w.exposed_cp = r.number(at + "/exposed_cp");
  w.exposed_ep = r.number(at + "/exposed_ep");
  w.exposed_pp = r.number(at + "/exposed_pp");
  w.exposed_dp = r.number(at + "/exposed_dp");
  w.exposed_offload = r.optional(at + "/exposed_offload").value_or(0);
  w.exposed_host = r.optional(at + "/exposed_host").value_or(0);
  w.contention = r.number(at + "/contention");
  w.bubble = r.number(at + "/bubble");
  w.imbalance = r.optional(at + "/imbalance");
  w.optimizer = r.number(at + "/optimizer");
  w.other = r.number(at + "/other");
  return w;
}

void step(const Reader& r, Metrics& m) {
  m.step_time_s = r.number("/step/time_s");
  if (!(m.step_time_s > 0)) throw InputError(r.place() + "#/step/time_s", "expected a positive number");
  m.step_tokens = r.number("/step/tokens");
  m.slowest_rank = static_cast<std::int64_t>(r.number("/step/slowest_rank"));
  m.tasks = static_cast<std::int64_t>(r.number("/step/tasks"));
  m.breakdown = breakdown(r, "/step/breakdown_s");
  m.mean_breakdown = breakdown(r, "/step/mean_breakdown_s");
  m.waterfall = waterfall(r, "/step/waterfall_s");
  m.ideal_compute_s = r.optional("/step/ideal_compute_s");
  const double sum = m.waterfall.sum();
  if (std::abs(sum - m.step_time_s) > 1e-9 * m.step_time_s)
    throw InputError(r.place() + "#/step/waterfall_s",
                     fmt::format("sums to {:.9g} s, but the step takes {:.9g} s", sum, m.step_time_s));
}

void throughput(const Reader& r, Throughput& t) {
  t.tokens_per_s = r.number("/throughput/tokens_per_s");
  t.tokens_per_day = r.number("/throughput/tokens_per_day");
  t.tokens_per_s_per_gpu = r.number("/throughput/tokens_per_s_per_gpu");
  t.model_tflops_per_gpu_causal = r.number("/throughput/model_tflops_per_gpu_causal");
  t.model_tflops_per_gpu_noncausal = r.number("/throughput/model_tflops_per_gpu_noncausal");
  t.mfu_causal = r.number("/throughput/mfu_causal");
  t.mfu_noncausal = r.number("/throughput/mfu_noncausal");
}

void memory(const Reader& r, Metrics& m) {
  m.memory_capacity = r.number("/memory/capacity_bytes");
  m.memory_peak = r.number("/memory/peak_bytes");
  for (std::size_t i = 0; i < r.size("/memory/per_rank"); ++i) {
    const std::string at = fmt::format("/memory/per_rank/{}", i);
    m.memory.push_back({.rank = static_cast<std::int64_t>(r.number(at + "/rank")),
                        .weights = r.number(at + "/weights"),
                        .gradients = r.number(at + "/gradients"),
                        .optimizer = r.number(at + "/optimizer"),
                        .activations = r.number(at + "/activations"),
                        .buffers = r.number(at + "/buffers"),
                        .reserve = r.number(at + "/reserve"),
                        .total = r.number(at + "/total"),
                        .live_microbatches = r.optional(at + "/live_microbatches").value_or(0),
                        .host = r.optional(at + "/host").value_or(0)});
  }
}

void power(const Reader& r, Power& p) {
  p.gpu_mean_w = r.optional("/power/gpu_mean_w");
  p.gpu_peak_w = r.optional("/power/gpu_peak_w");
  p.node_mean_w = r.optional("/power/node_mean_w");
  p.node_peak_w = r.optional("/power/node_peak_w");
  p.cluster_mean_w = r.optional("/power/cluster_mean_w");
  p.cluster_peak_w = r.optional("/power/cluster_peak_w");
  p.nodes_overhead_w = r.optional("/power/nodes_overhead_w");
  p.network_w = r.optional("/power/network_w");
  p.capped_share = r.optional("/power/capped_share");
  p.cap_stretch = r.optional("/power/cap_stretch");
  p.step_j = r.optional("/energy/step_j");
  p.per_token_j = r.optional("/energy/per_token_j");
  if (r.find("/power/trace/gpu_mean_w") == nullptr) return;
  p.bin_s = r.number("/power/trace/bin_s");
  for (std::size_t i = 0; i < r.size("/power/trace/gpu_mean_w"); ++i)
    p.gpu_by_bin_w.push_back(r.number(fmt::format("/power/trace/gpu_mean_w/{}", i)));
}

void run(const Reader& r, Run& out) {
  out.tokens = r.optional("/run/tokens").value_or(0);
  out.days = r.optional("/run/days");
  out.gpu_hours = r.optional("/run/gpu_hours");
  out.gpu_hours_per_trillion_tokens = r.optional("/run/gpu_hours_per_trillion_tokens");
  out.ideal_days = r.optional("/run/ideal_days");
  out.ideal_gpu_hours = r.optional("/run/ideal_gpu_hours");
  out.ideal_usd = r.optional("/run/ideal_usd");
  out.owned_usd = r.optional("/run/owned_usd");
  out.goodput = r.optional("/run/goodput");
  out.energy_mwh = r.optional("/run/energy_mwh");
  out.usd = r.optional("/run/usd");
  out.co2e_t = r.optional("/run/co2e_t");
}

void rows(const Reader& r, Metrics& m) {
  for (std::size_t i = 0; i < r.size("/stages"); ++i) {
    const std::string at = fmt::format("/stages/{}", i);
    m.stages.push_back({.stage = static_cast<std::int64_t>(r.number(at + "/stage")),
                        .first_layer = static_cast<std::int64_t>(r.number(at + "/first_layer")),
                        .layers = static_cast<std::int64_t>(r.number(at + "/layers")),
                        .extras = r.text(at + "/extras"),
                        .forward_s = r.number(at + "/forward_s"),
                        .backward_input_s = r.number(at + "/backward_input_s"),
                        .backward_weight_s = r.number(at + "/backward_weight_s"),
                        .pair_s = r.number(at + "/pair_s")});
  }
  for (std::size_t i = 0; i < r.size("/groups"); ++i) {
    const std::string at = fmt::format("/groups/{}", i);
    m.groups.push_back({.axis = r.text(at + "/axis"),
                        .size = static_cast<std::int64_t>(r.number(at + "/size")),
                        .groups = static_cast<std::int64_t>(r.number(at + "/groups")),
                        .per_node = static_cast<std::int64_t>(r.number(at + "/per_node")),
                        .nodes = static_cast<std::int64_t>(r.number(at + "/nodes")),
                        .tier = r.text(at + "/tier")});
  }
  // Results of before 2026-11-26 have no traffic.
  for (std::size_t i = 0; r.find("/links") != nullptr && i < r.size("/links"); ++i) {
    const std::string at = fmt::format("/links/{}", i);
    m.links.push_back({.axis = r.text(at + "/axis"),
                       .scale_up_bytes = r.number(at + "/scale_up_bytes"),
                       .scale_out_bytes = r.number(at + "/scale_out_bytes")});
  }
  for (std::size_t i = 0; i < r.size("/assumptions"); ++i) {
    const std::string at = fmt::format("/assumptions/{}", i);
    const Json* value = r.find(at + "/value");
    if (value == nullptr) throw InputError(r.place() + "#" + at + "/value", "is missing");
    m.assumptions.push_back({.name = r.text(at + "/name"),
                             .value = value->is_string() ? value->get<std::string>() : value->dump(),
                             .unit = r.text(at + "/unit"),
                             .kind = r.text(at + "/kind"),
                             .source = r.text(at + "/source")});
  }
}

}  // namespace

Metrics parse_result(const std::string& text, const std::string& place) {
  const Json json = parse_json(text, place);
  const Reader r(json, place);
  const std::string schema = r.text("/schema");
  if (schema != "orrery.result/1")
    throw InputError(place + "#/schema", fmt::format("found '{}', expected 'orrery.result/1'", schema));
  const Json* feasible = r.find("/feasible");
  if (feasible == nullptr || *feasible != true)
    throw InputError(place + "#/feasible",
                     "the layout of this result cannot run, so there is nothing to report; "
                     "'orrery explain' says why");
  Metrics m;
  step(r, m);
  throughput(r, m.throughput);
  memory(r, m);
  power(r, m.power);
  run(r, m.run);
  rows(r, m);
  return m;
}

}  // namespace orrery
