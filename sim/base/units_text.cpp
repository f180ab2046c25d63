#include "sim/base/units_text.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <span>
#include <utility>

#include "sim/base/check.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {
namespace {

struct Unit {
  std::string_view name;
  double scale;
};

struct Split {
  double number;
  std::string_view unit;
};

Split split_number(std::string_view text, const std::string& place, std::string_view expected) {
  std::size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) begin = text.size();
  const char* first = text.data() + begin;
  const char* last = text.data() + text.size();
  double number = 0;
  const auto [rest, error] = std::from_chars(first, last, number);
  if (error != std::errc{} || !std::isfinite(number)) {
    throw InputError(place,
                     fmt::format("found '{}', expected a number with a unit such as {}", text, expected));
  }
  std::string_view unit(rest, static_cast<std::size_t>(last - rest));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  while (!unit.empty() && unit.back() == ' ') unit.remove_suffix(1);
  return {number, unit};
}

double finite(double value, std::string_view text, const std::string& place) {
  if (!std::isfinite(value))
    throw InputError(place, fmt::format("found '{}', expected a smaller number", text));
  return value;
}

double prefix_scale(std::string_view prefix) {
  static constexpr std::array<Unit, 12> kPrefixes{{{"", 1.0},
                                                   {"k", 1e3},
                                                   {"K", 1e3},
                                                   {"M", 1e6},
                                                   {"G", 1e9},
                                                   {"T", 1e12},
                                                   {"P", 1e15},
                                                   {"E", 1e18},
                                                   {"Ki", 1024.0},
                                                   {"Mi", 1048576.0},
                                                   {"Gi", 1073741824.0},
                                                   {"Ti", 1099511627776.0}}};
  for (const Unit& p : kPrefixes) {
    if (p.name == prefix) return p.scale;
  }
  return 0;
}

double parse_prefixed(std::string_view text, const std::string& place, std::span<const Unit> bases,
                      std::string_view expected) {
  const Split split = split_number(text, place, expected);
  if (split.unit.empty()) return split.number;
  for (const Unit& base : bases) {
    if (split.unit.size() < base.name.size() || !split.unit.ends_with(base.name)) continue;
    const double scale = prefix_scale(split.unit.substr(0, split.unit.size() - base.name.size()));
    if (scale != 0) return finite(split.number * scale * base.scale, text, place);
  }
  throw InputError(
      place, fmt::format("found unit '{}' in '{}', expected a unit such as {}", split.unit, text, expected));
}

std::string scaled(double value, std::string_view unit) {
  static constexpr std::array<Unit, 6> kUp{
      {{"", 1.0}, {"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}, {"P", 1e15}}};
  const double magnitude = std::abs(value);
  const Unit* best = &kUp[0];
  for (const Unit& p : kUp) {
    if (magnitude >= p.scale * 0.99995) best = &p;
  }
  return fmt::format("{:.4g} {}{}", value / best->scale, best->name, unit);
}

}  // namespace

Bytes parse_bytes(std::string_view text, const std::string& place) {
  static constexpr std::array<Unit, 3> kUnits{{{"bit", 0.125}, {"B", 1.0}, {"b", 0.125}}};
  return Bytes{parse_prefixed(text, place, kUnits, "80GB, 80GiB")};
}

BytesPerSecond parse_bytes_per_second(std::string_view text, const std::string& place) {
  static constexpr std::array<Unit, 5> kUnits{
      {{"bit/s", 0.125}, {"bps", 0.125}, {"b/s", 0.125}, {"B/s", 1.0}, {"Bps", 1.0}}};
  return BytesPerSecond{parse_prefixed(text, place, kUnits, "400Gbit/s, 50GB/s")};
}

Seconds parse_seconds(std::string_view text, const std::string& place) {
  const Split split = split_number(text, place, "10us, 3.2ms, 60d");
  static constexpr std::array<Unit, 11> kUnits{{{"", 1},
                                                {"s", 1},
                                                {"ms", 1e-3},
                                                {"us", 1e-6},
                                                {"ns", 1e-9},
                                                {"ps", 1e-12},
                                                {"min", 60},
                                                {"h", 3600},
                                                {"d", 86400},
                                                {"w", 604800},
                                                {"y", 31557600}}};
  for (const Unit& unit : kUnits) {
    if (unit.name == split.unit) return Seconds{finite(split.number * unit.scale, text, place)};
  }
  throw InputError(place, fmt::format("found unit '{}' in '{}', expected one of s ms us ns ps min h d w y",
                                      split.unit, text));
}

FlopsPerSecond parse_flops_per_second(std::string_view text, const std::string& place) {
  static constexpr std::array<Unit, 3> kUnits{{{"FLOPS", 1.0}, {"FLOP/s", 1.0}, {"flops", 1.0}}};
  return FlopsPerSecond{parse_prefixed(text, place, kUnits, "990TFLOPS")};
}

Watts parse_watts(std::string_view text, const std::string& place) {
  static constexpr std::array<Unit, 1> kUnits{{{"W", 1.0}}};
  return Watts{parse_prefixed(text, place, kUnits, "700W, 10.2kW")};
}

double parse_count(std::string_view text, const std::string& place) {
  const Split split = split_number(text, place, "2048, 14.8T, 1e12");
  static constexpr std::array<Unit, 7> kUnits{
      {{"", 1}, {"k", 1e3}, {"K", 1e3}, {"M", 1e6}, {"G", 1e9}, {"B", 1e9}, {"T", 1e12}}};
  for (const Unit& unit : kUnits) {
    if (unit.name == split.unit) return finite(split.number * unit.scale, text, place);
  }
  throw InputError(place,
                   fmt::format("found suffix '{}' in '{}', expected one of k M G B T", split.unit, text));
}

std::string to_text(Bytes value) {
  return scaled(value.value, "B");
}
std::string to_text(BytesPerSecond value) {
  return scaled(value.value, "B/s");
}
std::string to_text(FlopsPerSecond value) {
  return scaled(value.value, "FLOP/s");
}
std::string to_text(Watts value) {
  return scaled(value.value, "W");
}

std::string to_text(Seconds value) {
  const double t = std::abs(value.value);
  if (t == 0) return "0 s";
  if (t < 0.99995e-6) return fmt::format("{:.4g} ns", value.value * 1e9);
  if (t < 0.99995e-3) return fmt::format("{:.4g} us", value.value * 1e6);
  if (t < 0.99995) return fmt::format("{:.4g} ms", value.value * 1e3);
  if (t < 600) return fmt::format("{:.4g} s", value.value);
  if (t < 2 * 3600) return fmt::format("{:.4g} min", value.value / 60);
  if (t < 2 * 86400) return fmt::format("{:.4g} h", value.value / 3600);
  return fmt::format("{:.4g} d", value.value / 86400);
}

std::string count_text(double value) {
  std::string text = scaled(value, "");
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace orrery
