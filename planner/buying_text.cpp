#include "planner/buying_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "sim/base/fields.hpp"
#include "sim/base/units_text.hpp"

namespace orrery {
namespace {

Cell scaled(const std::optional<double>& value, double unit, const char* name, int digits) {
  return value ? Cell{digits_text(*value / unit, digits), *value, name} : Cell{"-"};
}

Cell whole(std::size_t n) {
  return {fmt::format("{}", n), static_cast<double>(n), ""};
}

std::string place_of(const Offer& o) {
  const std::string options = to_text(o.options);
  return o.profile + (options.empty() ? "" : "; " + options);
}

std::string layout_of(const Offer& o) {
  return layout_text(o.found.layout, derive(o.found.layout, o.scenario.training, o.scenario.gpus));
}

std::optional<double> paid(const BuyingRequest& r, const Offer& o) {
  switch (r.payment) {
    case Payment::kRent: return o.rent_usd;
    case Payment::kOwn: return o.owned_usd;
    case Payment::kPurchase: return o.purchase_usd;
  }
  return std::nullopt;
}

const char* why_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::kDominated: return "others are better, and it is not on the front";
    case Refusal::kTooSlow: return "no layout ends within the time asked";
    case Refusal::kTooDear: return "no layout that is fast enough stays within the budget";
    case Refusal::kConstraint: return "another limit leaves nothing";
    case Refusal::kNoLayout: return "nothing runs: memory, sizes or precision";
    case Refusal::kNoPrice: return "no price for its GPU";
    case Refusal::kNoFigures: return "its profile lacks what the run needs";
    case Refusal::kUndecided: return "stopped before";
    case Refusal::kNone: break;
  }
  return "listed, or on the front";
}

/// Where the rates of the products that the model spends its time in come from, where GPU types differ in
/// that: such differences are part of the comparison.
std::string kernels_note(const BuyingRequest& r, const BuyingReport& report) {
  const std::string op_class =
      std::string(r.scenario.model.moe ? "grouped-gemm." : "gemm.") + to_text(r.scenario.training.precision);
  std::map<std::string, std::string> sources;
  for (const std::size_t i : report.listed) {
    const GpuProfile& gpu = report.offers[i].scenario.cluster.gpu;
    if (const OperatorCurve* curve = gpu.find(op_class))
      sources[gpu.name] = curve->kernels.empty()
                              ? fmt::format("{} ({})", curve->source, to_text(curve->origin))
                              : curve->kernels;
  }
  const auto differs = [&](const auto& entry) { return entry.second != sources.begin()->second; };
  if (std::none_of(sources.begin(), sources.end(), differs)) return {};
  std::string text = "Rates of " + op_class +
                     " are those of other kernels for each GPU type, so part of the "
                     "difference between types is theirs:";
  for (const auto& [gpu, source] : sources) text += fmt::format(" {}: {};", gpu, source);
  text.back() = '.';
  return text;
}

std::string question_text(const BuyingRequest& r) {
  std::string text =
      fmt::format("{} on {} tokens", r.scenario.model_ref, count_text(r.scenario.training.tokens));
  if (r.finish_within_days) text += fmt::format(", within {:g} days", *r.finish_within_days);
  if (r.budget_usd) text += fmt::format(", for at most {} USD", count_text(*r.budget_usd));
  return text;
}

}  // namespace

Table offers_table(const BuyingRequest& r, const BuyingReport& report) {
  Table t{
      .key = "clusters",
      .title = "Clusters for " + question_text(r),
      .columns = {{"rank", "#"},
                  {"gpus", "GPUs"},
                  {"cluster", "cluster", false},
                  {"days", "days"},
                  {"usd_per_gpu_hour", "USD/GPUh"},
                  {"rent_usd", "rent M USD"},
                  {"owned_usd", "own M USD"},
                  {"purchase_usd", "new M USD"},
                  {"energy_mwh", "MWh"},
                  {"carbon_t", "t CO2e"},
                  {"power_w", "MW"},
                  {"memory_bytes", "GB"}},
      .rows = {},
      .notes = {fmt::format("By {}; in each cluster the layout with the shortest step, failures included. "
                            "rent: GPU-hours of the run; own: share of the machines' life, energy and room; "
                            "new: price of the machines.",
                            r.objective == Metric::kUsd
                                ? "USD (" + payment_names()[static_cast<std::size_t>(r.payment)] + ")"
                                : std::string(info_of(r.objective).name))}};
  for (std::size_t i = 0; i < report.listed.size(); ++i) {
    const Offer& o = report.offers[report.listed[i]];
    t.rows.push_back({whole(i + 1), whole(static_cast<std::size_t>(o.gpus)), Cell{place_of(o)},
                      scaled(o.days, 1, "d", 4), scaled(o.usd_per_gpu_hour, 1, "USD/h", 3),
                      scaled(o.rent_usd, 1e6, "USD", 4), scaled(o.owned_usd, 1e6, "USD", 4),
                      scaled(o.purchase_usd, 1e6, "USD", 4), scaled(o.energy_mwh, 1, "MWh", 4),
                      scaled(o.carbon_t, 1, "t", 4), scaled(o.power_w, 1e6, "W", 3),
                      Cell{fmt::format("{:.1f}", o.memory_bytes / 1e9), o.memory_bytes, "B"}});
  }
  if (std::string note = kernels_note(r, report); !note.empty()) t.notes.push_back(std::move(note));
  return t;
}

Table offer_front_table(const BuyingRequest& r, const BuyingReport& report) {
  Table t{.key = "front",
          .title = "Sooner or cheaper: no other cluster asked is both",
          .columns = {{"gpus", "GPUs"},
                      {"cluster", "cluster", false},
                      {"days", "days"},
                      {"usd", payment_names()[static_cast<std::size_t>(r.payment)] + " M USD"},
                      {"layout", "layout", false}},
          .rows = {},
          .notes = {}};
  for (const std::size_t i : report.front) {
    const Offer& o = report.offers[i];
    t.rows.push_back({whole(static_cast<std::size_t>(o.gpus)), Cell{place_of(o)}, scaled(o.days, 1, "d", 4),
                      scaled(paid(r, o), 1e6, "USD", 4), Cell{layout_of(o)}});
  }
  return t;
}

Table refusals_table(const BuyingReport& report, bool each) {
  Table t{.key = "refusals", .title = "What became of the clusters", .columns = {}, .rows = {}, .notes = {}};
  if (each) {
    t.columns = {
        {"gpus", "GPUs"}, {"cluster", "cluster", false}, {"reason", "reason", false}, {"why", "", false}};
    for (const Offer& o : report.offers) {
      const bool kept = o.listed || o.on_front;
      t.rows.push_back({whole(static_cast<std::size_t>(o.gpus)), Cell{place_of(o)}, Cell{to_text(o.refusal)},
                        Cell{kept ? fmt::format("{:.4g} days: {}", o.days, layout_of(o)) : o.why}});
    }
    return t;
  }
  t.columns = {{"reason", "reason", false}, {"count", "clusters"}, {"why", "", false}};
  std::map<Refusal, std::size_t> counts;
  for (const Offer& o : report.offers) ++counts[o.refusal];
  for (const auto& [refusal, n] : counts)
    t.rows.push_back({Cell{to_text(refusal)}, whole(n), Cell{why_of(refusal)}});
  return t;
}

std::string buying_text(const BuyingRequest& r, const BuyingReport& report, bool each) {
  std::string out;
  const auto line = [&](const std::string& text) { out += wrapped(text, 100) + "\n"; };
  if (report.found()) {
    out += to_plain(offers_table(r, report), 140) + "\n";
    const Offer& best = report.offers[report.listed.front()];
    line(fmt::format("1 runs {}: {:.5g} s a step, goodput {:.1f} %.", layout_of(best), best.step_s,
                     100 * best.goodput));
    std::map<std::string, std::string> sources;
    for (const std::size_t i : report.listed) {
      const Offer& o = report.offers[i];
      if (o.usd_per_gpu_hour)
        sources[o.scenario.cluster.gpu.name] =
            fmt::format("{:g} USD, {}", *o.usd_per_gpu_hour, o.price_source);
    }
    for (const auto& [gpu, text] : sources) line("Rent of " + gpu + " per GPU-hour: " + text + ".");
    out += "\n";
    if (report.front.size() > 1) out += to_plain(offer_front_table(r, report)) + "\n";
  }
  out += to_plain(refusals_table(report, each)) + "\n";
  line(report.complete
           ? fmt::format("Proven for the {} clusters asked: {} layouts decided by bounds or simulation. Each "
                         "cluster stands with its fastest layout.",
                         report.offers.size(), count_text(static_cast<double>(report.layouts)))
           : "Stopped early: the clusters left undecided may be better.");
  if (!report.found() && report.complete) line("No cluster asked fits.");
  for (const std::string& change : report.nearest) line("Nearest, " + change + ".");
  return out;
}

namespace {

template <class T>
Json optional_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json offer_json(const Offer& o) {
  Json out{{"cluster", {{"profile", o.profile}, {"gpus", o.gpus}}},
           {"refusal", o.refusal == Refusal::kNone ? Json(nullptr) : Json(to_text(o.refusal))},
           {"why", o.why},
           {"usd_per_gpu_hour", optional_json(o.usd_per_gpu_hour)},
           {"price_source", o.price_source}};
  Json& cluster = out["cluster"];
  if (o.options.gpus_per_node) cluster["gpus_per_node"] = *o.options.gpus_per_node;
  if (o.options.nics_per_gpu) cluster["nics_per_gpu"] = *o.options.nics_per_gpu;
  if (o.options.oversubscription) cluster["oversubscription"] = *o.options.oversubscription;
  if (o.options.power_cap_w) cluster["power_cap_w"] = *o.options.power_cap_w;
  if (!o.listed && !o.on_front) return out;
  out["scenario"] = Json::parse(to_json_text(o.scenario));
  out["figures"] = {{"step_time_s", o.step_s},
                    {"days", o.days},
                    {"goodput", o.goodput},
                    {"rent_usd", optional_json(o.rent_usd)},
                    {"owned_usd", optional_json(o.owned_usd)},
                    {"purchase_usd", optional_json(o.purchase_usd)},
                    {"energy_mwh", optional_json(o.energy_mwh)},
                    {"co2e_t", optional_json(o.carbon_t)},
                    {"cluster_mean_w", optional_json(o.power_w)},
                    {"memory_bytes", o.memory_bytes},
                    {"objective", o.objective}};
  return out;
}

}  // namespace

std::string buying_json(const BuyingRequest& r, const BuyingReport& report, const ProgramInfo& program,
                        double elapsed_s) {
  Json out{{"schema", "orrery.buying/1"},
           {"program", {{"version", program.version}, {"commit", program.commit}}},
           {"objective", info_of(r.objective).name},
           {"payment", payment_names()[static_cast<std::size_t>(r.payment)]},
           {"finish_within_days", optional_json(r.finish_within_days)},
           {"budget_usd", optional_json(r.budget_usd)},
           {"optimality", {{"proven", report.complete}, {"layouts_decided", report.layouts}}},
           {"elapsed_s", elapsed_s}};
  out["best"] = report.found() ? offer_json(report.offers[report.listed.front()]) : Json(nullptr);
  for (const char* key : {"top", "front", "clusters"}) out[key] = Json::array();
  for (const std::size_t i : report.listed) out["top"].push_back(offer_json(report.offers[i]));
  for (const std::size_t i : report.front) out["front"].push_back(offer_json(report.offers[i]));
  for (const Offer& o : report.offers) {
    Json row = offer_json(o);
    row.erase("scenario");
    out["clusters"].push_back(std::move(row));
  }
  out["nearest"] = report.nearest;
  return out.dump(2) + "\n";
}

}  // namespace orrery
