#include "sim/report/result_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/report/report_json.hpp"

namespace orrery {
namespace {

constexpr std::size_t kTotalColumn = 7;  // of the memory table

Cell cell(double value, const char* unit, double shown_in = 1, int digits = 4) {
  return {digits_text(value / shown_in, digits), value, unit};
}
/// A count without decimals, another number with four digits.
Cell count_or_number(double value) {
  return {digits_text(value, value == std::floor(value) ? 1 : 4), value, ""};
}
Cell whole(std::int64_t value) {
  return {std::to_string(value), static_cast<double>(value), ""};
}
Cell seconds(double value) {
  return {fmt::format("{:.3f}", value), value, "s"};
}
Cell milliseconds(double value) {
  return value > 0 ? Cell{fmt::format("{:.2f}", value * 1e3), value, "s"} : Cell{"-"};
}
Cell gigabytes(double value) {
  return {fmt::format("{:.2f}", value / 1e9), value, "B"};
}
Cell share(double part, double whole_value) {
  const double ratio = whole_value > 0 ? part / whole_value : 0;
  return {fmt::format("{:.1f}", 100 * ratio), ratio, "1"};
}
Cell signed_percent(double error) {
  return {fmt::format("{:+.1f}", 100 * error), error, "1"};
}

/// Two columns of name and value with the unit beside it.
Table named_values(const char* key, const char* title) {
  return {.key = key,
          .title = title,
          .columns = {{"item", "", false}, {"value", "", true}, {"unit", "", false}},
          .rows = {},
          .notes = {}};
}

Table summary(const Metrics& m) {
  Table t = named_values("summary", "Step");
  const Throughput& p = m.throughput;
  const auto row = [&](const char* name, double value, const char* unit, double shown_in, const char* shown) {
    t.rows.push_back({name, cell(value, unit, shown_in), shown});
  };
  row("time of a step", m.step_time_s, "s", 1, "s");
  row("tokens of a step", m.step_tokens, "tokens", 1e6, "10^6 tokens");
  row("throughput", p.tokens_per_s, "tokens/s", 1e6, "10^6 tokens/s");
  row("", p.tokens_per_day, "tokens/day", 1e9, "10^9 tokens/day");
  row("", p.tokens_per_s_per_gpu, "tokens/s/GPU", 1, "tokens/s per GPU");
  row("model FLOPS, causal attention", p.model_tflops_per_gpu_causal, "TFLOP/s/GPU", 1, "TFLOP/s per GPU");
  row("model FLOPS, non-causal", p.model_tflops_per_gpu_noncausal, "TFLOP/s/GPU", 1, "TFLOP/s per GPU");
  row("MFU, causal attention", p.mfu_causal, "1", 0.01, "% of the dense BF16 peak");
  row("MFU, non-causal", p.mfu_noncausal, "1", 0.01, "% of the dense BF16 peak");
  t.rows[3][0] = Cell{"throughput by day"};
  t.rows[4][0] = Cell{"throughput by GPU"};
  return t;
}

Table comparison(const PublishedRun& run, const Metrics& m, const Scenario& s) {
  Table t{.key = "published",
          .title = "Beside published figures: " + run.name,
          .columns = {{"item", "", false},
                      {"published", "published"},
                      {"computed", "computed"},
                      {"error", "error %"},
                      {"mean", "mean of ranks"},
                      {"mean_error", "error %"},
                      {"unit", "unit", false}},
          .rows = {},
          .notes = {}};
  bool has_mean = false;
  for (const ComparisonRow& row : compare(run, m, s)) {
    const std::string& unit = row.published.unit;
    t.rows.push_back({row.published.label,
                      Cell{row.published.value < 1000 ? fmt::format("{:g}", row.published.value)
                                                      : digits_text(row.published.value),
                           row.published.value, unit},
                      Cell{digits_text(row.computed), row.computed, unit}, signed_percent(row.error()),
                      Cell{}, Cell{}, unit});
    if (!row.mean) continue;
    has_mean = true;
    t.rows.back()[4] = Cell{digits_text(*row.mean), *row.mean, unit};
    t.rows.back()[5] = signed_percent(*row.mean_error());
  }
  t.notes.push_back("Source: " + run.source + ", " + run.date + ".");
  if (has_mean)
    t.notes.push_back(
        fmt::format("computed: pipeline rank {}, the slowest. Which of the two the paper reports is "
                    "not stated.",
                    m.slowest_rank));
  else if (!run.note.empty())
    t.notes.push_back(run.note);
  return t;
}

Table breakdown(const Metrics& m) {
  Table t{.key = "breakdown",
          .title = "Where the step goes: what the schedule was doing",
          .columns = {{"item", "", false},
                      {"slowest_rank", fmt::format("rank {}, s", m.slowest_rank)},
                      {"share", "%"},
                      {"mean", "mean of ranks, s"}},
          .rows = {},
          .notes = {"A forward includes its own exposed communication; 1B holds whole backwards, too."}};
  const Breakdown& b = m.breakdown;
  const Breakdown& mean = m.mean_breakdown;
  const auto row = [&](const char* name, double value, double mean_value) {
    t.rows.push_back({name, seconds(value), share(value, m.step_time_s), seconds(mean_value)});
  };
  row("1F, forward alone", b.forward, mean.forward);
  row("1B, input gradient", b.backward_input, mean.backward_input);
  row("1W, weight gradient", b.backward_weight, mean.backward_weight);
  row("1F1B, overlapped pairs", b.forward_backward, mean.forward_backward);
  row("bubble", b.bubble, mean.bubble);
  row("optimizer and its exchanges", b.optimizer, mean.optimizer);
  row("other", b.other, mean.other);
  row("sum", b.sum(), mean.sum());
  return t;
}

Table waterfall(const Metrics& m) {
  Table t{.key = "waterfall",
          .title = "Where the step goes: causes",
          .columns = {{"item", "", false},
                      {"slowest_rank", fmt::format("rank {}, s", m.slowest_rank)},
                      {"share", "%"}},
          .rows = {},
          .notes = {}};
  const Waterfall& w = m.waterfall;
  const Waterfall c = m.critical_path.value_or(Waterfall{});
  if (m.critical_path) t.columns.push_back({"critical_path", "critical path, s"});
  const auto row = [&](const char* name, double value, double critical) {
    t.rows.push_back({name, seconds(value), share(value, m.step_time_s)});
    if (m.critical_path) t.rows.back().push_back(seconds(critical));
  };
  row("compute", w.compute, c.compute);
  row("recompute", w.recompute, c.recompute);
  row("exposed tensor parallel", w.exposed_tp, c.exposed_tp);
  row("exposed context parallel", w.exposed_cp, c.exposed_cp);
  row("exposed expert parallel", w.exposed_ep, c.exposed_ep);
  row("exposed pipeline messages", w.exposed_pp, c.exposed_pp);
  row("exposed data parallel", w.exposed_dp, c.exposed_dp);
  if (w.exposed_offload > 0 || c.exposed_offload > 0)
    row("exposed copies to and from the host", w.exposed_offload, c.exposed_offload);
  if (w.exposed_host > 0 || c.exposed_host > 0)
    row("waiting for the host's calls", w.exposed_host, c.exposed_host);
  row("contention", w.contention, c.contention);
  row("bubble", w.bubble, c.bubble);
  if (w.imbalance) row("imbalance", *w.imbalance, c.imbalance.value_or(0));
  row("optimizer", w.optimizer, c.optimizer);
  row("other", w.other, c.other);
  row("sum", w.sum(), c.sum());
  if (!w.imbalance) t.notes.emplace_back("Imbalance of the stages is not told apart from the bubble.");
  t.notes.emplace_back(
      "On the rank, the optimizer holds all that follows its last backward, gradient reduction too.");
  if (m.critical_path)
    t.notes.emplace_back(
        "Critical path: the chain of tasks over all ranks that sets the step time; it has no gaps.");
  return t;
}

/// Rows of one rank each; neighbours that read alike become one, "1-14".
void fold_alike(std::vector<std::vector<Cell>>& rows) {
  const auto alike = [](const std::vector<Cell>& a, const std::vector<Cell>& b) {
    return std::equal(a.begin() + 1, a.end(), b.begin() + 1, b.end(),
                      [](const Cell& x, const Cell& y) { return x.text == y.text; });
  };
  std::vector<std::vector<Cell>> folded;
  for (std::size_t first = 0; first < rows.size();) {
    std::size_t last = first;
    while (last + 1 < rows.size() && alike(rows[first], rows[last + 1])) ++last;
    folded.push_back(rows[first]);
    if (last > first) folded.back()[0] = Cell{rows[first][0].text + "-" + rows[last][0].text};
    first = last + 1;
  }
  rows = std::move(folded);
}

Table memory(const Metrics& m, ShownRows shown) {
  Table t{.key = "memory",
          .title = fmt::format("Memory of a GPU by pipeline rank, GB (10^9 B) of {:.1f} GB",
                               m.memory_capacity / 1e9),
          .columns = {{"rank", "rank"},
                      {"weights", "weights"},
                      {"gradients", "gradients"},
                      {"optimizer", "optimizer"},
                      {"activations", "activations"},
                      {"buffers", "buffers"},
                      {"reserve", "reserve"},
                      {"total", "total"},
                      {"share", "% full"},
                      {"live_microbatches", "live microb."}},
          .rows = {},
          .notes = {}};
  for (const RankMemoryRow& r : m.memory) {
    t.rows.push_back({whole(r.rank), gigabytes(r.weights), gigabytes(r.gradients), gigabytes(r.optimizer),
                      gigabytes(r.activations), gigabytes(r.buffers), gigabytes(r.reserve),
                      gigabytes(r.total), share(r.total, m.memory_capacity),
                      Cell{fmt::format("{:g}", r.live_microbatches), r.live_microbatches, ""}});
  }
  if (shown.all) return t;
  fold_alike(t.rows);
  if (t.rows.size() > shown.ranks) {
    t.notes.push_back(fmt::format("The {} fullest rows of {}; -v shows all.", shown.ranks, t.rows.size()));
    std::stable_sort(t.rows.begin(), t.rows.end(), [](const auto& a, const auto& b) {
      return *a[kTotalColumn].value > *b[kTotalColumn].value;
    });
    t.rows.resize(shown.ranks);
  }
  return t;
}

std::string layer_range(const StageRow& s) {
  if (s.layers == 0) return "none";
  if (s.layers == 1) return std::to_string(s.first_layer);
  return fmt::format("{}-{}", s.first_layer, s.first_layer + s.layers - 1);
}

Table stages(const Metrics& m, ShownRows shown) {
  Table t{.key = "stages",
          .title = "Stages: mean time of one action, ms",
          .columns = {{"stage", "stage"},
                      {"layers", "layers"},
                      {"forward", "F"},
                      {"backward_input", "B"},
                      {"backward_weight", "W"},
                      {"pair", "F+B pair"},
                      {"extras", "holds besides", false}},
          .rows = {},
          .notes = {}};
  for (const StageRow& s : m.stages) {
    if (!shown.all && t.rows.size() == shown.ranks) {
      t.notes.push_back(
          fmt::format("The first {} of {} stages; -v shows all.", shown.ranks, m.stages.size()));
      break;
    }
    t.rows.push_back({whole(s.stage), layer_range(s), milliseconds(s.forward_s),
                      milliseconds(s.backward_input_s), milliseconds(s.backward_weight_s),
                      milliseconds(s.pair_s), s.extras});
  }
  return t;
}

/// Name, value, its unit, what one of the shown unit is in it, the shown unit.
using OptionalValue = std::tuple<const char*, std::optional<double>, const char*, double, const char*>;

Table optional_values(Table t, const std::vector<OptionalValue>& values) {
  std::vector<std::string> missing;
  for (const auto& [name, value, unit, shown_in, shown] : values) {
    if (value) {
      t.rows.push_back({name, cell(*value, unit, shown_in), shown});
    } else {
      missing.emplace_back(name);
    }
  }
  std::string list;
  for (const std::string& name : missing) list += (list.empty() ? "" : ", ") + name;
  if (!missing.empty() && !t.rows.empty()) t.notes.push_back("Not computed: " + list + ".");
  return t;
}

Table power(const Power& p) {
  return optional_values(named_values("power", "Power and energy"),
                         {{"GPU, mean", p.gpu_mean_w, "W", 1, "W"},
                          {"GPU, peak", p.gpu_peak_w, "W", 1, "W"},
                          {"node, mean", p.node_mean_w, "W", 1e3, "kW"},
                          {"node, peak", p.node_peak_w, "W", 1e3, "kW"},
                          {"switches", p.network_w, "W", 1e3, "kW"},
                          {"cluster, mean", p.cluster_mean_w, "W", 1e6, "MW"},
                          {"cluster, peak", p.cluster_peak_w, "W", 1e6, "MW"},
                          {"energy of a step", p.step_j, "J", 1e6, "MJ"},
                          {"energy of a token", p.per_token_j, "J", 1, "J"}});
}

/// With a goodput the run's figures hold failures, and those of the steps alone stand beside them.
Table run(const Run& r) {
  const bool complete = r.goodput.has_value();
  constexpr const char* kHours = "10^3 GPU-hours";
  std::vector<OptionalValue> values{{complete ? "days, with failures" : "days", r.days, "d", 1, "days"}};
  if (complete) values.emplace_back("days of the steps alone", r.ideal_days, "d", 1, "days");
  values.emplace_back(complete ? "GPU-hours, with failures" : "GPU-hours", r.gpu_hours, "GPU-hours", 1e3,
                      kHours);
  if (complete)
    values.emplace_back("GPU-hours of the steps alone", r.ideal_gpu_hours, "GPU-hours", 1e3, kHours);
  values.emplace_back("the same per 10^12 tokens", r.gpu_hours_per_trillion_tokens, "GPU-hours", 1e3, kHours);
  values.emplace_back(complete ? "rent of the GPUs, with failures" : "rent of the GPUs", r.usd, "USD", 1e6,
                      "10^6 USD");
  if (complete && r.usd) values.emplace_back("rent for the steps alone", r.ideal_usd, "USD", 1e6, "10^6 USD");
  values.emplace_back("or cost of owning them", r.owned_usd, "USD", 1e6, "10^6 USD");
  values.emplace_back("energy", r.energy_mwh, "MWh", 1, "MWh");
  values.emplace_back("emissions", r.co2e_t, "t", 1, "t CO2e");
  values.emplace_back("goodput", r.goodput, "1", 1, "of the time");
  Table t = optional_values(named_values("run", "The whole run, an estimate from this step"), values);
  if (t.rows.empty()) return t;
  if (r.tokens > 0) t.rows.insert(t.rows.begin(), {"tokens", cell(r.tokens, "tokens", 1e12), "10^12 tokens"});
  return t;
}

Table assumptions(const Metrics& m, const Scenario& s, ShownRows shown) {
  Table t{.key = "assumptions",
          .title = "Assumptions behind these numbers",
          .columns = {{"item", "", false}, {"value", "", false}},
          .rows = {},
          .notes = {}};
  if (!shown.compact)
    t.columns = {{"item", "name", false},
                 {"value", "value", true},
                 {"unit", "unit", false},
                 {"kind", "kind", false},
                 {"source", "source", false}};
  std::vector<Assumption> all = all_assumptions(m, s);
  if (!shown.all && all.size() > shown.assumptions) {
    std::stable_partition(all.begin(), all.end(), [](const Assumption& a) { return a.kind == "assumed"; });
    t.notes.push_back(fmt::format("and {} others; -v shows all.", all.size() - shown.assumptions));
    all.resize(shown.assumptions);
  }
  for (const Assumption& a : all) {
    if (shown.compact) {
      const std::string unit = a.unit.empty() ? "" : " " + a.unit;
      t.rows.push_back({a.name, fmt::format("{}{} ({}: {})", a.value, unit, a.kind, a.source)});
    } else {
      t.rows.push_back({a.name, a.value, a.unit, a.kind, a.source});
    }
  }
  return t;
}

Table groups(const Metrics& m) {
  Table t{.key = "groups",
          .title = "Groups of the layout and the network they span",
          .columns = {{"axis", "axis", false},
                      {"size", "GPUs a group"},
                      {"groups", "groups"},
                      {"per_node", "GPUs a node"},
                      {"nodes", "nodes"},
                      {"tier", "network", false}},
          .rows = {},
          .notes = {}};
  for (const GroupRow& g : m.groups) {
    t.rows.push_back({g.axis, whole(g.size), whole(g.groups), whole(g.per_node), whole(g.nodes), g.tier});
  }
  return t;
}

void add(std::vector<Table>& tables, Table table) {
  if (!table.rows.empty()) tables.push_back(std::move(table));
}

}  // namespace

std::vector<Table> result_tables(const Metrics& metrics, const Scenario& scenario,
                                 const std::vector<PublishedRun>& published, ShownRows shown) {
  std::vector<Table> tables{summary(metrics)};
  for (const PublishedRun& known : published) {
    if (is_about(known, scenario)) add(tables, comparison(known, metrics, scenario));
  }
  add(tables, breakdown(metrics));
  add(tables, waterfall(metrics));
  add(tables, memory(metrics, shown));
  add(tables, stages(metrics, shown));
  add(tables, groups(metrics));
  add(tables, power(metrics.power));
  add(tables, run(metrics.run));
  add(tables, assumptions(metrics, scenario, shown));
  return tables;
}

std::vector<Table> infeasible_tables(const Metrics& metrics, const Scenario& scenario, ShownRows shown) {
  const Infeasible& reason = metrics.infeasible.value();
  Table why = named_values("infeasible", "This layout cannot run");
  why.rows = {{"code", to_text(reason.reason), ""},
              {"needed", count_or_number(reason.needed), reason.quantity},
              {"available", count_or_number(reason.available), ""}};
  for (const auto& [key, value] : metrics.nearest) why.rows.push_back({"would fit with " + key, value, ""});
  why.notes.push_back(reason.text);
  std::vector<Table> tables{std::move(why)};
  add(tables, memory(metrics, shown));
  add(tables, assumptions(metrics, scenario, shown));
  return tables;
}

}  // namespace orrery
