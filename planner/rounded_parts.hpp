#pragma once

#include <span>
#include <string>
#include <vector>

namespace orrery {

/// Parts of a whole as they are shown: rounded so that the shown parts add up to the shown sum to the last
/// digit.
struct RoundedParts {
  int decimals = 0;
  std::vector<double> parts;  ///< multiples of 10^-decimals
  double sum = 0;             ///< likewise; the rounded sum of the exact parts
  std::vector<std::string> part_texts;
  std::string sum_text;
};

/// Largest remainder: every part is rounded down to the last digit, and the digits missing from the rounded
/// sum go to the largest remainders, the first of equals. No part is off by a whole digit or more.
/// `decimals` may be negative (thousands). Errors: none; parts are finite and below 2^53 digits.
[[nodiscard]] RoundedParts rounded_parts(std::span<const double> parts, int decimals);

/// Decimals with which `value` shows `digits` significant digits.
[[nodiscard]] int decimals_for(double value, int digits);

/// `value` with that many decimals, thousands grouped by commas; a negative number of decimals rounds further
/// up. Never "-0".
[[nodiscard]] std::string decimal_text(double value, int decimals);

/// `value` with `digits` significant digits by the two above: "10.0", "0.860", "2,600".
[[nodiscard]] std::string significant_text(double value, int digits = 3);

}  // namespace orrery
