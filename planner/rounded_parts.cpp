#include "planner/rounded_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

namespace orrery {
namespace {

double scale_of(int decimals) {
  return std::pow(10.0, decimals);
}

std::string grouped(const std::string& digits) {
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

}  // namespace

int decimals_for(double value, int digits) {
  if (value == 0 || !std::isfinite(value)) return digits - 1;
  return digits - 1 - static_cast<int>(std::floor(std::log10(std::abs(value)) + 1e-12));
}

std::string decimal_text(double value, int decimals) {
  const double unit = scale_of(decimals);
  double shown = std::round(value * unit) / unit;
  if (shown == 0) shown = 0;  // no "-0"
  std::string text = fmt::format("{:.{}f}", std::abs(shown), std::max(0, decimals));
  const std::size_t point = text.find('.');
  const std::string whole = grouped(text.substr(0, point));
  text = point == std::string::npos ? whole : whole + text.substr(point);
  return shown < 0 ? "-" + text : text;
}

std::string significant_text(double value, int digits) {
  return decimal_text(value, decimals_for(value, digits));
}

RoundedParts rounded_parts(std::span<const double> parts, int decimals) {
  RoundedParts out;
  out.decimals = decimals;
  const double unit = scale_of(decimals);
  const double sum = std::accumulate(parts.begin(), parts.end(), 0.0);
  const auto total = static_cast<std::int64_t>(std::round(sum * unit));
  std::vector<std::int64_t> digits;
  std::vector<double> remainders;
  for (const double part : parts) {
    const double down = std::floor(part * unit);
    digits.push_back(static_cast<std::int64_t>(down));
    remainders.push_back(part * unit - down);
  }
  std::vector<std::size_t> order(parts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return remainders[a] > remainders[b]; });
  std::int64_t missing = total - std::accumulate(digits.begin(), digits.end(), std::int64_t{0});
  for (std::size_t i = 0; i < order.size() && missing > 0; ++i, --missing) ++digits[order[i]];
  for (const std::int64_t d : digits) {
    out.parts.push_back(static_cast<double>(d) / unit);
    out.part_texts.push_back(decimal_text(out.parts.back(), decimals));
  }
  out.sum = static_cast<double>(total) / unit;
  out.sum_text = decimal_text(out.sum, decimals);
  return out;
}

}  // namespace orrery
