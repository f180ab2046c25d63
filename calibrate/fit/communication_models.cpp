#include <algorithm>
#include <cmath>
#include <set>

#include "calibrate/fit/kernel_models.hpp"

namespace orrery {
namespace {

enum Parameter : std::size_t {
  kLatency,
  kRate,
  kOverlap,
  kSwitch,
  kLargeLatency,
  kLargeRate,
  kLargeOverlap,
  kParameters
};

/// Least factor between the rate at the largest messages of the first protocol's start and the last one's.
constexpr double kSlowerSmall = 0.5;

/// Message that no collective has: one protocol serves all.
constexpr double kNever = 1e18;

double seconds_of(const Observation& o) {
  return o.seconds;
}

std::vector<double> sizes_of(std::span<const Observation> points) {
  std::set<double> sizes;
  for (const Observation& o : points) sizes.insert(o.bytes);
  return {sizes.begin(), sizes.end()};
}

}  // namespace

std::vector<CollectiveProtocol> collective_protocols(std::span<const double> v) {
  std::vector<CollectiveProtocol> out{
      {.latency_s = v[kLatency], .bytes_per_s = v[kRate], .overlap = v[kOverlap]}};
  if (v.size() == kParameters && v[kSwitch] < kNever)
    out.push_back({.from_bytes = v[kSwitch],
                   .latency_s = v[kLargeLatency],
                   .bytes_per_s = v[kLargeRate],
                   .overlap = v[kLargeOverlap]});
  return out;
}

FitModel collective_model(std::span<const Observation> points) {
  double fastest = 0, shortest = 1;
  for (const Observation& o : points) {
    fastest = std::max(fastest, o.bytes / o.seconds);
    shortest = std::min(shortest, o.seconds);
  }
  const std::vector<double> sizes = sizes_of(points);
  FitModel model{.name = "collective"};
  model.parameters = {
      {"latency_s", "s", shortest, 1e-7, 1e-2},
      {"bytes_per_s", "B/s", fastest, 0.02 * fastest, 2 * fastest},
      {"overlap", "", 1, 0.4, 6},
  };
  model.measured = seconds_of;
  model.predict = [](std::span<const double> v, const Observation& x) {
    return collective_seconds(collective_protocols(v), x.bytes);
  };
  if (sizes.size() < 2 * kParameters) return model;
  model.parameters.insert(model.parameters.end(),
                          {{"switch_bytes", "B", kNever, sizes.front(), kNever},
                           {"large_latency_s", "s", 2 * shortest, 1e-7, 1e-2},
                           {"large_bytes_per_s", "B/s", fastest, 0.3 * fastest, 2 * fastest},
                           {"large_overlap", "", 1, 0.4, 6}});
  // At least three sizes on either side, as many as a protocol has parameters.
  for (std::size_t i = 3; i + 3 <= sizes.size(); ++i) {
    std::vector<double> start{
        shortest, kSlowerSmall * fastest, 1, std::sqrt(sizes[i - 1] * sizes[i]), 2 * shortest, fastest, 1};
    model.places.push_back(std::move(start));
  }
  return model;
}

FitModel exchange_model(double largest_rate) {
  FitModel model{.name = "exchange"};
  model.parameters = {
      {"latency_s", "s", 2e-5, 1e-7, 1e-2},
      {"row_s", "s/B", 1e-9, 1e-12, 1e-7},
      {"bytes_per_s", "B/s", largest_rate, 0.3 * largest_rate, 3 * largest_rate},
      {"sm_bytes_per_s", "B/s", largest_rate / 16, largest_rate / 200, largest_rate},
      {"overlap", "", 1.5, 0.5, 12},
      {"sm_overlap", "", 4, 0.6, 12},
      {"own_rows", "", 1, 1e-3, 30},
      {"row_bytes", "B", 500, 1, 1e5},
  };
  model.measured = seconds_of;
  model.predict = [](std::span<const double> v, const Observation& x) {
    return exchange_seconds(
        exchange_curve(v),
        {.tokens = x.tokens, .row_bytes = x.row_bytes, .targets = x.targets, .sms = x.sms});
  };
  return model;
}

ExchangeCurve exchange_curve(std::span<const double> v) {
  ExchangeCurve c;
  c.latency_s = v[0];
  c.row_s = v[1];
  c.bytes_per_s = v[2];
  c.sm_bytes_per_s = v[3];
  c.overlap = v[4];
  c.sm_overlap = v[5];
  c.own_rows = v[6];
  c.row_bytes = v[7];
  return c;
}

}  // namespace orrery
