#include "planner/sweep/sweep_points.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "sim/base/fields.hpp"

namespace orrery {
namespace {

constexpr std::uint64_t kMostItems = 10'000'000;

/// splitmix64 (Steele, Lea, Flood 2014, doi 10.1145/2660193.2660195): one step of its output function.
std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

std::uint64_t draw(std::uint64_t seed, std::uint64_t item, std::uint64_t axis) {
  return mixed(mixed(mixed(seed) ^ item) ^ (axis << 32U));
}

/// Evenly in [0, 1).
double unit(std::uint64_t bits) {
  return static_cast<double>(bits >> 11U) * 0x1p-53;
}

/// Evenly in 0 .. size - 1, for sizes far below 2^53.
std::uint64_t below(std::uint64_t bits, std::uint64_t size) {
  return std::min(size - 1, static_cast<std::uint64_t>(unit(bits) * static_cast<double>(size)));
}

}  // namespace

SweepPoints::SweepPoints(const SweepSpec& spec) : spec_(spec) {
  const bool endless = std::any_of(spec.axes.begin(), spec.axes.end(),
                                   [](const SweepAxis& a) { return a.interval.has_value(); });
  grid_ = endless ? 0 : 1;
  const std::uint64_t limit = spec.sample ? std::uint64_t{1} << 50U : kMostItems;
  for (const SweepAxis& axis : spec.axes) {
    if (endless) break;
    if (axis.points.size() > limit / grid_)
      throw InputError(spec.place, fmt::format("has more than {} items; shorten the axes{}", limit,
                                               spec.sample ? "" : " or take a \"sample\""));
    grid_ *= axis.points.size();
  }
  count_ = spec.sample ? spec.sample->count : grid_;
  if (count_ > kMostItems)
    throw InputError(spec.place + "#/sample/count",
                     fmt::format("found {}, expected at most {}", count_, kMostItems));
  if (!spec.sample || endless) return;
  if (count_ > grid_)
    throw InputError(
        spec.place + "#/sample/count",
        fmt::format("found {}, but the grid has {} items; leave sample out for all of them", count_, grid_));
  std::unordered_set<std::uint64_t> taken;
  for (std::uint64_t i = 0; chosen_.size() < count_; ++i) {
    const std::uint64_t item = below(draw(spec.sample->seed, i, 0), grid_);
    if (taken.insert(item).second) chosen_.push_back(item);
  }
}

std::vector<std::string> SweepPoints::drawn(std::uint64_t item, std::size_t axis) const {
  const SweepAxis& a = spec_.axes[axis];
  const std::uint64_t bits = draw(spec_.sample->seed, item, axis);
  if (!a.interval) return a.points[below(bits, a.points.size())];
  const SweepInterval& in = *a.interval;
  const double u = unit(bits);
  const double value = in.logarithmic
                           ? std::exp(std::log(in.low) + u * (std::log(in.high) - std::log(in.low)))
                           : in.low + u * (in.high - in.low);
  return {fmt::format("{:.6g}", std::clamp(value, in.low, in.high))};
}

std::vector<Override> SweepPoints::overrides(std::uint64_t item) const {
  std::vector<Override> out = spec_.base_overrides;
  std::uint64_t rest = chosen_.empty() ? item : chosen_[item];
  std::vector<Override> own;
  for (std::size_t i = spec_.axes.size(); i-- > 0;) {
    const SweepAxis& axis = spec_.axes[i];
    std::vector<std::string> values;
    if (grid_ == 0) {
      values = drawn(item, i);
    } else {
      values = axis.points[rest % axis.points.size()];
      rest /= axis.points.size();
    }
    for (std::size_t k = axis.keys.size(); k-- > 0;)
      own.push_back({.key = axis.keys[k], .value = values[k], .place = axis.place});
  }
  out.insert(out.end(), own.rbegin(), own.rend());
  return out;
}

}  // namespace orrery
