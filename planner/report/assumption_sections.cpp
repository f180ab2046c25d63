#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "planner/report/report_builder.hpp"
#include "planner/rounded_parts.hpp"

namespace orrery {
namespace {

/// Where low and high of an input are from, if its note says so.
std::string range_note(const std::string& note) {
  const bool tells = note.starts_with("range") || note.starts_with("Range");
  return tells ? "; " + std::string(note.starts_with("R") ? "r" : "") +
                     note.substr(note.starts_with("R") ? 1 : 0)
               : std::string();
}

/// What an input does to a cost from its low to its high end, by key.
class Effects {
 public:
  Effects(ReportBuilder& b, Outcome outcome, const char* on, double central)
      : b_(b),
        bars_(tornado(b.in.question, b.in.runs.step_inputs, outcome, 1000)),
        on_(on),
        central_(central) {}

  DocCell of(const std::string& key) {
    for (const TornadoBar& bar : bars_) {
      if (bar.key == key && bar.swing() / central_ >= 5e-4)
        return b_.decimal(fmt::format("input.{}.effect_on_{}", key, on_), 100.0 * bar.swing() / central_, "%",
                          1);
    }
    return words("-");
  }

 private:
  ReportBuilder& b_;
  std::vector<TornadoBar> bars_;
  const char* on_;
  double central_;
};

void add_varied(ReportBuilder& b, Section& out) {
  const ReportInput& in = b.in;
  DocTable t{
      .key = "run-inputs",
      .caption = "Inputs with a range",
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
      .notes = {"Effect: change of the cost from the low to the high end, in per cent of the estimate; a "
                "dash where there is none. Kind given: stated by the scenario, with the range of the "
                "market. Kind simulated: both ends were simulated."}};
  Effects on_rent(b, Outcome::kRentUsd, "rent", *in.run.rent_usd);
  Effects on_owned(b, Outcome::kOwnedUsd, "owned", in.run.owned->total());
  const auto row = [&](const RunInput& input) {
    const std::string id = "input." + input.key;
    // Large numbers are shown in thousands of millions.
    const double scale = input.range.high >= 1e8 ? 1e9 : 1;
    const std::string unit = (scale > 1 ? "10^9 " : "") + input.unit;
    const double value = in.question.values.*input.member / scale;
    const std::string date = input.range.date.empty() ? "" : ", " + input.range.date;
    t.rows.push_back({words(input.key + ": " + input.what), b.number(id, value, unit),
                      b.number(id + ".low", input.range.low / scale, unit),
                      b.number(id + ".high", input.range.high / scale, unit), words(unit),
                      words(input.stated ? "given" : to_text(input.range.origin)), on_rent.of(input.key),
                      on_owned.of(input.key),
                      words(input.range.source + date + range_note(input.range.note))});
  };
  for (const RunInput& input : in.question.ranges) row(input);
  for (const StepInput& input : in.runs.step_inputs) {
    const std::string id = "input." + input.key;
    t.rows.push_back({words(input.key + ": " + input.what), b.number(id, input.value, input.unit),
                      b.number(id + ".low", input.low, input.unit),
                      b.number(id + ".high", input.high, input.unit), words(input.unit),
                      words(input.kind + ", simulated"), on_rent.of(input.key), on_owned.of(input.key),
                      words(input.source)});
  }
  for (const RunInput& input : in.question.others) row(input);
  out.tables.push_back(std::move(t));
}

/// A base unit at the front of a unit, and what stands for it where the number is large or small.
struct Prefix {
  const char* base;
  double from, below, factor;
  const char* shown;
};
constexpr std::array<Prefix, 9> kPrefixes{{{"FLOP/s", 1e9, 1e300, 1e12, "10^12 FLOP/s"},
                                           {"B/s", 1e9, 1e300, 1e9, "10^9 B/s"},
                                           {"J/FLOP", 0, 1e-6, 1e-12, "pJ/FLOP"},
                                           {"J/B", 0, 1e-6, 1e-12, "pJ/B"},
                                           {"B/parameter", 1e300, 1e300, 1, ""},
                                           {"B", 1e9, 1e300, 1e9, "10^9 B"},
                                           {"s/kernel", 0, 1e-3, 1e-6, "us/kernel"},
                                           {"s", 0, 1e-3, 1e-6, "us"},
                                           {"s", 1e-3, 1e-1, 1e-3, "ms"}}};

struct Shown {
  double scale = 1;
  std::string unit;
};

Shown shown_in(double value, const std::string& unit) {
  for (const Prefix& p : kPrefixes) {
    const std::string base = p.base;
    const bool same = unit == base || unit.starts_with(base + " ");
    if (same && value > p.from && value < p.below) return {p.factor, p.shown + unit.substr(base.size())};
  }
  return {1, unit};
}

std::optional<double> number_of(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc{} && end == text.data() + text.size() && std::isfinite(value);
  return whole ? std::optional(value) : std::nullopt;
}

/// The input with a range that moves this one too, if any: all rates of a kind go together.
const StepInput* moved_by(const ReportInput& in, const Assumption& a) {
  const bool curve = a.name.starts_with("operators.");
  for (const StepInput& s : in.runs.step_inputs) {
    if (curve && a.unit == "FLOP/s" && s.key == "gpu.operators.flops_per_s") return &s;
    if (curve && a.unit == "B/s" && s.key == "gpu.operators.bytes_per_s") return &s;
    if (s.key == "cluster." + a.name) return &s;
  }
  return nullptr;
}

void add_step_inputs(ReportBuilder& b, Section& out) {
  const ReportInput& in = b.in;
  DocTable t{
      .key = "step-inputs",
      .caption = "Inputs of the simulated step",
      .columns = {{"input"}, {"value", true}, {"low", true}, {"high", true}, {"unit"}, {"kind"}, {"source"}},
      .rows = {},
      .notes = {
          std::string(in.runs.step_inputs.empty()
                          ? ""
                          : "Low and high: all rates of a kind move together, as in the table above. ") +
          "A dash: held at its value; what is wrong with it is part of the model error of the step time "
          "or of GPU power."}};
  for (const Assumption& a : in.metrics.assumptions) {
    const auto listed = [&](const std::vector<RunInput>& inputs) {
      return std::any_of(inputs.begin(), inputs.end(), [&](const RunInput& i) {
        return i.key == a.name || i.key == "cluster." + a.name || i.key == "gpu." + a.name;
      });
    };
    if (listed(in.question.ranges) || listed(in.question.others)) continue;
    const std::optional<double> value = number_of(a.value);
    if (!value) {
      t.rows.push_back({words(a.name), words(a.value), words("-"), words("-"), words(a.unit), words(a.kind),
                        words(a.source)});
      continue;
    }
    const Shown shown = shown_in(*value, a.unit);
    const double central = *value / shown.scale;
    const bool count = std::abs(*value) < 1e6 && *value == std::floor(*value) && shown.scale == 1;
    const int decimals = count ? 0 : std::max(0, decimals_for(central, 4));
    const std::string id = "step_input." + a.name;
    DocCell low = words("-");
    DocCell high = words("-");
    if (const StepInput* s = moved_by(in, a); s != nullptr && s->value > 0) {
      low = b.decimal(id + ".low", central * s->low / s->value, shown.unit, decimals);
      high = b.decimal(id + ".high", central * s->high / s->value, shown.unit, decimals);
    }
    t.rows.push_back({words(a.name), b.decimal(id, central, shown.unit, decimals), low, high,
                      words(shown.unit), words(a.kind), words(a.source)});
  }
  out.tables.push_back(std::move(t));
}

}  // namespace

void add_assumptions(ReportBuilder& b) {
  Section& out = b.section("assumptions", "Assumptions");
  add_varied(b, out);
  add_step_inputs(b, out);
}

}  // namespace orrery
