#include <fmt/format.h>

#include <algorithm>
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
    case Outcome::kGpuHours: return {"GPU time", b.hours_unit(), b.hours_scale()};
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

/// What would make the rent larger than stated, in words, of one input.
std::string risk_words(const ReportInput& in, const TornadoBar& b) {
  const double end = b.outcome_at_high > b.outcome_at_low ? b.high : b.low;
  const bool of_model =
      std::any_of(in.question.ranges.begin(), in.question.ranges.end(),
                  [&](const RunInput& i) { return i.key == b.key && i.member == &RunInputs::step_error; });
  if (of_model)
    return fmt::format(
        "steps are slower than simulated: of {} published runs of this kind of GPU one in ten "
        "took {} times its simulated time or more",
        in.model_error.runs, significant_text(end));
  const auto shown = [&](double value) {
    if (b.unit == "share") return percent(value);
    const bool plain = b.unit.empty() || b.unit == "factor" || b.unit == "ratio";
    return significant_text(value) + (plain ? "" : " " + b.unit);
  };
  const bool contract = b.key == "economics.usd_per_gpu_hour";
  return fmt::format("{}: {} instead of {}{}", b.what, shown(end), shown(b.value),
                     contract ? ", unless a contract fixes it" : "");
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
    out.push_back(fmt::format("Risk {}: {}. It would add {} to the rent.", out.size() + 1, risk_words(in, b),
                              percent(worse(b))));
  }
  return out;
}

/// "1 layout", "7 layouts".
std::string counted(std::ptrdiff_t n, const std::string& what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
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
  const auto layouts = std::count_if(plans.begin(), plans.end(), [](const PlanPoint& p) { return !p.own; });
  const auto changes = std::count_if(in.runs.levers.begin(), in.runs.levers.end(),
                                     [](const Lever& l) { return !l.changes_training; });
  std::string text = counted(layouts, "other layout");
  if (changes > 0) text += " and " + counted(changes, "change") + " of one setting";
  return fmt::format(
      "Recommendation: keep the layout; of {} that were simulated and leave the training as it is, "
      "none is faster by more than 0.5 %.",
      text);
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
  const Purchase& p = *in.run.purchase;
  const double scale = p.total() < 1e6 ? 1e3 : 1e6;
  b.parts("purchase",
          {{"servers", p.servers / scale}, {"network", p.network / scale}, {"other", p.other / scale}},
          scale == 1e3 ? "thousand USD" : "million USD", decimals_for(p.total() / scale, 3));
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
  // Prose has three digits, also where a table has more.
  const auto with_range = [&](const std::string& id) {
    const auto& f = b.doc.figures;
    return fmt::format("{} ({} to {})", b.show(id), significant_text(f.at(id + ".p10").value),
                       significant_text(f.at(id + ".p90").value));
  };
  out.paragraphs.push_back(fmt::format(
      "Training {} on {} tokens with {} GPUs is estimated to take {}, {}, at a goodput of {}. In brackets, "
      "here and below: P10 to P90.",
      s.model.name, b.tokens_text(), decimal_text(static_cast<double>(s.gpus), 0), with_range("run.days"),
      with_range("run.gpu_hours"), b.show("run.goodput")));
  out.paragraphs.push_back(fmt::format(
      "Estimated cost: {} rented at {}, or {} as a share of machines that are owned. Estimated energy: {}; "
      "emissions: {}.",
      with_range("run.rent_usd"), b.show("rent"), with_range("run.owned_usd"), with_range("run.energy_kwh"),
      with_range("run.co2e_t")));
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
                            "favourable or unfavourable end at once; the ends of the model error of the step "
                            "are its P10 and P90, so a few samples lie beyond. The estimate has every "
                            "input at its value and the step as simulated. P50 differs from it: published "
                            "runs took {} times their simulated time in the median, and a range that reaches "
                            "further up than down pulls P50 up.",
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
  if (in.break_even_usd_per_gpu_hour) {
    b.number("break_even", *in.break_even_usd_per_gpu_hour, "USD per GPU-hour");
    out.paragraphs.push_back(fmt::format(
        "Rent or buy: owned machines cost as much as rented ones at {}, if they have other work before and "
        "after; to buy them takes {}.",
        b.show("break_even"), b.show("purchase.sum")));
  }
  for (std::string& risk : risks(in)) out.paragraphs.push_back(std::move(risk));
  constexpr double kTight = 0.9;
  if (in.metrics.memory_peak > kTight * in.metrics.memory_capacity)
    out.paragraphs.push_back(
        fmt::format("Memory is tight: the fullest GPU is estimated to hold {} of its capacity.",
                    percent(in.metrics.memory_peak / in.metrics.memory_capacity)));
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
      "In the figures: the steps of one training run, what they do again after failures, standing still "
      "for checkpoints and restarts, slow nodes, the power of GPUs, nodes, switches and the "
      "building, and the share of the machines' price and making that the run uses.");
  out.paragraphs.emplace_back(
      "Not in them: research, ablations and failed runs before it, staff, data, evaluation, long-term "
      "storage, context extension and post-training, cost of capital, taxes, the smaller "
      "batches of a warm-up, and spare nodes that wait.");
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
      "The command gives this file again, byte for byte, with the same program, input and data. No clock "
      "enters: every figure's own date stands beside its source.");
}

}  // namespace orrery
