#include "calibrate/probe/cuda/codecs.cuh"

#include <gtest/gtest.h>

#include <cmath>

namespace orrery {
namespace {

/// Value of an 8-bit code by the definition of the format, in double.
double by_definition(int code, int mantissa_bits, int bias) {
  const int exponent = (code & 0x7f) >> mantissa_bits, fraction = code & ((1 << mantissa_bits) - 1);
  const double size = exponent == 0
                          ? std::ldexp(fraction, 1 - bias - mantissa_bits)
                          : std::ldexp(fraction + (1 << mantissa_bits), exponent - bias - mantissa_bits);
  return (code & 0x80) != 0 ? -size : size;
}

TEST(Codecs, ValuesThatTheSpecificationNames) {
  EXPECT_EQ(from_e4m3(0x7e), 448);
  EXPECT_EQ(from_e4m3(0x08), 0.015625F);     // smallest normal, 2^-6
  EXPECT_EQ(from_e4m3(0x01), 0.001953125F);  // smallest subnormal, 2^-9
  EXPECT_TRUE(std::isnan(from_e4m3(0x7f)));
  EXPECT_EQ(from_e5m2(0x7b), 57344);
  EXPECT_EQ(from_e5m2(0x01), std::ldexp(1.0F, -16));
  EXPECT_TRUE(std::isinf(from_e5m2(0x7c)));
  EXPECT_TRUE(std::isnan(from_e5m2(0x7d)));
  EXPECT_EQ(from_ue8m0(127), 1);
  EXPECT_EQ(from_ue8m0(0), std::ldexp(1.0F, -127));
  EXPECT_TRUE(std::isnan(from_ue8m0(255)));
}

TEST(Codecs, EveryCodeDecodesByTheDefinitionAndComesBack) {
  for (int code = 0; code < 256; ++code) {
    const auto byte = static_cast<std::uint8_t>(code);
    if ((code & 0x7f) < 0x7f) {
      EXPECT_EQ(from_e4m3(byte), by_definition(code, 3, 7)) << code;
      EXPECT_EQ(to_e4m3(from_e4m3(byte)), byte) << code;
    }
    if ((code & 0x7f) < 0x7c) {
      EXPECT_EQ(from_e5m2(byte), by_definition(code, 2, 15)) << code;
      EXPECT_EQ(to_e5m2(from_e5m2(byte)), byte) << code;
    }
    if (code < 255) {
      EXPECT_EQ(to_ue8m0(from_ue8m0(byte)), byte) << code;
    }
  }
}

TEST(Codecs, RoundingGoesToTheNearestAndTiesToEven) {
  // All neighbours of E4M3 up to 448: a tie goes to the even code, just above and below to the nearer one.
  for (int code = 0; code < 0x7e; ++code) {
    const float low = from_e4m3(static_cast<std::uint8_t>(code)),
                high = from_e4m3(static_cast<std::uint8_t>(code + 1));
    const float middle = (low + high) / 2;
    EXPECT_EQ(to_e4m3(middle), code % 2 == 0 ? code : code + 1) << code;
    EXPECT_EQ(to_e4m3(std::nextafter(middle, 0.0F)), code) << code;
    EXPECT_EQ(to_e4m3(std::nextafter(middle, 1e9F)), code + 1) << code;
    EXPECT_EQ(to_e4m3(-middle), (code % 2 == 0 ? code : code + 1) | 0x80) << code;
  }
  for (int code = 0; code < 0x7b; ++code) {
    const float low = from_e5m2(static_cast<std::uint8_t>(code)),
                high = from_e5m2(static_cast<std::uint8_t>(code + 1));
    EXPECT_EQ(to_e5m2((low + high) / 2), code % 2 == 0 ? code : code + 1) << code;
  }
}

TEST(Codecs, OutOfRangeSaturatesAndNanStaysNan) {
  EXPECT_EQ(to_e4m3(1e30F), 0x7e);
  EXPECT_EQ(to_e4m3(-1e30F), 0xfe);
  EXPECT_EQ(to_e4m3(INFINITY), 0x7e);
  EXPECT_EQ(to_e5m2(1e30F), 0x7b);
  EXPECT_EQ(to_e4m3(1e-30F), 0);
  EXPECT_EQ(to_e4m3(NAN) & 0x7f, 0x7f);
  EXPECT_TRUE(std::isnan(from_bf16(to_bf16(NAN))));
}

TEST(Codecs, Bf16RoundsToNearestEven) {
  EXPECT_EQ(to_bf16(1.0F), 0x3f80);
  EXPECT_EQ(to_bf16(1.0F + 0x1p-8F), 0x3f80);            // tie to even
  EXPECT_EQ(to_bf16(1.0F + 0x1p-7F + 0x1p-8F), 0x3f82);  // tie to even, upwards
  EXPECT_EQ(to_bf16(1.0F + 0x1p-8F + 0x1p-20F), 0x3f81);
  EXPECT_EQ(pack_bf16(1.0F, -2.0F), 0xc0003f80U);
}

TEST(Codecs, Ue8m0RoundsUpSoThatNothingOverflows) {
  EXPECT_EQ(from_ue8m0(to_ue8m0(1.0001F)), 2);
  EXPECT_EQ(from_ue8m0(to_ue8m0(0.75F)), 1);
  EXPECT_EQ(from_ue8m0(to_ue8m0(0.5F)), 0.5F);
}

TEST(Codecs, RandomOperandsHaveMeanZeroAndVarianceOne) {
  // 100000 values: the standard error of the mean is 0.003, of the variance about 0.004.
  double sum = 0, squares = 0;
  for (std::uint64_t i = 0; i < 100000; ++i) {
    const double x = random_normal(7, i);
    sum += x;
    squares += x * x;
  }
  EXPECT_NEAR(sum / 1e5, 0, 0.015);
  EXPECT_NEAR(squares / 1e5, 1, 0.02);
  EXPECT_NE(random_normal(7, 1), random_normal(8, 1));
}

}  // namespace
}  // namespace orrery
