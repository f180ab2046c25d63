#include "sim/base/units_text.hpp"

#include <gtest/gtest.h>

#include <string>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

template <class Parse>
std::string problem_of(Parse parse, const char* text) {
  try {
    (void)parse(text, "--option");
  } catch (const InputError& error) {
    EXPECT_EQ(error.place(), "--option");
    return error.problem();
  }
  return "accepted";
}

void expect_refused(const std::string& problem, const char* text, const char* hint) {
  EXPECT_NE(problem, "accepted") << text;
  EXPECT_NE(problem.find(text), std::string::npos) << problem;
  EXPECT_NE(problem.find(hint), std::string::npos) << problem;
}

TEST(UnitsText, BytesTakeDecimalAndBinaryPrefixes) {
  EXPECT_EQ(parse_bytes("80GB", "").value, 80e9);
  EXPECT_EQ(parse_bytes("80GiB", "").value, 80.0 * 1024 * 1024 * 1024);
  EXPECT_EQ(parse_bytes(" 80 GB ", "").value, 80e9);
  EXPECT_EQ(parse_bytes("1.5KiB", "").value, 1536.0);
  EXPECT_EQ(parse_bytes("64kB", "").value, 64e3);
  EXPECT_EQ(parse_bytes("2TiB", "").value, 2199023255552.0);
  EXPECT_EQ(parse_bytes("8Gbit", "").value, 1e9);
  EXPECT_EQ(parse_bytes("12", "").value, 12.0);
  EXPECT_EQ(parse_bytes("2e3B", "").value, 2000.0);
}

TEST(UnitsText, RatesTellBitsFromBytes) {
  EXPECT_EQ(parse_bytes_per_second("400Gbit/s", "").value, 50e9);
  EXPECT_EQ(parse_bytes_per_second("400 Gb/s", "").value, 50e9);
  EXPECT_EQ(parse_bytes_per_second("400Gbps", "").value, 50e9);
  EXPECT_EQ(parse_bytes_per_second("400GB/s", "").value, 400e9);
  EXPECT_EQ(parse_bytes_per_second("400GBps", "").value, 400e9);
  EXPECT_EQ(parse_bytes_per_second("3.35TB/s", "").value, 3.35e12);
}

TEST(UnitsText, TimesReachFromPicosecondsToYears) {
  EXPECT_EQ(parse_seconds("60d", "").value, 60 * 86400.0);
  EXPECT_DOUBLE_EQ(parse_seconds("1.5us", "").value, 1.5e-6);
  EXPECT_DOUBLE_EQ(parse_seconds("7 ps", "").value, 7e-12);
  EXPECT_EQ(parse_seconds("3min", "").value, 180.0);
  EXPECT_EQ(parse_seconds("2h", "").value, 7200.0);
  EXPECT_EQ(parse_seconds("1w", "").value, 7 * 86400.0);
  EXPECT_EQ(parse_seconds("1y", "").value, 365.25 * 86400);
}

TEST(UnitsText, ComputePowerAndCountsParse) {
  EXPECT_EQ(parse_flops_per_second("990TFLOPS", "").value, 990e12);
  EXPECT_EQ(parse_flops_per_second("2 PFLOP/s", "").value, 2e15);
  EXPECT_EQ(parse_watts("10.2kW", "").value, 10200.0);
  EXPECT_EQ(parse_count("14.8T", ""), 14.8e12);
  EXPECT_EQ(parse_count("671B", ""), 671e9);
  EXPECT_EQ(parse_count("2048", ""), 2048.0);
  EXPECT_EQ(parse_count("1e12", ""), 1e12);
}

TEST(UnitsText, AWrongUnitIsRefusedWithTheKnownOnes) {
  expect_refused(problem_of(parse_bytes, "80GX"), "80GX", "80GiB");
  expect_refused(problem_of(parse_bytes, "80G"), "80G", "GB");
  expect_refused(problem_of(parse_bytes_per_second, "400GB"), "400GB", "Gbit/s");
  expect_refused(problem_of(parse_seconds, "60days"), "60days", "d w y");
  expect_refused(problem_of(parse_flops_per_second, "990TOPS"), "990TOPS", "TFLOPS");
  expect_refused(problem_of(parse_watts, "700J"), "700J", "700W");
  expect_refused(problem_of(parse_count, "14.8Q"), "14.8Q", "k M G B T");
}

TEST(UnitsText, MilliIsNoPrefixOfDataSoASmallMIsNotMisread) {
  // "400mb/s" would otherwise be 0.05 bytes per second.
  expect_refused(problem_of(parse_bytes_per_second, "400mb/s"), "400mb/s", "400Gbit/s");
  expect_refused(problem_of(parse_bytes, "80mB"), "80mB", "80GB");
}

TEST(UnitsText, NoNumberAndNoFiniteNumberAreRefused) {
  for (const char* text : {"", "GB", "abc", "nan", "inf", "-inf", "1e999", "--3", "+5GB"}) {
    EXPECT_NE(problem_of(parse_bytes, text).find("expected a number"), std::string::npos) << text;
  }
  // The prefix must not carry a number over the edge either.
  EXPECT_NE(problem_of(parse_bytes, "1e308TB"), "accepted");
  EXPECT_NE(problem_of(parse_seconds, "1e308y"), "accepted");
  EXPECT_NE(problem_of(parse_count, "1e308T"), "accepted");
}

TEST(UnitsText, QuantitiesPrintWithFourDigitsAndAPrefix) {
  EXPECT_EQ(to_text(Bytes{80e9}), "80 GB");
  EXPECT_EQ(to_text(Bytes{84943110144.0}), "84.94 GB");
  EXPECT_EQ(to_text(Bytes{0}), "0 B");
  EXPECT_EQ(to_text(Bytes{999960}), "1 MB");
  EXPECT_EQ(to_text(BytesPerSecond{50e9}), "50 GB/s");
  EXPECT_EQ(to_text(FlopsPerSecond{989e12}), "989 TFLOP/s");
  EXPECT_EQ(to_text(Watts{10200}), "10.2 kW");
  EXPECT_EQ(count_text(14.8e12), "14.8 T");
  EXPECT_EQ(count_text(61), "61");
  EXPECT_EQ(count_text(272.8e9), "272.8 G");
}

TEST(UnitsText, TimesPrintInTheUnitPeopleUse) {
  EXPECT_EQ(to_text(Seconds{0}), "0 s");
  EXPECT_EQ(to_text(Seconds{1.5e-9}), "1.5 ns");
  EXPECT_EQ(to_text(Seconds{3.33e-6}), "3.33 us");
  EXPECT_EQ(to_text(Seconds{0.01995}), "19.95 ms");
  EXPECT_EQ(to_text(Seconds{19.926}), "19.93 s");
  EXPECT_EQ(to_text(Seconds{0.99999}), "1 s");
  EXPECT_EQ(to_text(Seconds{900}), "15 min");
  EXPECT_EQ(to_text(Seconds{36000}), "10 h");
  EXPECT_EQ(to_text(Seconds{54.25 * 86400}), "54.25 d");
}

TEST(UnitsText, WhatIsPrintedParsesBack) {
  for (double value : {1.0, 1500.0, 84.94e9, 3.35e12}) {
    EXPECT_NEAR(parse_bytes(to_text(Bytes{value}), "").value, value, value * 1e-12);
    EXPECT_NEAR(parse_bytes_per_second(to_text(BytesPerSecond{value}), "").value, value, value * 1e-12);
    EXPECT_NEAR(parse_seconds(to_text(Seconds{value * 1e-9}), "").value, value * 1e-9, value * 1e-12)
        << to_text(Seconds{value * 1e-9});
  }
}

}  // namespace
}  // namespace orrery
