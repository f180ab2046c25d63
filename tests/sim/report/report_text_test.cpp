#include "sim/report/report_text.hpp"

#include <gtest/gtest.h>

#include "sim/report/result_tables.hpp"
#include "tests/sim/report/scenarios.hpp"

namespace orrery {
namespace {

/// 20 ranks of which 1 to 19 are alike; 30 assumptions.
Metrics wide() {
  Metrics m;
  m.step_time_s = 2;
  m.step_tokens = 4e6;
  m.breakdown.forward = 1.5;
  m.breakdown.bubble = 0.5;
  m.waterfall.compute = 1.5;
  m.waterfall.bubble = 0.5;
  m.memory_capacity = 80e9;
  for (std::int64_t rank = 0; rank < 20; ++rank) {
    m.memory.push_back({.rank = rank, .weights = rank == 0 ? 20e9 : 10e9, .total = rank == 0 ? 20e9 : 10e9});
    m.stages.push_back({.stage = rank,
                        .first_layer = rank * 2,
                        .layers = 2,
                        .extras = "",
                        .forward_s = 0.01 + 0.001 * static_cast<double>(rank)});
  }
  for (int i = 0; i < 30; ++i)
    m.assumptions.push_back(
        {"a" + std::to_string(i), "1", "B", i < 3 ? "published" : "assumed", "somewhere"});
  return m;
}

std::string text(const Metrics& m, TextOptions options = {}) {
  return result_text(m, test::parse(test::least()), options);
}

bool has(const std::string& whole, const std::string& part) {
  return whole.find(part) != std::string::npos;
}

TEST(ResultText, IsAsciiAndAtMostAHundredWide) {
  const std::string whole = text(wide());
  std::size_t column = 0;
  for (const char c : whole) {
    EXPECT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << static_cast<int>(c);
    column = c == '\n' ? 0 : column + 1;
    ASSERT_LE(column, 100u);
  }
}

TEST(ResultText, SharesAreOfTheStep) {
  // 1.5 s of 2 s and 0.5 s of 2 s.
  const std::string whole = text(wide());
  EXPECT_TRUE(has(whole, "1F, forward alone                1.500   75.0"));
  EXPECT_TRUE(has(whole, "bubble                           0.500   25.0"));
}

TEST(ResultText, RanksThatReadAlikeAreOneRow) {
  const std::string whole = text(wide());
  EXPECT_TRUE(has(whole, "1-19    10.00"));
  EXPECT_FALSE(has(text(wide(), {.all = true}), "1-19"));
}

TEST(ResultText, SaysWhatItLeavesOut) {
  const std::string whole = text(wide());
  EXPECT_TRUE(has(whole, "The first 16 of 20 stages; -v shows all."));
  // 30 of the metrics and the defaults of the scenario, of which 8 are shown.
  const std::size_t all = 30 + test::parse(test::least()).assumed.size();
  EXPECT_TRUE(has(whole, "and " + std::to_string(all - 8) + " others; -v shows all."));
  EXPECT_FALSE(has(text(wide(), {.all = true}), "-v shows all"));
}

TEST(ResultText, CsvHasEveryRankInBaseUnits) {
  const std::string csv = text(wide(), {.format = TextFormat::kCsv});
  EXPECT_TRUE(csv.starts_with("section,item,quantity,value,unit\nsummary,time of a step,value,2.0,s\n"));
  EXPECT_TRUE(has(csv, "\nmemory,19,weights,10000000000.0,B\n"));
}

TEST(ResultText, InfeasibleSaysWhyAndWhatWouldFit) {
  Metrics m;
  m.infeasible = Infeasible{Reason::kSchedule, "microbatches", 32, 15, "too few microbatches"};
  m.nearest = {{"layout.pp", "4"}};
  const std::string whole = text(m);
  EXPECT_TRUE(has(whole, "This layout cannot run"));
  EXPECT_TRUE(has(whole, "too few microbatches"));
  EXPECT_TRUE(has(whole, "would fit with layout.pp"));
  EXPECT_FALSE(has(whole, "time of a step"));
}

TEST(ResultTables, NothingComputedMakesNoTable) {
  for (const Table& table : result_tables(wide(), test::parse(test::least()), {}, {}))
    EXPECT_TRUE(table.key != "power" && table.key != "run") << table.key;
}

}  // namespace
}  // namespace orrery
