#include "calibrate/probe/sample.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

Sample sample(double seconds) {
  Sample out;
  out.seconds = seconds;
  return out;
}

SampleFile example() {
  Samples samples;
  samples.values = {sample(0.1), sample(1.0 / 3.0), sample(5e-324)};
  samples.values[0].sm_clock_hz = 1.98e9;
  samples.values[1].watts = 691.25;
  samples.values[1].throttle = kThrottlePowerCap | kThrottleIdle;
  samples.values[2].outlier = true;
  samples.values[2].memory_clock_hz = 3.2e9;
  samples.executions = 20;
  samples.flops = 2.0 * 4096 * 7168 * 2112;
  samples.bytes = 1e9 / 7;
  samples.error = 3.3e-3;
  samples.error_limit = 0.01;
  samples.note = "said \"fast\", then\tslow";
  const Case gemm{.op_class = "gemm.fp8-block",
                  .name = "cublaslt",
                  .shape = {{"m", 4096}, {"n", 2112}, {"k", 7168}},
                  .dtype = "fp8-e4m3",
                  .cold_l2 = true,
                  .sustained = true};
  const Case launch{.op_class = "launch", .name = "", .shape = {}, .dtype = ""};
  return {
      .about = {{"device", "NVIDIA H200"}, {"driver", "580: beta"}},
      .outcomes = {{gemm, samples}, {launch, Failure{FailureClass::kOutOfMemory, "needs 4 GB, 1 GB free"}}}};
}

std::string error_of(const std::string& text) {
  try {
    (void)parse_samples(text, "s.csv");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(SampleCsv, ReadingWhatWasWrittenGivesTheSameBits) {
  const SampleFile file = example();
  EXPECT_EQ(parse_samples(to_csv(file), "s.csv"), file);
}

TEST(SampleCsv, RowsCanBeAppendedOneByOne) {
  const SampleFile file = example();
  EXPECT_EQ(csv_head(file.about) + csv_row(file.outcomes[0]) + csv_row(file.outcomes[1]), to_csv(file));
}

TEST(SampleCsv, ARowIsOneLineWhateverTheMessageHolds) {
  const std::string row = csv_row({{.op_class = "launch"}, Failure{FailureClass::kOther, "first\nsecond"}});
  EXPECT_EQ(std::count(row.begin(), row.end(), '\n'), 1);
}

TEST(SampleCsv, EveryFailureClassHasANameThatIsReadBack) {
  for (int i = 0; i <= static_cast<int>(FailureClass::kOther); ++i) {
    const Outcome outcome{{.op_class = "launch"}, Failure{static_cast<FailureClass>(i), "why"}};
    EXPECT_EQ(parse_samples(csv_head({}) + csv_row(outcome), "s.csv").outcomes.at(0), outcome);
  }
}

TEST(SampleCsv, BadFilesAreRefusedWithThePlace) {
  const std::string good = to_csv(example());
  EXPECT_EQ(error_of(good), "no error");
  EXPECT_EQ(error_of(""), "s.csv:1: expected '# format: orrery.samples-csv/1' in the first lines");
  EXPECT_NE(error_of(replaced(good, "csv/1", "csv/9")).find("found 'orrery.samples-csv/9'"),
            std::string::npos);
  EXPECT_NE(error_of(replaced(good, "watts", "wats")).find("s.csv:4:"), std::string::npos);
  EXPECT_NE(error_of(replaced(good, "watts", "wats")).find("did you mean 'watts'?"), std::string::npos);
  EXPECT_NE(error_of(replaced(good, ",watts", "")).find("column 'watts' is missing"), std::string::npos);
  EXPECT_NE(error_of(replaced(good, "0.1 ", "-0.1 ")).find("found '-0.1', expected a time above 0"),
            std::string::npos);
  EXPECT_NE(error_of(replaced(good, "0.1 ", "nan ")).find("found 'nan'"), std::string::npos);
  EXPECT_NE(error_of(replaced(good, "0.1 ", "0.1 0.2 ")).find("found '3 values', expected 4"),
            std::string::npos);
  EXPECT_NE(error_of(replaced(good, "out-of-memory", "out-of-memry")).find("did you mean 'out-of-memory'?"),
            std::string::npos);
  EXPECT_NE(error_of(replaced(good, "cold-l2", "cold")).find("expected 'cold-l2'"), std::string::npos);
  EXPECT_NE(error_of(replaced(good, "k=7168", "k=-1")).find("found 'k=-1'"), std::string::npos);
  EXPECT_NE(error_of(replaced(good, ",\"needs 4 GB, 1 GB free\"", "")).find("found 17 cells, expected 18"),
            std::string::npos);
  EXPECT_NE(error_of(csv_head({}) + "launch,,,,,samples,,,,,,,1,0,0,,,\n").find("at least one time"),
            std::string::npos);
}

TEST(Samples, OutliersAreMarkedAndKept) {
  // Median 11, distances 1 2 0 1 89: MAD 1, limit 5 * 1.4826 * 1 = 7.4: only the 100 is marked.
  Samples samples;
  for (const double seconds : {10.0, 9.0, 11.0, 12.0, 100.0}) samples.values.push_back(sample(seconds));
  mark_outliers(samples);
  EXPECT_EQ(samples.values.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(samples.values[i].outlier, i == 4);
  EXPECT_DOUBLE_EQ(median_seconds(samples), 10.5);  // of 9 10 11 12
}

TEST(Samples, EqualSamplesHaveNoOutliersAndOnePercentIsNone) {
  // MAD is 0; the floor of 1 % of the median keeps 10.05.
  Samples samples;
  for (const double seconds : {10.0, 10.0, 10.0, 10.0, 10.05}) samples.values.push_back(sample(seconds));
  mark_outliers(samples);
  for (const Sample& s : samples.values) EXPECT_FALSE(s.outlier);
}

TEST(Samples, ThrottleReasonsAreSpelledOut) {
  EXPECT_EQ(throttle_text(0), "none");
  EXPECT_EQ(throttle_text(kThrottlePowerCap | kThrottleThermalHardware), "power cap, thermal (hardware)");
  EXPECT_EQ(throttle_text(kThrottlePowerCap | 0x1000), "power cap, unknown 0x1000");
}

TEST(Shape, TextAndValueAreInverse) {
  const Shape shape{{"m", 1}, {"k", 0}, {"top_k", 8}};
  EXPECT_EQ(to_text(shape), "k=0 m=1 top_k=8");
  EXPECT_EQ(parse_shape(to_text(shape), ""), shape);
  EXPECT_THROW((void)parse_shape("m=1 m=2", ""), InputError);
  EXPECT_THROW((void)parse_shape("M=1", ""), InputError);
  EXPECT_THROW((void)parse_shape("m", ""), InputError);
}

}  // namespace
}  // namespace orrery
