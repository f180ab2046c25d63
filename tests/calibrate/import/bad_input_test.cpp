// Files that are cut off, foreign or damaged: every complaint names the place, what was found and what was
// expected.
#include <gtest/gtest.h>

#include "calibrate/import/benchmark_log.hpp"
#include "calibrate/import/kineto_trace.hpp"
#include "calibrate/import/measured_table.hpp"
#include "calibrate/import/nccl_tests.hpp"
#include "sim/base/check.hpp"
#include "tests/calibrate/import/complaint.hpp"

namespace orrery {
namespace {

using test::complaint;

/// `text` holds all of `parts`.
::testing::AssertionResult says(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    if (text.find(part) == std::string::npos)
      return ::testing::AssertionFailure() << "'" << part << "' is not in: " << text;
  return ::testing::AssertionSuccess();
}

std::string of_event(const std::string& fields) {
  return complaint([&] {
    return import_kineto(R"({"traceEvents": [{"ph": "X", "cat": "kernel", )" + fields + "}]}", "t.json", {});
  });
}

TEST(BadTraces, AnEventSaysWhatItLacks) {
  EXPECT_TRUE(says(of_event(R"("name": "k", "ts": 1, "dur": "5")"),
                   {"t.json#/traceEvents/0/dur", "found \"5\"", "number of microseconds"}));
  EXPECT_TRUE(says(of_event(R"("name": null, "ts": 1, "dur": 5)"), {"#/traceEvents/0/name", "found null"}));
  EXPECT_TRUE(says(of_event(R"("ts": 1, "dur": 5)"), {"#/traceEvents/0/name", "found nothing"}));
  EXPECT_TRUE(
      says(of_event(R"("name": "k", "ts": 1, "dur": 1e300)"), {"#/traceEvents/0/dur", "1e+300", "unit"}));
  EXPECT_TRUE(says(complaint([] { return import_kineto(R"({"traceEvents": ["x"]})", "t.json", {}); }),
                   {"t.json#/traceEvents/0", "found \"x\"", "object"}));
}

// A kernel of no length is no measurement: one of two is left.
TEST(BadTraces, ActivitiesOfNoLengthAreCountedNotUsed) {
  const Imported in = import_kineto(
      R"({"traceEvents": [{"ph": "X", "cat": "kernel", "name": "k", "ts": 1, "dur": 0},
                          {"ph": "X", "cat": "kernel", "name": "k", "ts": 2, "dur": 3}]})",
      "t.json", {});
  ASSERT_EQ(in.operators.size(), 1U);
  EXPECT_EQ(in.operators[0].seconds.size(), 1U);
  EXPECT_EQ(in.skipped.at("device activity of 0 us"), 1);
  EXPECT_TRUE(says(of_event(R"("name": "k", "ts": 1, "dur": 0)"), {"t.json", "no device activity"}));
}

TEST(BadTraces, NamesOfKernelsOfTheWrongTypeAreNamed) {
  const auto of = [](const std::string& names) {
    return complaint([&] {
      return parse_kernel_names(R"({"schema": "orrery.kernel-names/1", )" + names + "}", "n.json");
    });
  };
  EXPECT_TRUE(says(of(R"("needs": [1], "names": [])"), {"n.json#/needs", "found 1"}));
  EXPECT_TRUE(says(of(R"("needs": [], "names": [{"kernel": "k", "name": 3}])"), {"n.json#/names/0", "3"}));
  EXPECT_TRUE(says(of(R"("needs": [], "names": [{"kernel": "k", "name": "n", "shape": {"m": "x"}}])"),
                   {"n.json#/names/0", "shape"}));
}

TEST(BadTables, AHeaderNamesItsLineAndTheNearestColumn) {
  const auto of = [](const std::string& text) {
    return complaint([&] { return import_table(text, "t.csv"); });
  };
  EXPECT_TRUE(says(of("dtype,m,n,k,latency_m\nbfloat16,1,2,3,4\n"),
                   {"t.csv:1", "'products'", "Column 'latency_m' is unknown", "did you mean 'latency_ms'"}));
  EXPECT_EQ(of("a,b,c\n").find("did you mean"), std::string::npos);
  EXPECT_TRUE(says(of(std::string("dtype\0,m\n", 9)), {"t.csv:1:6", "0x00", "CSV"}));
  EXPECT_TRUE(says(of("# source: x\ndtype;m;n;k;latency_ms\n"), {"t.csv:2", "separated by commas"}));
  EXPECT_TRUE(
      says(of("dtype,m,n,k,latency_ms\nbfloat16,1,2,3,1e-300\n"), {"t.csv:2:16", "1e-300 ms", "unit"}));
}

constexpr const char* kNccl = R"(# Collective test starting: all_reduce_perf
#  Rank  0 Group  0 Pid 1 on host device  0 [0x04] NVIDIA H100
#  Rank  1 Group  0 Pid 1 on host device  1 [0x05] NVIDIA H100
#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong
        1024           256     float     sum      -1    10.00    0.10    0.10      0    11.00    0.09    0.09      0
        2048           512     float     sum      -1    12.50    0.16    0.16      0    11.50    0.18    0.18      0
)";

// Cut anywhere inside its last row, which has 13 cells: the row is refused, not read with another column as
// time.
TEST(BadNcclTests, ARowThatWasCutOffIsRefused) {
  const std::string text = kNccl;
  const std::size_t last = text.rfind("        2048");
  for (const char* end : {"512", "-1", "12.50", "0.16      0", "11.50    0.18"}) {
    const std::string cut = text.substr(0, text.find(end, last) + std::string(end).size());
    EXPECT_TRUE(says(complaint([&] { return import_nccl_tests(cut, "run.txt", ""); }),
                     {"run.txt:6", "cells, expected 13"}))
        << cut.substr(last);
  }
  // In the middle of a number the cut cannot be seen, but the row is complete.
  EXPECT_EQ(import_nccl_tests(text.substr(0, text.size() - 1), "run.txt", "").operators.size(), 2U);
}

TEST(BadNcclTests, JsonNamesKeyValueAndWhatWasExpected) {
  const auto of = [](const std::string& row) {
    return complaint([&] { return import_nccl_tests("[{" + row + ", \"busBw\": 1}]", "r.json", ""); });
  };
  const std::string good = R"("name": "AllReduce", "type": "float", "ranks": 8, "size": 1024, "time": 9)";
  EXPECT_EQ(of(good), "");
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string row = good;
    return of(row.replace(row.find(from), from.size(), to));
  };
  EXPECT_TRUE(says(with("\"AllReduce\"", "7"), {"r.json#/0/name", "found 7", "text"}));
  EXPECT_TRUE(says(with("\"float\"", "5"), {"r.json#/0/type", "found 5", "text"}));
  EXPECT_TRUE(says(with("8", "1"), {"r.json#/0/ranks", "found 1", "at least 2"}));
  EXPECT_TRUE(says(with("1024", "-1024"), {"r.json#/0/size", "found -1024", "whole number of bytes"}));
  EXPECT_TRUE(says(with("1024", "1e300"), {"r.json#/0/size", "found 1e+300"}));
  EXPECT_TRUE(says(with("1024", "10.5"), {"r.json#/0/size", "found 10.5"}));
  EXPECT_TRUE(says(with("9", "\"x\""), {"r.json#/0/time", "found \"x\"", "number"}));
  EXPECT_TRUE(says(with("9", "-9"), {"r.json#/0/time", "-9 us", "above 0"}));
}

TEST(BadLogs, NumbersThatAreNoneAreNamedWithTheirLine) {
  const auto of = [](const std::string& text) {
    return complaint([&] { return import_benchmark_log("\n" + text, "log", 0, "fp8-block"); });
  };
  EXPECT_TRUE(says(of(" > Perf (m=1, n=1, k=1): 1e999 us |"), {"log:2", "1e999"}));
  EXPECT_TRUE(says(of(" > Perf (m=1, n=1, k=1): -+ us |"), {"log:2", "-+"}));
  EXPECT_TRUE(says(of(" > Perf (m=1e300, n=1, k=1): 6 us |"), {"log:2", "1e+300", "expected 1 to"}));
  EXPECT_EQ(import_benchmark_log("[tuning] Best dispatch (FP8): SMs 99999999999999999999, t: 5 us", "log", 8,
                                 "fp8-block")
                .operators.at(0)
                .shape.count("sms"),
            0U);
}

}  // namespace
}  // namespace orrery
