#include <fmt/format.h>

#include <algorithm>

#include "planner/report/report_builder.hpp"
#include "planner/rounded_parts.hpp"

namespace orrery {
namespace {

std::string range_label(Outcome outcome, const ReportBuilder& b) {
  const std::string usd = b.usd_unit();
  switch (outcome) {
    case Outcome::kDays: return "days";
    case Outcome::kGpuHours: return b.hours_unit();
    case Outcome::kRentUsd: return "rented, " + usd;
    case Outcome::kOwnedUsd: return "owned, " + usd;
    case Outcome::kEnergyKwh: return "energy, MWh";
    case Outcome::kCo2Tonnes: return "emissions, t CO2e";
  }
  return "";
}

}  // namespace

void add_uncertainty(ReportBuilder& b) {
  const ReportInput& in = b.in;
  Section& out = b.section("uncertainty", "Uncertainty");
  const Ranged& error = in.model_error.measured_over_computed;
  out.paragraphs.push_back(fmt::format(
      "The largest source is the model itself: on {} published runs of this kind of GPU the measured step "
      "took {} to {} "
      "times the simulated one (10th to 90th percentile, median {}). It is drawn from a split log-normal "
      "through those points; every other "
      "input from a triangle over its range. Inputs are taken as independent; {} samples, seed {}.",
      in.model_error.runs, significant_text(error.low), significant_text(error.high),
      significant_text(error.value), in.sampling.samples, in.sampling.seed));
  Chart chart{
      .key = "ranges", .title = "P10 to P90 of the totals, estimate = 1", .x_label = "", .y_label = {}};
  for (const OutcomeRange& r : in.ranges) {
    const std::string id = fmt::format("run.{}", to_text(r.outcome));
    chart.rows.push_back(
        {range_label(r.outcome, b),
         fmt::format("{} - {}", b.doc.figures.at(id + ".p10").text, b.doc.figures.at(id + ".p90").text),
         {{r.p10 / r.central, r.p50 / r.central, "low"}, {r.p50 / r.central, r.p90 / r.central, "high"}}});
  }
  DocTable t{
      .key = "percentiles",
      .caption = "How often the samples exceed the estimate, and the percentiles not in the summary",
      .columns = {{"figure"},
                  {"P5", true},
                  {"P25", true},
                  {"P75", true},
                  {"P95", true},
                  {"samples above the estimate, %", true}},
      .rows = {},
      .notes = {"To be nine times in ten within a budget, plan for P90 of the summary's table, not for "
                "the estimate."}};
  for (const OutcomeRange& r : in.ranges) {
    const std::string id = fmt::format("run.{}", to_text(r.outcome));
    // In the unit of the summary's table.
    const double scale = r.central / b.doc.figures.at(id).value;
    const std::string& unit = b.doc.figures.at(id).unit;
    const int decimals = decimals_for(r.central / scale, 3);
    t.rows.push_back({words(range_label(r.outcome, b)), b.decimal(id + ".p05", r.p05 / scale, unit, decimals),
                      b.decimal(id + ".p25", r.p25 / scale, unit, decimals),
                      b.decimal(id + ".p75", r.p75 / scale, unit, decimals),
                      b.decimal(id + ".p95", r.p95 / scale, unit, decimals),
                      b.decimal(id + ".above", 100.0 * r.above, "%", 1)});
  }
  out.tables.push_back(std::move(t));
  chart.legend = {{"low", "P10 to P50"}, {"high", "P50 to P90"}};
  chart.markers = {{1.0, "estimate"}};
  out.charts.push_back(std::move(chart));
}

namespace {

/// One tornado: picture and table. `what` names the outcome: "rent", "owned cost"; `id` its figure.
void add_tornado(ReportBuilder& b, Section& out, const std::vector<TornadoBar>& bars, double central,
                 const std::string& what, const std::string& id) {
  Chart chart{
      .key = "tornado-" + id,
      .title = fmt::format("Effect on the {}, one input at a time from its low to its high end", what),
      .x_label = b.usd_unit(),
      .y_label = {}};
  DocTable t{
      .key = "tornado-" + id,
      .caption = fmt::format("The most influential inputs, by their effect on the {}", what),
      .columns = {{"input"},
                  {"low", true},
                  {"high", true},
                  {"unit"},
                  {fmt::format("{} at low, {}", what, b.usd_unit()), true},
                  {fmt::format("{} at high, {}", what, b.usd_unit()), true},
                  {"kind"}},
      .rows = {},
      .notes = {"Ranges and sources: section on assumptions. Where kind says simulated, both ends were."}};
  const int decimals = decimals_for(central, 4);
  for (const TornadoBar& bar : bars) {
    const double low = bar.outcome_at_low / b.usd_scale();
    const double high = bar.outcome_at_high / b.usd_scale();
    const std::string input = "tornado." + bar.key;
    const std::string outcome = input + "." + id;
    t.rows.push_back({words(bar.what), b.number(input + ".input_low", bar.low, bar.unit),
                      b.number(input + ".input_high", bar.high, bar.unit), words(bar.unit),
                      b.decimal(outcome + ".low", low, b.usd_unit(), decimals),
                      b.decimal(outcome + ".high", high, b.usd_unit(), decimals),
                      words(bar.simulated ? bar.kind + ", simulated" : bar.kind)});
    // What fits beside the bars; the table has all words.
    constexpr std::size_t kMost = 30;
    const std::string label = bar.key.starts_with("model error") ? bar.key
                              : bar.what.size() <= kMost         ? bar.what
                              : bar.key.size() <= kMost          ? bar.key
                                                                 : bar.what.substr(0, kMost);
    const bool grows = low <= high;
    chart.rows.push_back(
        {label,
         fmt::format("{} - {}", decimal_text(std::min(low, high), decimals - 1),
                     decimal_text(std::max(low, high), decimals - 1)),
         {{std::min({low, high, central}), std::min(std::max(low, high), central), grows ? "low" : "high"},
          {std::max(std::min(low, high), central), std::max({low, high, central}), grows ? "high" : "low"}}});
  }
  chart.markers = {{central, fmt::format("estimate {}", b.doc.figures.at(id).text)}};
  chart.legend = {{"low", "input at its low end"}, {"high", "input at its high end"}};
  out.charts.push_back(std::move(chart));
  out.tables.push_back(std::move(t));
}

}  // namespace

void add_sensitivity(ReportBuilder& b) {
  const ReportInput& in = b.in;
  Section& out = b.section("sensitivity", "Sensitivity");
  add_tornado(b, out, in.tornado, *in.run.rent_usd / b.usd_scale(), "rent", "run.rent_usd");
  add_tornado(b, out, in.tornado_owned, in.run.owned->total() / b.usd_scale(), "owned cost", "run.owned_usd");
  if (in.break_even_usd_per_gpu_hour) {
    out.paragraphs.push_back(
        fmt::format("Owning the machines costs as much as renting them at {}; below that rent, renting is "
                    "cheaper. The rent here is {}.",
                    b.show("break_even"), b.show("rent")));
  }
}

void add_published(ReportBuilder& b) {
  Section& out = b.section("published", "Published runs");
  if (b.in.published.empty())
    out.paragraphs.emplace_back(
        "No published run of this model, cluster and layout is known to this program, so nothing here was "
        "compared with a measurement.");
  std::size_t n = 0;
  for (const auto& [run, rows] : b.in.published) {
    DocTable t{.key = fmt::format("published-{}", n),
               .caption = run.name,
               .columns = {{"figure"}, {"published", true}, {"computed", true}, {"error, %", true}, {"unit"}},
               .rows = {},
               .notes = {run.source + ", " + run.date + "."}};
    if (!run.note.empty()) t.notes.push_back(run.note);
    for (const ComparisonRow& row : rows) {
      const std::string id = fmt::format("published.{}.{}", n, row.published.key);
      t.rows.push_back({words(row.published.label),
                        b.number(id + ".published", row.published.value, row.published.unit, 4),
                        b.number(id + ".computed", row.computed, row.published.unit, 4),
                        b.decimal(id + ".error", 100.0 * row.error(), "%", 1), words(row.published.unit)});
    }
    out.tables.push_back(std::move(t));
    ++n;
  }
}

}  // namespace orrery
