#include "planner/uncertainty.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "sim/base/work_control.hpp"

namespace orrery {
namespace {

class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t seed) : state_(seed) {}
  /// In (0, 1).
  double next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    z ^= z >> 31;
    return (static_cast<double>(z >> 11) + 0.5) / 9007199254740992.0;
  }

 private:
  std::uint64_t state_;
};

/// P. J. Acklam's rational approximation, relative error below 1.2e-9.
double normal_quantile(double p) {
  static constexpr std::array<double, 6> a{-3.969683028665376e+01, 2.209460984245205e+02,
                                           -2.759285104469687e+02, 1.383577518672690e+02,
                                           -3.066479806614716e+01, 2.506628277459239e+00};
  static constexpr std::array<double, 5> b{-5.447609879822406e+01, 1.615858368580409e+02,
                                           -1.556989798598866e+02, 6.680131188771972e+01,
                                           -1.328068155288572e+01};
  static constexpr std::array<double, 6> c{-7.784894002430293e-03, -3.223964580411365e-01,
                                           -2.400758277161838e+00, -2.549732539343734e+00,
                                           4.374664141464968e+00,  2.938163982698783e+00};
  static constexpr std::array<double, 4> d{7.784695709041462e-03, 3.224671290700398e-01,
                                           2.445134137142996e+00, 3.754408661907416e+00};
  constexpr double kTail = 0.02425;
  if (p > 1.0 - kTail) return -normal_quantile(1.0 - p);
  if (p < kTail) {
    const double q = std::sqrt(-2.0 * std::log(p));
    return (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
           ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1.0);
  }
  const double q = p - 0.5;
  const double r = q * q;
  return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
         (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1.0);
}

double triangle_quantile(const Ranged& r, double u) {
  const double width = r.high - r.low;
  if (width <= 0) return r.value;
  const double below = (r.value - r.low) / width;
  if (u < below) return r.low + std::sqrt(u * width * (r.value - r.low));
  return r.high - std::sqrt((1.0 - u) * width * (r.high - r.value));
}

double split_lognormal_quantile(const Ranged& r, double u) {
  constexpr double kNinetieth = 1.2815515655446004;  // normal quantile of 0.9
  constexpr double kCut = 2.5;
  const double z = std::clamp(normal_quantile(u), -kCut, kCut);
  const double end = z < 0 ? r.value / r.low : r.high / r.value;
  return r.value * std::exp(z / kNinetieth * std::log(end));
}

bool is_step_error(const RunInput& input) {
  return input.member == &RunInputs::step_error;
}

double at(const RunQuestion& q, const RunInput& input, double value, Outcome outcome) {
  RunInputs values = q.values;
  values.*input.member = value;
  return outcome_of(training_run(q, values), outcome).value_or(0);
}

double percentile(const std::vector<double>& sorted, double p) {
  const double place = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - static_cast<double>(below));
}

/// Every input at the end that makes the outcome smaller (larger).
std::array<double, 2> extremes(const RunQuestion& q, Outcome outcome) {
  RunInputs small = q.values;
  RunInputs large = q.values;
  for (const RunInput& input : q.ranges) {
    const bool grows = at(q, input, input.range.high, outcome) >= at(q, input, input.range.low, outcome);
    small.*input.member = grows ? input.range.low : input.range.high;
    large.*input.member = grows ? input.range.high : input.range.low;
  }
  return {outcome_of(training_run(q, small), outcome).value_or(0),
          outcome_of(training_run(q, large), outcome).value_or(0)};
}

}  // namespace

const char* to_text(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDays: return "days";
    case Outcome::kGpuHours: return "gpu_hours";
    case Outcome::kRentUsd: return "rent_usd";
    case Outcome::kOwnedUsd: return "owned_usd";
    case Outcome::kEnergyKwh: return "energy_kwh";
    case Outcome::kCo2Tonnes: return "co2e_t";
  }
  return "unknown";
}

std::optional<double> outcome_of(const TrainingRun& run, Outcome outcome) {
  switch (outcome) {
    case Outcome::kDays: return run.days;
    case Outcome::kGpuHours: return run.gpu_hours;
    case Outcome::kRentUsd: return run.rent_usd;
    case Outcome::kOwnedUsd: return run.owned ? std::optional(run.owned->total()) : std::nullopt;
    case Outcome::kEnergyKwh: return run.energy ? std::optional(run.energy->total()) : std::nullopt;
    case Outcome::kCo2Tonnes: return run.carbon ? std::optional(run.carbon->total_t()) : std::nullopt;
  }
  return std::nullopt;
}

std::vector<TornadoBar> tornado(const RunQuestion& q, const std::vector<StepInput>& step_inputs,
                                Outcome outcome, std::size_t most) {
  std::vector<TornadoBar> bars;
  for (const RunInput& input : q.ranges) {
    bars.push_back({.key = input.key,
                    .what = input.what,
                    .unit = input.unit,
                    .source = input.range.source,
                    .kind = input.stated ? "given" : to_text(input.range.origin),
                    .low = input.range.low,
                    .value = q.values.*input.member,
                    .high = input.range.high,
                    .outcome_at_low = at(q, input, input.range.low, outcome),
                    .outcome_at_high = at(q, input, input.range.high, outcome)});
  }
  for (const StepInput& input : step_inputs) {
    RunInputs low = q.values;
    RunInputs high = q.values;
    low.step_s *= input.step_ratio_at_low;
    high.step_s *= input.step_ratio_at_high;
    bars.push_back({.key = input.key,
                    .what = input.what,
                    .unit = input.unit,
                    .source = input.source,
                    .kind = input.kind,
                    .low = input.low,
                    .value = input.value,
                    .high = input.high,
                    .outcome_at_low = outcome_of(training_run(q, low), outcome).value_or(0),
                    .outcome_at_high = outcome_of(training_run(q, high), outcome).value_or(0),
                    .simulated = true});
  }
  std::erase_if(bars, [](const TornadoBar& b) { return b.swing() <= 0; });
  std::sort(bars.begin(), bars.end(), [](const TornadoBar& a, const TornadoBar& b) {
    return a.swing() != b.swing() ? a.swing() > b.swing() : a.key < b.key;
  });
  if (bars.size() > most) bars.resize(most);
  return bars;
}

std::vector<OutcomeRange> outcome_ranges(const RunQuestion& q, Sampling sampling) {
  const TrainingRun central = training_run(q);
  std::array<std::vector<double>, kOutcomes> drawn;
  SplitMix64 random(sampling.seed);
  for (int i = 0; i < sampling.samples; ++i) {
    check_control();
    RunInputs values = q.values;
    for (const RunInput& input : q.ranges) {
      const double u = random.next();
      values.*input.member =
          is_step_error(input) ? split_lognormal_quantile(input.range, u) : triangle_quantile(input.range, u);
    }
    const TrainingRun run = training_run(q, values);
    for (int o = 0; o < kOutcomes; ++o) {
      if (const auto value = outcome_of(run, static_cast<Outcome>(o)))
        drawn[static_cast<std::size_t>(o)].push_back(*value);
    }
  }
  std::vector<OutcomeRange> out;
  for (int o = 0; o < kOutcomes; ++o) {
    std::vector<double>& values = drawn[static_cast<std::size_t>(o)];
    if (values.empty()) continue;
    std::sort(values.begin(), values.end());
    const auto outcome = static_cast<Outcome>(o);
    const auto [low, high] = extremes(q, outcome);
    const double at_centre = outcome_of(central, outcome).value_or(0);
    out.push_back({.outcome = outcome,
                   .low = low,
                   .central = at_centre,
                   .high = high,
                   .p10 = percentile(values, 0.1),
                   .p50 = percentile(values, 0.5),
                   .p90 = percentile(values, 0.9),
                   .p05 = percentile(values, 0.05),
                   .p25 = percentile(values, 0.25),
                   .p75 = percentile(values, 0.75),
                   .p95 = percentile(values, 0.95),
                   .above = static_cast<double>(values.end() -
                                                std::upper_bound(values.begin(), values.end(), at_centre)) /
                            static_cast<double>(values.size())});
  }
  return out;
}

std::optional<double> break_even_usd_per_gpu_hour(const TrainingRun& run) {
  if (!run.owned || run.gpu_hours <= 0) return std::nullopt;
  return run.owned->total() / run.gpu_hours;
}

std::optional<double> break_even_utilisation(const TrainingRun& run, double utilisation) {
  if (!run.owned || !run.rent_usd) return std::nullopt;
  const OwnedCost& c = *run.owned;
  const double left = *run.rent_usd - c.power - c.cooling - c.space;
  if (left <= 0) return std::nullopt;
  return (c.servers + c.network + c.other) * utilisation / left;
}

}  // namespace orrery
