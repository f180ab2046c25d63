#include "sim/report/report_json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "sim/base/fields.hpp"

namespace orrery {
namespace {

Json number(double value) {
  SIM_CHECK(std::isfinite(value), "a number of the result is not finite");
  return value;
}

Json number(const std::optional<double>& value) {
  return value ? number(*value) : Json(nullptr);
}

/// A number where the text is one, else the text.
Json number_or_text(const std::string& text) {
  double value = 0;
  const char* last = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), last, value);
  if (error == std::errc{} && rest == last && std::isfinite(value)) return value;
  return text;
}

Json breakdown(const Breakdown& b) {
  return {{"forward", number(b.forward)},
          {"backward_input", number(b.backward_input)},
          {"backward_weight", number(b.backward_weight)},
          {"forward_backward", number(b.forward_backward)},
          {"bubble", number(b.bubble)},
          {"optimizer", number(b.optimizer)},
          {"other", number(b.other)}};
}

Json waterfall(const Waterfall& w) {
  return {{"compute", number(w.compute)},
          {"recompute", number(w.recompute)},
          {"exposed_tp", number(w.exposed_tp)},
          {"exposed_cp", number(w.exposed_cp)},
          {"exposed_ep", number(w.exposed_ep)},
          {"exposed_pp", number(w.exposed_pp)},
          {"exposed_dp", number(w.exposed_dp)},
          {"exposed_offload", number(w.exposed_offload)},
          {"exposed_host", number(w.exposed_host)},
          {"contention", number(w.contention)},
          {"bubble", number(w.bubble)},
          {"imbalance", number(w.imbalance)},
          {"optimizer", number(w.optimizer)},
          {"other", number(w.other)}};
}

Json step(const Metrics& m) {
  return {{"time_s", number(m.step_time_s)},
          {"time_s_p10", number(m.step_time_p10_s)},
          {"time_s_p90", number(m.step_time_p90_s)},
          {"tokens", number(m.step_tokens)},
          {"slowest_rank", m.slowest_rank},
          {"tasks", m.tasks},
          {"breakdown_s", breakdown(m.breakdown)},
          {"mean_breakdown_s", breakdown(m.mean_breakdown)},
          {"waterfall_s", waterfall(m.waterfall)},
          {"ideal_compute_s", number(m.ideal_compute_s)},
          {"critical_path_s", m.critical_path ? waterfall(*m.critical_path) : Json(nullptr)}};
}

Json throughput(const Throughput& t) {
  return {{"tokens_per_s", number(t.tokens_per_s)},
          {"tokens_per_day", number(t.tokens_per_day)},
          {"tokens_per_s_per_gpu", number(t.tokens_per_s_per_gpu)},
          {"model_tflops_per_gpu_causal", number(t.model_tflops_per_gpu_causal)},
          {"model_tflops_per_gpu_noncausal", number(t.model_tflops_per_gpu_noncausal)},
          {"mfu_causal", number(t.mfu_causal)},
          {"mfu_noncausal", number(t.mfu_noncausal)}};
}

Json memory(const Metrics& m) {
  Json rows = Json::array();
  for (const RankMemoryRow& r : m.memory) {
    rows.push_back({{"rank", r.rank},
                    {"weights", number(r.weights)},
                    {"gradients", number(r.gradients)},
                    {"optimizer", number(r.optimizer)},
                    {"activations", number(r.activations)},
                    {"buffers", number(r.buffers)},
                    {"reserve", number(r.reserve)},
                    {"total", number(r.total)},
                    {"live_microbatches", number(r.live_microbatches)},
                    {"host", number(r.host)}});
  }
  const bool known = !m.memory.empty();
  return {{"peak_bytes", known ? number(m.memory_peak) : Json(nullptr)},
          {"capacity_bytes", m.memory_capacity > 0 ? number(m.memory_capacity) : Json(nullptr)},
          {"per_rank", std::move(rows)}};
}

/// To a tenth of a watt: a trace is a picture.
Json watts(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double w : values) list.push_back(number(std::round(w * 10.0) / 10.0));
  return list;
}

/// Of one GPU, its node and the cluster over a step.
Json power_trace_json(const Power& p) {
  Json ranks = Json::array();
  for (const std::vector<double>& rank : p.rank_by_bin_w) ranks.push_back(watts(rank));
  return {{"bin_s", number(p.bin_s)},
          {"gpu_mean_w", watts(p.gpu_by_bin_w)},
          {"node_mean_w", watts(p.node_by_bin_w)},
          {"cluster_w", watts(p.cluster_by_bin_w)},
          {"rank_w", std::move(ranks)}};
}

Json power(const Power& p) {
  return {{"gpu_mean_w", number(p.gpu_mean_w)},
          {"gpu_peak_w", number(p.gpu_peak_w)},
          {"node_mean_w", number(p.node_mean_w)},
          {"node_peak_w", number(p.node_peak_w)},
          {"cluster_mean_w", number(p.cluster_mean_w)},
          {"cluster_peak_w", number(p.cluster_peak_w)},
          {"nodes_overhead_w", number(p.nodes_overhead_w)},
          {"network_w", number(p.network_w)},
          {"capped_share", number(p.capped_share)},
          {"cap_stretch", number(p.cap_stretch)},
          {"trace", power_trace_json(p)}};
}

Json energy(const Power& p) {
  return {{"step_j", number(p.step_j)}, {"per_token_j", number(p.per_token_j)}};
}

Json run(const Run& r) {
  return {{"tokens", r.tokens > 0 ? number(r.tokens) : Json(nullptr)},
          {"days", number(r.days)},
          {"gpu_hours", number(r.gpu_hours)},
          {"gpu_hours_per_trillion_tokens", number(r.gpu_hours_per_trillion_tokens)},
          {"ideal_days", number(r.ideal_days)},
          {"ideal_gpu_hours", number(r.ideal_gpu_hours)},
          {"ideal_usd", number(r.ideal_usd)},
          {"owned_usd", number(r.owned_usd)},
          {"goodput", number(r.goodput)},
          {"energy_mwh", number(r.energy_mwh)},
          {"usd", number(r.usd)},
          {"co2e_t", number(r.co2e_t)}};
}

Json stages(const Metrics& m) {
  Json rows = Json::array();
  for (const StageRow& s : m.stages) {
    rows.push_back({{"stage", s.stage},
                    {"first_layer", s.first_layer},
                    {"layers", s.layers},
                    {"extras", s.extras},
                    {"forward_s", number(s.forward_s)},
                    {"backward_input_s", number(s.backward_input_s)},
                    {"backward_weight_s", number(s.backward_weight_s)},
                    {"pair_s", number(s.pair_s)}});
  }
  return rows;
}

Json groups(const Metrics& m) {
  Json rows = Json::array();
  for (const GroupRow& g : m.groups) {
    rows.push_back({{"axis", g.axis},
                    {"size", g.size},
                    {"groups", g.groups},
                    {"per_node", g.per_node},
                    {"nodes", g.nodes},
                    {"tier", g.tier}});
  }
  return rows;
}

Json links(const Metrics& m) {
  Json rows = Json::array();
  for (const LinkRow& l : m.links) {
    rows.push_back({{"axis", l.axis},
                    {"scale_up_bytes", number(l.scale_up_bytes)},
                    {"scale_out_bytes", number(l.scale_out_bytes)}});
  }
  return rows;
}

Json ranks(const Metrics& m) {
  Json rows = Json::array();
  for (const RankTimes& r : m.ranks) {
    rows.push_back({{"rank", r.rank},
                    {"breakdown_s", breakdown(r.breakdown)},
                    {"forwards", r.forwards},
                    {"pairs", r.pairs},
                    {"backwards", r.backwards},
                    {"input_grads", r.input_grads},
                    {"weight_grads", r.weight_grads},
                    {"pipeline_end_s", number(r.pipeline_end)}});
  }
  return rows;
}

/// A value as a scenario takes it: number, truth or list where the text is one.
Json typed(const std::string& value) {
  Json parsed = Json::parse(value, nullptr, false);
  return parsed.is_discarded() ? Json(value) : parsed;
}

Json infeasible(const Metrics& m) {
  if (!m.infeasible) return nullptr;
  Json nearest = Json::object();
  for (const auto& [key, value] : m.nearest) nearest[key] = typed(value);
  return {{"code", to_text(m.infeasible->reason)},
          {"quantity", m.infeasible->quantity},
          {"needed", number(m.infeasible->needed)},
          {"available", number(m.infeasible->available)},
          {"text", m.infeasible->text},
          {"nearest", std::move(nearest)}};
}

Json assumptions(const std::vector<Assumption>& list) {
  Json rows = Json::array();
  for (const Assumption& a : list) {
    rows.push_back({{"name", a.name},
                    {"value", number_or_text(a.value)},
                    {"unit", a.unit},
                    {"kind", a.kind},
                    {"source", a.source}});
  }
  return rows;
}

/// The same keys with null for every number: nothing was simulated.
void blank(Json& value) {
  if (value.is_structured()) {
    for (Json& child : value) blank(child);
  } else {
    value = nullptr;
  }
}

}  // namespace

std::vector<Assumption> all_assumptions(const Metrics& metrics, const Scenario& scenario) {
  std::vector<Assumption> all = metrics.assumptions;
  for (const Scenario::Assumed& a : scenario.assumed) {
    const bool known =
        std::any_of(all.begin(), all.end(), [&](const Assumption& other) { return other.name == a.name; });
    if (!known) all.push_back({a.name, a.value, "", "assumed", a.why});
  }
  return all;
}

std::string result_json(const Metrics& metrics, const Scenario& scenario, const ProgramInfo& program) {
  Json out;
  out["schema"] = "orrery.result/1";
  out["program"] = {{"version", program.version}, {"commit", program.commit}};
  out["scenario"] = Json::parse(to_json_text(scenario));
  out["feasible"] = !metrics.infeasible;
  out["infeasible"] = infeasible(metrics);
  out["step"] = step(metrics);
  out["throughput"] = throughput(metrics.throughput);
  out["memory"] = memory(metrics);
  out["power"] = power(metrics.power);
  out["energy"] = energy(metrics.power);
  out["run"] = run(metrics.run);
  if (metrics.infeasible) {
    for (const char* key : {"step", "throughput", "power", "energy", "run"}) blank(out[key]);
  }
  out["stages"] = stages(metrics);
  out["groups"] = groups(metrics);
  out["links"] = links(metrics);
  out["ranks"] = ranks(metrics);
  out["assumptions"] = assumptions(all_assumptions(metrics, scenario));
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace orrery
