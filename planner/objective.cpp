#include "planner/objective.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/base/check.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/units_text.hpp"
#include "sim/workload/flops.hpp"

namespace orrery {
namespace {

constexpr double kSecondsPerDay = 86400;
/// Below this goodput a run is not said to end.
constexpr double kLeastGoodput = 0.01;

/// A number with the unit of the metric, as `sim/base/units_text` reads it.
double parse_limit(Metric metric, std::string_view text, const std::string& place) {
  switch (metric) {
    case Metric::kStep: return parse_seconds(text, place).value;
    case Metric::kDays: {
      const bool bare = text.find_first_not_of("0123456789.eE+-") == std::string_view::npos;
      return bare ? parse_count(text, place) : parse_seconds(text, place).value / kSecondsPerDay;
    }
    case Metric::kMemory:
    case Metric::kHeadroom: return parse_bytes(text, place).value;
    case Metric::kPower: return parse_watts(text, place).value;
    case Metric::kMfu:
      if (text.ends_with('%')) return parse_count(text.substr(0, text.size() - 1), place) / 100;
      return parse_count(text, place);
    case Metric::kEnergy:
      if (text.ends_with("MWh")) text.remove_suffix(3);
      if (text.ends_with("GWh")) return 1000 * parse_count(text.substr(0, text.size() - 3), place);
      return parse_count(text, place);
    case Metric::kUsd:
    case Metric::kCarbon:
    case Metric::kGpus: return parse_count(text, place);
  }
  return 0;
}

std::string trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(' ');
  if (from == std::string_view::npos) return {};
  return std::string(text.substr(from, text.find_last_not_of(' ') - from + 1));
}

/// Metrics that are the step's time times a constant of the scenario, or one over it.
bool says_time(Metric m) {
  return m == Metric::kStep || m == Metric::kDays || m == Metric::kUsd || m == Metric::kMfu;
}

}  // namespace

const std::vector<MetricInfo>& metrics() {
  static const std::vector<MetricInfo> kAll{
      {Metric::kStep, "step", "s", false, "time of one step"},
      {Metric::kDays, "days", "d", false, "of the whole run, failures included"},
      {Metric::kUsd, "usd", "USD", false, "rent of the GPUs for the run"},
      {Metric::kEnergy, "energy", "MWh", false, "of the run, building included"},
      {Metric::kCarbon, "carbon", "t", false, "CO2 equivalent of the run, making of the machines included"},
      {Metric::kMfu, "mfu", "1", true, "model FLOPs (causal) over dense BF16 peak"},
      {Metric::kMemory, "memory", "B", false, "peak of the fullest GPU"},
      {Metric::kHeadroom, "headroom", "B", true, "memory left on the fullest GPU"},
      {Metric::kPower, "power", "W", false, "mean of all nodes, without the building"},
      {Metric::kGpus, "gpus", "GPUs", false, "used"}};
  return kAll;
}

const MetricInfo& info_of(Metric metric) {
  return metrics()[static_cast<std::size_t>(metric)];
}

Metric parse_metric(std::string_view name, const std::string& place) {
  std::vector<std::string> known;
  for (const MetricInfo& m : metrics()) {
    if (name == m.name) return m.metric;
    known.emplace_back(m.name);
  }
  if (name == "time" || name == "step-time") return Metric::kStep;
  if (name == "cost") return Metric::kUsd;
  throw InputError(
      place, fmt::format("found '{}', expected one of {}{}", name, join(known), did_you_mean(name, known)));
}

Meter::Meter(const Scenario& scenario, std::string place, const std::optional<RunScale>& scale)
    : scenario_(scenario), place_(std::move(place)), scale_(scale ? *scale : run_scale(scenario)) {
  const Training& t = scenario.training;
  const auto tokens = static_cast<double>(t.global_batch_size * t.sequence_length);
  model_flops_per_step_ = model_flops_per_token(scenario.model, t.sequence_length, true).value * tokens;
}

void Meter::demand(Metric metric) const {
  const auto lacks = [&](const char* key, const char* how) {
    throw InputError(place_, fmt::format("'{}' needs {}: give it in the scenario or with {}",
                                         info_of(metric).name, key, how));
  };
  const bool run = metric == Metric::kDays || metric == Metric::kUsd || metric == Metric::kEnergy ||
                   metric == Metric::kCarbon;
  if (run && scenario_.training.tokens <= 0) lacks("training.tokens", "--tokens 15T");
  if (metric == Metric::kUsd && !scenario_.economics.usd_per_gpu_hour)
    lacks("economics.usd_per_gpu_hour", "--set economics.usd_per_gpu_hour=2");
  if (run && scale_.useful < kLeastGoodput)
    throw InputError(place_, fmt::format("'{}' of a run that fails more often than it saves its state, so it "
                                         "never ends: see reliability of the scenario",
                                         info_of(metric).name));
  if ((metric == Metric::kEnergy || metric == Metric::kCarbon) && !scenario_.economics.pue)
    lacks("economics.pue", "--set economics.pue=1.2");
  if (metric == Metric::kCarbon && !scale_.carbon_t)
    lacks("economics.grid and a GPU of the price list", "--set economics.grid=CN");
  if (metric == Metric::kMfu && !scenario_.cluster.gpu.peak_flops_per_s.contains("bf16"))
    throw InputError(place_, "'mfu' needs the GPU's dense BF16 peak, which its profile lacks");
}

double Meter::value(Metric metric, const Figures& f) const {
  const auto gpus = static_cast<double>(scenario_.gpus);
  const auto of = [&](const std::optional<RunScale::Linear>& l) {
    return l ? l->of(f.step_s, f.energy_j) : 0;
  };
  switch (metric) {
    case Metric::kStep: return f.step_s;
    case Metric::kDays: return scale_.days_per_s * f.step_s;
    case Metric::kUsd: return scale_.rent_usd_per_s.value_or(0) * f.step_s;
    case Metric::kEnergy: return of(scale_.energy_mwh);
    case Metric::kCarbon: return of(scale_.carbon_t);
    case Metric::kMfu: {
      const auto peak = scenario_.cluster.gpu.peak_flops_per_s.find("bf16");
      return peak == scenario_.cluster.gpu.peak_flops_per_s.end()
                 ? 0
                 : model_flops_per_step_ / f.step_s / gpus / peak->second.value;
    }
    case Metric::kMemory: return f.memory_bytes;
    case Metric::kHeadroom: return scenario_.cluster.gpu.memory_bytes.value - f.memory_bytes;
    case Metric::kPower: return f.energy_j / f.step_s;
    case Metric::kGpus: return gpus;
  }
  return 0;
}

double Objective::value(const Level& level, const Meter& meter, const Figures& figures) {
  double sum = 0;
  for (const Term& term : level.terms) {
    const double sign = info_of(term.metric).more_is_better ? -1 : 1;
    sum += sign * term.weight * meter.value(term.metric, figures);
  }
  return sum;
}

Objective parse_objective(std::string_view text, const std::string& place) {
  Objective objective;
  objective.text = trimmed(text);
  std::string_view rest = text;
  while (true) {
    const std::size_t comma = rest.find(',');
    std::string part = trimmed(rest.substr(0, comma));
    Objective::Level level;
    const std::size_t colon = part.find(':');
    if (colon != std::string::npos) {
      std::string tolerance = part.substr(colon + 1);
      const bool percent = tolerance.ends_with('%');
      if (percent) tolerance.pop_back();
      level.tolerance = parse_count(tolerance, place) / (percent ? 100 : 1);
      if (level.tolerance < 0 || level.tolerance > 10)
        throw InputError(
            place, fmt::format("found the tolerance '{}', expected 0 to 1000%", part.substr(colon + 1)));
      part.resize(colon);
    }
    std::string_view terms = part;
    while (true) {
      const std::size_t plus = terms.find('+');
      const std::string term = trimmed(terms.substr(0, plus));
      const std::size_t star = term.find('*');
      Objective::Term t;
      if (star != std::string::npos) {
        t.weight = parse_count(trimmed(std::string_view(term).substr(0, star)), place);
        if (!(t.weight >= 0) || !std::isfinite(t.weight))
          throw InputError(place, fmt::format("found the weight in '{}', expected a number from 0", term));
      }
      t.metric = parse_metric(trimmed(star == std::string::npos ? term : term.substr(star + 1)), place);
      if (t.metric == Metric::kPower)
        throw InputError(place,
                         "'power' is no objective, since the slowest layout needs least: use --constraint "
                         "power<=20MW or the objective energy");
      level.terms.push_back(t);
      if (plus == std::string_view::npos) break;
      terms.remove_prefix(plus + 1);
    }
    objective.levels.push_back(std::move(level));
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  return objective;
}

bool Constraint::broken_by_bound(const Meter& meter, const Figures& least) const {
  // Power is not monotone in time, and a lower limit is broken by the true value only: no bound helps. The
  // most MFU and the most head-room come with the least figures.
  if (metric == Metric::kPower || metric == Metric::kGpus) return false;
  if (info_of(metric).more_is_better == at_most) return false;
  return !holds(meter.value(metric, least));
}

std::optional<Constraint> parse_constraint(std::string_view text, const std::string& place) {
  const std::size_t at = text.find_first_of("<>=!");
  if (at == std::string_view::npos || at == 0)
    throw InputError(place,
                     fmt::format("found '{}', expected NAME<=VALUE or NAME>=VALUE, such as days<=60", text));
  const std::string name = trimmed(text.substr(0, at));
  std::vector<std::string> known;
  bool metric = name == "time" || name == "step-time" || name == "cost";
  for (const MetricInfo& m : metrics()) metric = metric || name == m.name;
  if (!metric) return std::nullopt;
  const std::size_t length = at + 1 < text.size() && text[at + 1] == '=' ? 2 : 1;
  const std::string op(text.substr(at, length));
  if (op != "<=" && op != ">=" && op != "<" && op != ">")
    throw InputError(place, fmt::format("found '{}', expected <= or >= for {}", text, name));
  Constraint c;
  c.metric = parse_metric(name, place);
  c.at_most = op[0] == '<';
  c.limit = parse_limit(c.metric, trimmed(text.substr(at + length)), place);
  c.text = trimmed(text);
  return c;
}

void check_contradictions(const std::vector<Constraint>& constraints, const Meter& meter,
                          const std::string& place) {
  // Limits on the step's time, whatever they were written as.
  const auto as_time = [&](const Constraint& c) {
    const double per_second = meter.value(c.metric, {.step_s = 1});
    return c.metric == Metric::kMfu ? per_second / c.limit : c.limit / per_second;
  };
  const auto upper = [&](const Constraint& c) { return (c.metric == Metric::kMfu) != c.at_most; };
  for (const Constraint& a : constraints) {
    for (const Constraint& b : constraints) {
      bool clash = false;
      if (says_time(a.metric) && says_time(b.metric)) {
        clash = upper(a) && !upper(b) && as_time(a) < as_time(b);
      } else if (a.metric == b.metric) {
        clash = a.at_most && !b.at_most && a.limit < b.limit;
      } else if (a.metric == Metric::kMemory && b.metric == Metric::kHeadroom) {
        const double capacity = meter.value(Metric::kHeadroom, Figures{});
        clash = (a.at_most && b.at_most && capacity - b.limit > a.limit) ||
                (!a.at_most && !b.at_most && capacity - b.limit < a.limit);
      }
      if (clash)
        throw InputError(
            place, fmt::format("'{}' and '{}' cannot both hold, whatever the layout; leave one out", a.text,
                               b.text));
    }
  }
}

}  // namespace orrery
