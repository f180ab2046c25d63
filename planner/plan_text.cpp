#include <fmt/format.h>

#include <cmath>

#include "planner/plan_json.hpp"
#include "sim/base/units_text.hpp"

namespace orrery {
namespace {

std::string stages_text(const std::vector<std::int64_t>& layers) {
  std::string text;
  for (std::size_t i = 0; i < layers.size();) {
    std::size_t end = i;
    while (end < layers.size() && layers[end] == layers[i]) ++end;
    text += text.empty() ? "" : " ";
    text += end - i > 1 ? fmt::format("{}x{}", layers[i], end - i) : fmt::format("{}", layers[i]);
    i = end;
  }
  return text;
}

Cell number(double value, const char* unit, int digits) {
  return {digits_text(value, digits), value, unit};
}

Cell optional_number(const std::optional<double>& value, double scale, const char* unit, int digits) {
  return value ? Cell{digits_text(*value / scale, digits), *value, unit} : Cell{"-"};
}

/// 1,221,696
Cell whole(std::int64_t n) {
  std::string text = std::to_string(n);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return {std::move(text), static_cast<double>(n), ""};
}

void add_layout_cells(std::vector<Cell>& row, const PlanReport& r, const Found& f) {
  row.emplace_back(layout_text(f.layout, derive(f.layout, r.scenario.training, r.scenario.gpus)) +
                   (f.stage_layers.size() > 1 ? "; layers " + stages_text(f.stage_layers) : ""));
}

}  // namespace

Table best_table(const PlanReport& r) {
  Table t{
      .key = "best",
      .title = fmt::format("Best layouts of {} on {} GPUs of {}, by {}", r.scenario.model_ref,
                           r.scenario.gpus, r.scenario.cluster_ref, r.objective.text),
      .columns = {{"rank", "#"},
                  {"step_time_s", "step s"},
                  {"slower", "slower %"},
                  {"mfu_causal", "MFU %"},
                  {"memory_bytes", "GB"},
                  {"days", "days"},
                  {"usd", "USD"},
                  {"layout", "layout", false}},
      .rows = {},
      .notes = {r.scale.failures ? fmt::format("days and USD with failures and checkpoints: goodput {:.1f} %",
                                               100 * r.scale.useful)
                                 : "days and USD at the simulated step, without failures"}};
  for (std::size_t i = 0; i < r.search.best.size(); ++i) {
    const Found& f = r.search.best[i];
    const Metrics& m = r.metrics[i];
    const double slower = m.step_time_s / r.metrics.front().step_time_s - 1;
    std::vector<Cell> row{
        whole(static_cast<std::int64_t>(i + 1)),
        number(m.step_time_s, "s", 5),
        Cell{fmt::format("{:.2f}", 100 * slower), slower, "1"},
        Cell{fmt::format("{:.1f}", 100 * m.throughput.mfu_causal), m.throughput.mfu_causal, "1"},
        Cell{fmt::format("{:.1f}", m.memory_peak / 1e9), m.memory_peak, "B"},
        optional_number(m.run.days, 1, "d", 4),
        optional_number(m.run.usd, 1, "USD", 4)};
    add_layout_cells(row, r, f);
    t.rows.push_back(std::move(row));
  }
  return t;
}

Table funnel_table(const PlanReport& r) {
  static const std::vector<std::pair<const char*, const char*>> kWhy{
      {"world-size", "GPUs are no multiple of tp*cp*pp"},
      {"expert-world-size", "GPUs are no multiple of etp*ep*pp"},
      {"tensor-parallel", "tp does not divide heads or feed-forward"},
      {"context-parallel", "the sequence does not divide"},
      {"expert-parallel", "ep does not divide the experts"},
      {"pipeline", "more stages than layers"},
      {"schedule", "the schedule lacks this size"},
      {"batch", "the batch does not divide into microbatches"},
      {"capability", "the device cannot"},
      {"memory", "a GPU would hold more than it has"},
      {"constraint", "a limit of the user's"},
      {"forbidden", "left out by the user"},
      {"needless", "fits with less on the host"}};
  Table t{.key = "funnel",
          .title = "What became of the candidates",
          .columns = {{"stage", "stage", false}, {"count", "layouts"}, {"why", "", false}},
          .rows = {},
          .notes = {}};
  const auto row = [&](std::string name, std::int64_t n, std::string why) {
    t.rows.push_back({Cell{std::move(name)}, whole(n), Cell{std::move(why)}});
  };
  row("candidates", r.search.candidates, "every layout of the space");
  for (const auto& [reason, n] : r.search.infeasible) {
    std::string why;
    for (const auto& [code, text] : kWhy) {
      if (reason == code) why = text;
    }
    row(reason, n, why);
  }
  row("bounded", r.search.bounded, "proven no better than the layouts listed");
  row("evaluated", r.search.evaluated, "at chunk level, one by one");
  row("operator level", r.search.simulated, "of these, where the chunk level is no more than a bound");
  return t;
}

Table front_table(const PlanReport& r) {
  Table t{.key = "front",
          .title = r.front_complete ? "Pareto front" : "Pareto front, from its first end",
          .columns = {{"step_time_s", "step s"},
                      {"memory_bytes", "GB"},
                      {"energy_j", "MJ a step"},
                      {"layout", "layout", false}},
          .rows = {},
          .notes = {}};
  for (const Found& f : r.front) {
    std::vector<Cell> row{
        number(f.figures.step_s, "s", 5),
        Cell{fmt::format("{:.1f}", f.figures.memory_bytes / 1e9), f.figures.memory_bytes, "B"},
        f.figures.energy_j > 0 ? Cell{digits_text(f.figures.energy_j / 1e6, 4), f.figures.energy_j, "J"}
                               : Cell{"-"}};
    add_layout_cells(row, r, f);
    t.rows.push_back(std::move(row));
  }
  return t;
}

namespace {

std::string proof_text(const PlanReport& r) {
  const SearchResult& s = r.search;
  if (s.complete) {
    return fmt::format(
        "Proven: every other layout of the space has a bound that is no better, or was evaluated. "
        "{} candidates, {} evaluated at chunk level, {} at operator level.",
        whole(s.candidates).text, whole(s.evaluated).text, whole(s.simulated).text);
  }
  if (!std::isfinite(s.lower_bound)) return "Stopped before every layout had a bound: nothing is proven.";
  const double best = s.best.front().objective;
  return fmt::format(
      "Stopped early: no layout of the space is better than {:.5g}, this one has {:.5g} ({:.2f} % more).",
      s.lower_bound, best, best != 0 ? 100 * (best / s.lower_bound - 1) : 0.0);
}

std::string own_text(const PlanReport& r) {
  if (r.own) {
    return fmt::format("The scenario's own layout takes {:.5g} s, {:.2f} % more than the best.",
                       r.own->step_time_s, 100 * (r.own->step_time_s / r.metrics.front().step_time_s - 1));
  }
  if (r.own_verdict) return "The scenario's own layout does not run: " + r.own_verdict->text + ".";
  return {};
}

std::string flips_text(const PlanReport& r) {
  if (r.search.best.size() < 2 || r.flips_tried.empty()) return {};
  if (r.flips.empty())
    return "Nothing flips the choice to layout 2 within a quarter to four times of any rate or of the "
           "memory.";
  std::string text = "Layout 2 would win with ";
  for (std::size_t i = 0; i < r.flips.size(); ++i)
    text += fmt::format("{}{} x {:.2f}", i == 0 ? "" : ", or ", r.flips[i].input, r.flips[i].factor);
  return text + ".";
}

}  // namespace

std::string plan_text(const PlanReport& r) {
  std::string out;
  const auto line = [&](const std::string& text) {
    if (!text.empty()) out += wrapped(text, 100) + "\n";
  };
  if (r.found()) {
    out += to_plain(best_table(r)) + "\n";
    line(proof_text(r));
    line(own_text(r));
    if (r.auto_step_s) {
      const double best = r.metrics.front().step_time_s;
      line(fmt::format(
          "With the searched schedule (auto) the best layout takes {:.5g} s, {:+.2f} %; it is outside of the "
          "proof.",
          *r.auto_step_s, 100 * (*r.auto_step_s / best - 1)));
    }
    line(flips_text(r));
    if (r.robustness) {
      line(fmt::format(
          "With every operator class and both networks off by their known errors (10 % where none is known, "
          "assumed) layout 1 stays best of those listed in {} of {} draws; at worst it is {:.1f} % slower.",
          r.robustness->best_stays, r.robustness->draws, 100 * r.robustness->worst_regret));
    }
    out += "\n";
    if (!r.front.empty()) out += to_plain(front_table(r)) + "\n";
  }
  out += to_plain(funnel_table(r));
  if (!r.found()) {
    out += "\n";
    line(r.search.complete ? "No layout of the space is feasible."
                           : "Stopped before a feasible layout was found.");
    for (const std::string& change : r.nearest) line("Feasible: " + change);
  }
  return out;
}

}  // namespace orrery
