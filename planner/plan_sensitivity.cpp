#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <optional>

#include "planner/parallel_for.hpp"
#include "planner/plan.hpp"
#include "sim/chunk_step.hpp"
#include "sim/hw/curve_rates.hpp"
#include "sim/simulate.hpp"

namespace orrery {
namespace {

/// One input of the profile, scaled.
struct Input {
  const char* name;
  void (*scale)(Scenario&, double);
};

Curve scaled(const Curve& curve, double factor) {
  std::vector<std::vector<double>> points = curve.points();
  for (std::vector<double>& point : points) point[1] *= factor;
  return Curve(std::move(points));
}

void scale_scale_out(Scenario& s, double f) {
  s.cluster.scale_out.bytes_per_s.value *= f;
  s.cluster.expert_all_to_all.dispatch_bytes_per_s =
      scaled(s.cluster.expert_all_to_all.dispatch_bytes_per_s, f);
  s.cluster.expert_all_to_all.combine_bytes_per_s =
      scaled(s.cluster.expert_all_to_all.combine_bytes_per_s, f);
}
void scale_scale_up(Scenario& s, double f) {
  s.cluster.scale_up.bytes_per_s.value *= f;
  s.cluster.expert_all_to_all.nvlink_dispatch_bytes_per_s *= f;
  s.cluster.expert_all_to_all.nvlink_combine_bytes_per_s *= f;
}
void scale_curves(Scenario& s, double f, std::initializer_list<CurveForm> forms) {
  for (OperatorCurve& c : s.cluster.gpu.operators) {
    if (std::find(forms.begin(), forms.end(), c.form) != forms.end()) scale_rates(c, f);
  }
}
void scale_gemm(Scenario& s, double f) {
  scale_curves(s, f, {CurveForm::kGemmTile, CurveForm::kGemmKernel});
}
void scale_attention(Scenario& s, double f) {
  scale_curves(s, f, {CurveForm::kSequence, CurveForm::kAttentionKernel});
}
void scale_memory_rate(Scenario& s, double f) {
  scale_curves(s, f, {CurveForm::kBandwidth});
}
void scale_memory_size(Scenario& s, double f) {
  s.cluster.gpu.memory_bytes.value *= f;
}

constexpr std::array kInputs{Input{"bandwidth between nodes", scale_scale_out},
                             Input{"bandwidth inside a node", scale_scale_up},
                             Input{"rate of matrix products", scale_gemm},
                             Input{"rate of attention kernels", scale_attention},
                             Input{"rate of memory-bound kernels", scale_memory_rate},
                             Input{"memory of a GPU", scale_memory_size}};

/// Seconds of a step, at chunk level where that is exact; infinite where it does not fit.
double seconds_of(const Scenario& s) {
  Plan plan;
  Schedule schedule;
  if (!plan_layout(s, plan) || scenario_schedule(s, schedule)) return std::numeric_limits<double>::infinity();
  const bool pairs = overlaps(schedule);
  plan_schedule(s, std::move(schedule), pairs, plan);
  if (plan.verdict) return std::numeric_limits<double>::infinity();
  const ChunkStep chunk = chunk_step(s, plan);
  return chunk.exact ? to_seconds(chunk.time).value : simulate(s).metrics.step_time_s;
}

double scaled_seconds(const Scenario& s, const Input& input, double factor) {
  Scenario other = s;
  input.scale(other, factor);
  return seconds_of(other);
}

constexpr double kFarthest = 4;
constexpr int kStepsOut = 6;

/// The factor nearest to 1 on one side at which the second is faster.
std::optional<double> flip_of(const Scenario& best, const Scenario& second, const Input& input, bool up) {
  const auto wins = [&](double factor) {
    return scaled_seconds(second, input, factor) < scaled_seconds(best, input, factor);
  };
  const double ratio = std::pow(kFarthest, (up ? 1.0 : -1.0) / kStepsOut);
  double same = 1;
  for (int i = 1; i <= kStepsOut; ++i) {
    double other = std::pow(ratio, i);
    if (wins(other)) {
      for (int halving = 0; halving < 7; ++halving) {
        const double middle = std::sqrt(same * other);
        (wins(middle) ? other : same) = middle;
      }
      return other;
    }
    same = other;
  }
  return std::nullopt;
}

/// Pseudo-random numbers that are the same everywhere (splitmix64); normal by the sum of twelve.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : state_(seed) {}
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += static_cast<double>(next() >> 11) * 0x1.0p-53;
    return sum;
  }

 private:
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
};

constexpr int kDraws = 32;
/// Where a profile states no error of a curve or a link.
constexpr double kAssumedError = 0.1;

/// Every operator class and both tiers of the network off by a factor of its own.
void disturb(Scenario& s, std::uint64_t seed) {
  Draws draws(seed);
  for (OperatorCurve& c : s.cluster.gpu.operators) {
    scale_rates(c, std::exp(c.median_error.value_or(kAssumedError) * draws.normal()));
  }
  scale_scale_out(s, std::exp(kAssumedError * draws.normal()));
  scale_scale_up(s, std::exp(kAssumedError * draws.normal()));
}

}  // namespace

std::vector<Flip> find_flips(const Scenario& best, const Scenario& second, std::vector<std::string>& tried) {
  std::vector<Flip> flips;
  for (const Input& input : kInputs) {
    for (const bool up : {false, true}) {
      if (const auto factor = flip_of(best, second, input, up)) flips.push_back({input.name, *factor});
    }
    tried.push_back(fmt::format("{} x {:g} to {:g}", input.name, 1 / kFarthest, kFarthest));
  }
  return flips;
}

Robustness robustness_of(const std::vector<Scenario>& layouts, std::size_t threads) {
  Robustness result{.draws = kDraws};
  std::vector<double> regret(kDraws, 0);
  parallel_for(threads, kDraws, [&](std::size_t, std::size_t draw) {
    double first = 0;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < layouts.size(); ++i) {
      Scenario s = layouts[i];
      disturb(s, draw + 1);
      const double seconds = seconds_of(s);
      if (i == 0) first = seconds;
      least = std::min(least, seconds);
    }
    regret[draw] = first / least - 1;
  });
  for (const double r : regret) {
    if (r <= 0) ++result.best_stays;
    result.worst_regret = std::max(result.worst_regret, r);
  }
  return result;
}

}  // namespace orrery
