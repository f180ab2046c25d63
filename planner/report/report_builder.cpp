#include "planner/report/report_builder.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>

#include "planner/rounded_parts.hpp"
#include "sim/base/check.hpp"

namespace orrery {
namespace {

/// FNV-1a of 64 bits, in hex.
std::string hash_of(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return fmt::format("{:016x}", hash);
}

}  // namespace

DocCell ReportBuilder::number(const std::string& id, double value, const std::string& unit, int digits) {
  return decimal(id, value, unit, decimals_for(value, digits));
}

DocCell ReportBuilder::decimal(const std::string& id, double value, const std::string& unit, int decimals) {
  const Figure f{.value = value, .unit = unit, .text = decimal_text(value, decimals)};
  const auto [it, added] = doc.figures.emplace(id, f);
  SIM_CHECK(added || it->second == f, "one figure of the report has two values: " + id);
  return figure(id);
}

void ReportBuilder::parts(const std::string& id, const std::vector<std::pair<std::string, double>>& keyed,
                          const std::string& unit, int decimals) {
  std::vector<double> values;
  double sum = 0;
  for (const auto& [key, value] : keyed) {
    values.push_back(value);
    sum += value;
  }
  const RoundedParts shown = rounded_parts(values, decimals);
  const auto put = [&](const std::string& key, double value, const std::string& text) {
    const bool added = doc.figures.emplace(key, Figure{.value = value, .unit = unit, .text = text}).second;
    SIM_CHECK(added, "a part of the report is registered twice: " + key);
  };
  for (std::size_t i = 0; i < keyed.size(); ++i)
    put(id + "." + keyed[i].first, values[i], shown.part_texts[i]);
  put(id + ".sum", sum, shown.sum_text);
}

std::string ReportBuilder::show(const std::string& id) const {
  const auto it = doc.figures.find(id);
  SIM_CHECK(it != doc.figures.end(), "the report shows a figure that it has not: " + id);
  return it->second.unit.empty() ? it->second.text : it->second.text + " " + it->second.unit;
}

double ReportBuilder::usd_scale() const {
  return in.run.rent_usd.value_or(1e6) < 1e6 ? 1e3 : 1e6;
}

std::string ReportBuilder::usd_unit() const {
  return usd_scale() == 1e3 ? "thousand USD" : "million USD";
}

double ReportBuilder::hours_scale() const {
  return in.run.gpu_hours < 10e6 ? 1e3 : 1e6;
}

std::string ReportBuilder::hours_unit() const {
  return hours_scale() == 1e3 ? "thousand GPU-hours" : "million GPU-hours";
}

std::string ReportBuilder::tokens_text() const {
  const double tokens = in.scenario.training.tokens;
  const int power = tokens >= 1e12 ? 12 : tokens >= 1e9 ? 9 : 6;
  return fmt::format("{} x 10^{}", significant_text(tokens / std::pow(10.0, power)), power);
}

Section& ReportBuilder::section(std::string key, std::string title) {
  doc.sections.push_back(
      {.key = std::move(key), .title = std::move(title), .paragraphs = {}, .tables = {}, .charts = {}});
  return doc.sections.back();
}

Document build_report(const ReportInput& input) {
  ReportBuilder b(input);
  const Scenario& s = input.scenario;
  b.doc.title = fmt::format("Training cost estimate: {} on {} x {}", s.model.name,
                            decimal_text(static_cast<double>(s.gpus), 0), s.cluster.gpu.device);
  b.doc.subtitle = fmt::format(
      "Cluster {}, {} tokens, precision {}{}. Simulated, not measured; every figure is an estimate.",
      s.cluster.name, b.tokens_text(), to_text(s.training.precision),
      s.stack.name.empty() ? "" : ", program " + s.stack.name);
  b.doc.program = input.program;
  b.doc.hash = hash_of(input.scenario_text);
  add_figures(b);
  for (const auto add :
       {add_summary, add_scope, add_assumptions, add_plan, add_time, add_memory, add_power, add_money,
        add_carbon, add_uncertainty, add_sensitivity, add_alternatives, add_published, add_provenance})
    add(b);
  return std::move(b.doc);
}

}  // namespace orrery
