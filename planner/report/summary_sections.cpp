#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "planner/report/report_builder.hpp"
#include "planner/rounded_parts.hpp"

namespace orrery {
namespace {

struct Shown {
  const char* label;
  std::string unit;
  double scale;
};

Shown shown_as(Outcome outcome, const ReportBuilder& b) {
  switch (outcome) {
    case Outcome::kDays: return {"Time", "days", 1};
    case Outcome::kGpuHours: return {"GPU time", "thousand GPU-hours", 1e3};
    case Outcome::kRentUsd: return {"Cost, rented", b.usd_unit(), b.usd_scale()};
    case Outcome::kOwnedUsd: return {"Cost, owned", b.usd_unit(), b.usd_scale()};
    case Outcome::kEnergyKwh: return {"Energy", "MWh", 1e3};
    case Outcome::kCo2Tonnes: return {"Emissions", "t CO2e", 1};
  }
  return {"", "", 1};
}

std::string percent(double share) {
  return decimal_text(100.0 * share, decimals_for(100.0 * share, 3)) + " %";
}

/// The three largest things that could make the rent larger than stated.
std::vector<std::string> risks(const ReportInput& in) {
  std::vector<TornadoBar> bars = in.tornado;
  const double central = *in.run.rent_usd;
  const auto worse = [&](const TornadoBar& b) {
    return std::max(b.outcome_at_low, b.outcome_at_high) / central - 1;
  };
  std::stable_sort(bars.begin(), bars.end(),
                   [&](const TornadoBar& a, const TornadoBar& b) { return worse(a) > worse(b); });
  std::vector<std::string> out;
  for (const TornadoBar& b : bars) {
    if (out.size() == 3 || worse(b) <= 0) break;
    const double end = b.outcome_at_high > b.outcome_at_low ? b.high : b.low;
    const auto shown = [&](double value) {
      if (b.unit == "share") return percent(value);
      const bool plain = b.unit.empty() || b.unit == "factor" || b.unit == "ratio";
      return significant_text(value) + (plain ? "" : " " + b.unit);
    };
    out.push_back(fmt::format("Risk {}: {}: {} instead of {} adds {} to the rent.", out.size() + 1, b.what,
                              shown(end), shown(b.value), percent(worse(b))));
  }
  return out;
}

/// The change or layout that is simulated to be fastest, where it is worth more than half a per cent.
std::string recommendation(const ReportInput& in) {
  constexpr double kWorthwhile = 0.005;
  double best = kWorthwhile;
  std::string change;
  for (const Lever& l : in.runs.levers) {
    if (l.changes_training || l.gain <= best) continue;
    best = l.gain;
    change = fmt::format("{} ({}={})", l.words, l.key, l.value);
  }
  const std::vector<PlanPoint>& plans = in.runs.alternatives.points;
  if (!plans.empty() && !plans.front().own && in.metrics.step_time_s / plans.front().step_s - 1 > best) {
    best = in.metrics.step_time_s / plans.front().step_s - 1;
    change = "the layout " + plans.front().layout;
  }
  if (!change.empty())
    return fmt::format("Recommendation: try {}; simulated, it gives {} more tokens per second.", change,
                       percent(best));
  const std::size_t tried = in.runs.levers.size() + plans.size();
  if (tried == 0) return "Recommendation: none; no other layout was simulated.";
  return "Recommendation: keep the layout; of the other layouts and changes tried none is faster by more "
         "than 0.5 %.";
}

/// "x 10^3 GPU-hours": a unit with a factor in it, behind a number.
std::string times(const std::string& unit) {
  return unit.starts_with("10^") ? "x " + unit : unit;
}

}  // namespace

void add_figures(ReportBuilder& b) {
  const ReportInput& in = b.in;
  for (const OutcomeRange& r : in.ranges) {
    const Shown shown = shown_as(r.outcome, b);
    const std::string id = fmt::format("run.{}", to_text(r.outcome));
    // One number of decimals for the whole row, so that ranges read alike.
    const int decimals = decimals_for(r.central / shown.scale, 3);
    const auto put = [&](const char* what, double value) {
      b.decimal(id + what, value / shown.scale, shown.unit, decimals);
    };
    put("", r.central);
    put(".low", r.low);
    put(".high", r.high);
    put(".p10", r.p10);
    put(".p50", r.p50);
    put(".p90", r.p90);
  }
  b.number("step.time_s", in.metrics.step_time_s, "s", 4);
  b.number("run.goodput", 100.0 * in.run.goodput.useful, "%", 3);
  b.number("run.ideal_days", in.run.ideal_days, "days", 3);
  b.number("throughput.per_gpu", in.metrics.throughput.tokens_per_s_per_gpu, "tokens/s", 4);
  b.number("throughput.mfu_causal", 100.0 * in.metrics.throughput.mfu_causal, "%", 3);
  b.number("rent", in.question.values.usd_per_gpu_hour, "USD per GPU-hour", 3);
}

void add_summary(ReportBuilder& b) {
  const ReportInput& in = b.in;
  const Scenario& s = in.scenario;
  Section& out = b.section("summary", "Summary");
  out.paragraphs.push_back(fmt::format(
      "Training {} on {} tokens with {} GPUs is estimated to take {} (P10 to P90: {} to {}), {} at {} and a "
      "goodput "
      "of {}.",
      s.model.name, b.tokens_text(), decimal_text(static_cast<double>(s.gpus), 0), b.show("run.days"),
      b.doc.figures.at("run.days.p10").text, b.doc.figures.at("run.days.p90").text, b.show("run.rent_usd"),
      b.show("rent"), b.show("run.goodput")));
  const auto days = std::find_if(in.ranges.begin(), in.ranges.end(),
                                 [](const OutcomeRange& r) { return r.outcome == Outcome::kDays; });
  if (days != in.ranges.end() && (days->central < days->p10 || days->central > days->p90))
    out.paragraphs.push_back(fmt::format(
        "The estimate lies outside its range: {} published runs on this kind of GPU took {} times their "
        "simulated time in the median; the range takes that in, the estimate does not.",
        in.model_error.runs, significant_text(in.model_error.measured_over_computed.value)));
  DocTable t{
      .key = "totals",
      .caption = "Totals with their ranges",
      .columns = {{"figure"},
                  {"unit"},
                  {"estimate", true},
                  {"P10", true},
                  {"P50", true},
                  {"P90", true},
                  {"low", true},
                  {"high", true}},
      .rows = {},
      .notes = {fmt::format("P10 to P90: {} samples of all inputs, seed {}. Low and high: every input at its "
                            "favourable or unfavourable end at once. The estimate is the simulated step; P50 "
                            "also holds the median ratio of published to simulated runs, {}.",
                            in.sampling.samples, in.sampling.seed,
                            significant_text(in.model_error.measured_over_computed.value))}};
  for (const OutcomeRange& r : in.ranges) {
    const std::string id = fmt::format("run.{}", to_text(r.outcome));
    const Shown shown = shown_as(r.outcome, b);
    t.rows.push_back({words(shown.label), words(shown.unit), figure(id), figure(id + ".p10"),
                      figure(id + ".p50"), figure(id + ".p90"), figure(id + ".low"), figure(id + ".high")});
  }
  out.tables.push_back(std::move(t));
  out.paragraphs.push_back(recommendation(in));
  for (std::string& risk : risks(in)) out.paragraphs.push_back(std::move(risk));
  if (in.published.empty()) {
    out.paragraphs.emplace_back(
        "No published run of this model, cluster and layout is known to this program.");
  } else {
    for (const auto& [run, rows] : in.published) {
      if (rows.empty()) continue;
      out.paragraphs.push_back(fmt::format(
          "Published run: {}; {} there {} {}, here {}, {:+.1f} %.", run.name, rows.front().published.label,
          significant_text(rows.front().published.value), times(rows.front().published.unit),
          significant_text(rows.front().computed), 100.0 * rows.front().error()));
    }
  }
}

void add_scope(ReportBuilder& b) {
  Section& out = b.section("scope", "Scope");
  out.paragraphs.emplace_back(
      "In: the steps of one training run, what they do again after failures, standing still "
      "for checkpoints and restarts, slow nodes, the power of GPUs, nodes, switches and the "
      "building, and the share of the machines' price and making that the run uses.");
  out.paragraphs.emplace_back(
      "Out: research, ablations and failed runs before it, staff, data, evaluation, long-term "
      "storage, context extension and post-training, cost of capital, taxes, the smaller "
      "batches of a warm-up, and spare nodes that wait.");
}

namespace {

/// Where low and high of an input are from, if its note says so.
std::string range_note(const std::string& note) {
  const bool tells = note.starts_with("range") || note.starts_with("Range");
  return tells ? "; " + std::string(note.starts_with("R") ? "r" : "") +
                     note.substr(note.starts_with("R") ? 1 : 0)
               : std::string();
}

}  // namespace

void add_assumptions(ReportBuilder& b) {
  const ReportInput& in = b.in;
  Section& out = b.section("assumptions", "Assumptions");
  DocTable t{
      .key = "run-inputs",
      .caption = "Inputs of the run",
      .columns = {{"input"},
                  {"value", true},
                  {"low", true},
                  {"high", true},
                  {"unit"},
                  {"kind"},
                  {"effect on rent, %", true},
                  {"on owned cost, %", true},
                  {"source"}},
      .rows = {},
      .notes = {
          "Effect: change of the cost from the low to the high end, in per cent of the estimate; a dash "
          "where there is none. Kind given: stated by the scenario, with the range of the market."}};
  const auto effect_of = [&](const std::vector<TornadoBar>& bars, const std::string& key, const char* on,
                             double central) {
    for (const TornadoBar& bar : bars) {
      if (bar.key == key && bar.swing() / central >= 5e-4)
        return b.decimal(fmt::format("input.{}.effect_on_{}", key, on), 100.0 * bar.swing() / central, "%",
                         1);
    }
    return words("-");
  };
  const std::vector<TornadoBar> of_rent = tornado(in.question, {}, Outcome::kRentUsd, 1000);
  const std::vector<TornadoBar> of_owned = tornado(in.question, {}, Outcome::kOwnedUsd, 1000);
  for (const RunInput& input : in.question.ranges) {
    const std::string id = "input." + input.key;
    // Large numbers are shown in thousands of millions.
    const double scale = input.range.high >= 1e8 ? 1e9 : 1;
    const std::string unit = (scale > 1 ? "10^9 " : "") + input.unit;
    const double value = in.question.values.*input.member / scale;
    const std::string date = input.range.date.empty() ? "" : ", " + input.range.date;
    t.rows.push_back({words(input.key + ": " + input.what), b.number(id, value, unit),
                      b.number(id + ".low", input.range.low / scale, unit),
                      b.number(id + ".high", input.range.high / scale, unit), words(unit),
                      words(input.stated ? "given" : to_text(input.range.origin)),
                      effect_of(of_rent, input.key, "rent", *in.run.rent_usd),
                      effect_of(of_owned, input.key, "owned", in.run.owned->total()),
                      words(input.range.source + date + range_note(input.range.note))});
  }
  out.tables.push_back(std::move(t));
  const auto shown_value = [](const std::string& text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() ? fmt::format("{:.6g}", value) : text;
  };
  DocTable step{.key = "step-inputs",
                .caption = "Inputs of the simulated step",
                .columns = {{"input"}, {"value", true}, {"unit"}, {"kind"}, {"source"}},
                .rows = {},
                .notes = {}};
  for (const Assumption& a : in.metrics.assumptions) {
    const bool shown = std::any_of(in.question.ranges.begin(), in.question.ranges.end(),
                                   [&](const RunInput& i) { return i.key == a.name; });
    if (!shown)
      step.rows.push_back(
          {words(a.name), words(shown_value(a.value)), words(a.unit), words(a.kind), words(a.source)});
  }
  out.tables.push_back(std::move(step));
}

void add_provenance(ReportBuilder& b) {
  const ReportInput& in = b.in;
  Section& out = b.section("provenance", "Provenance");
  DocTable t{.key = "provenance",
             .caption = "What made this report",
             .columns = {{"item"}, {"value"}},
             .rows = {},
             .notes = {}};
  const auto row = [&](const char* item, std::string value) {
    t.rows.push_back({words(item), words(std::move(value))});
  };
  row("program", in.program);
  row("made from", in.source);
  row("scenario hash (FNV-1a, 64 bit)", b.doc.hash);
  row("profiles of GPU and cluster", fmt::format("{}, {}; hash {}", in.scenario.cluster.gpu.name,
                                                 in.scenario.cluster.name, in.profile_hash));
  row("prices, grids and rates of failure", in.data_place + ", hash " + in.data_hash);
  row("samples and seed", fmt::format("{}, seed {}", in.sampling.samples, in.sampling.seed));
  row("command", in.command);
  out.tables.push_back(std::move(t));
  out.paragraphs.emplace_back(
      "No clock enters this report: the same input gives the same bytes. Every figure's own date "
      "stands beside its source.");
}

}  // namespace orrery
