#pragma once

#include <cmath>
#include <compare>
#include <cstdint>
#include <limits>

#include "sim/base/check.hpp"
#include "sim/base/units.hpp"

namespace orrery {

/// A point in simulated time, or a span of it, in whole picoseconds: about +-106 days, and rounding stays
/// below 1e-6 of a 1 us kernel. Integers, so that equal times are equal and sums have no order.
struct SimTime {
  std::int64_t ps = 0;

  constexpr auto operator<=>(const SimTime&) const = default;
  constexpr SimTime& operator+=(SimTime other) {
    ps += other.ps;
    return *this;
  }
  friend constexpr SimTime operator+(SimTime a, SimTime b) { return SimTime{a.ps + b.ps}; }
  friend constexpr SimTime operator-(SimTime a, SimTime b) { return SimTime{a.ps - b.ps}; }
};

/// Start and end of a task that never ran; the key of a lane with nothing pending.
inline constexpr SimTime kNever{std::numeric_limits<std::int64_t>::max()};

inline constexpr double kPicosecondsPerSecond = 1e12;

/// Nearest picosecond, halves away from zero. The only place where seconds become picoseconds.
/// NaN and values beyond +-9.2e6 s are broken invariants (SIM_CHECK).
[[nodiscard]] inline SimTime to_sim_time(Seconds seconds) {
  const double ps = seconds.value * kPicosecondsPerSecond;
  SIM_CHECK(!std::isnan(ps), "a time is not a number");
  SIM_CHECK(std::abs(ps) < 9.2e18, "a time does not fit in 64-bit picoseconds");
  return SimTime{std::llround(ps)};
}

[[nodiscard]] constexpr Seconds to_seconds(SimTime time) {
  return Seconds{static_cast<double>(time.ps) / kPicosecondsPerSecond};
}

}  // namespace orrery
