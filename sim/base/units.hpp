#pragma once

#include <compare>
#include <type_traits>

namespace orrery {

/// A double with a dimension. Only the sums and products that make sense compile.
template <class Tag>
struct Quantity {
  double value = 0;

  constexpr Quantity() = default;
  constexpr explicit Quantity(double v) : value(v) {}

  constexpr auto operator<=>(const Quantity&) const = default;
  constexpr Quantity operator-() const { return Quantity{-value}; }
  constexpr Quantity& operator+=(Quantity o) {
    value += o.value;
    return *this;
  }
  constexpr Quantity& operator-=(Quantity o) {
    value -= o.value;
    return *this;
  }
  constexpr Quantity& operator*=(double k) {
    value *= k;
    return *this;
  }
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return Quantity{a.value + b.value}; }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return Quantity{a.value - b.value}; }
  friend constexpr Quantity operator*(Quantity a, double k) { return Quantity{a.value * k}; }
  friend constexpr Quantity operator*(double k, Quantity a) { return Quantity{a.value * k}; }
  friend constexpr Quantity operator/(Quantity a, double k) { return Quantity{a.value / k}; }
  friend constexpr double operator/(Quantity a, Quantity b) { return a.value / b.value; }
};

using Bytes = Quantity<struct BytesTag>;
using Flops = Quantity<struct FlopsTag>;  ///< floating-point operations, a multiply-add counts two
using Seconds = Quantity<struct SecondsTag>;
using BytesPerSecond = Quantity<struct BytesPerSecondTag>;
using FlopsPerSecond = Quantity<struct FlopsPerSecondTag>;
using Watts = Quantity<struct WattsTag>;
using Joules = Quantity<struct JoulesTag>;

constexpr Seconds operator/(Bytes b, BytesPerSecond r) {
  return Seconds{b.value / r.value};
}
constexpr Seconds operator/(Flops f, FlopsPerSecond r) {
  return Seconds{f.value / r.value};
}
constexpr BytesPerSecond operator/(Bytes b, Seconds t) {
  return BytesPerSecond{b.value / t.value};
}
constexpr FlopsPerSecond operator/(Flops f, Seconds t) {
  return FlopsPerSecond{f.value / t.value};
}
constexpr Bytes operator*(BytesPerSecond r, Seconds t) {
  return Bytes{r.value * t.value};
}
constexpr Joules operator*(Watts p, Seconds t) {
  return Joules{p.value * t.value};
}
constexpr Watts operator/(Joules e, Seconds t) {
  return Watts{e.value / t.value};
}

static_assert(!std::is_convertible_v<Bytes, Flops>);
static_assert(!std::is_convertible_v<double, Seconds>);

}  // namespace orrery
