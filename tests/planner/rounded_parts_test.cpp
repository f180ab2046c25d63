#include "planner/rounded_parts.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <numeric>

namespace orrery {
namespace {

// 0.333.. three times at two decimals: each rounds to 0.33, together 0.99, but the sum shows 1.00: the first
// of the equal remainders gets the missing digit.
TEST(RoundedParts, TheMissingDigitGoesToTheLargestRemainder) {
  const std::vector<double> thirds{1.0 / 3, 1.0 / 3, 1.0 / 3};
  const RoundedParts r = rounded_parts(thirds, 2);
  EXPECT_EQ(r.part_texts, (std::vector<std::string>{"0.34", "0.33", "0.33"}));
  EXPECT_EQ(r.sum_text, "1.00");
}

TEST(RoundedParts, ShownPartsAddUpAndAreOffByLessThanADigit) {
  std::uint64_t state = 7;
  for (int trial = 0; trial < 500; ++trial) {
    std::vector<double> parts;
    for (int i = 0; i < 1 + trial % 12; ++i) {
      state = state * 6364136223846793005ULL + 1442695040888963407ULL;
      parts.push_back(static_cast<double>(state >> 40) / 1e4 - (trial % 5 == 0 ? 300.0 : 0.0));
    }
    for (const int decimals : {-2, 0, 1, 3}) {
      const RoundedParts r = rounded_parts(parts, decimals);
      const double unit = std::pow(10.0, -decimals);
      std::int64_t sum = 0;
      for (std::size_t i = 0; i < parts.size(); ++i) {
        EXPECT_LT(std::abs(r.parts[i] - parts[i]), unit * (1 + 1e-9));
        sum += std::llround(r.parts[i] / unit);
      }
      EXPECT_EQ(sum, std::llround(r.sum / unit));
      const double exact = std::accumulate(parts.begin(), parts.end(), 0.0);
      EXPECT_LE(std::abs(r.sum - exact), unit * 0.5 * (1 + 1e-6));
    }
  }
}

TEST(RoundedParts, NumbersAreWrittenForPeople) {
  EXPECT_EQ(decimal_text(1234567.891, 1), "1,234,567.9");
  EXPECT_EQ(decimal_text(-0.0001, 2), "0.00");
  EXPECT_EQ(decimal_text(-1500, 0), "-1,500");
  EXPECT_EQ(decimal_text(2609, -1), "2,610");
  EXPECT_EQ(significant_text(9.999, 3), "10.00");
  EXPECT_EQ(significant_text(0.000123456), "0.000123");
  EXPECT_EQ(significant_text(53.07), "53.1");
}

}  // namespace
}  // namespace orrery
