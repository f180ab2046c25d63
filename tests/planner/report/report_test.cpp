#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "planner/read_result.hpp"
#include "planner/report/chart_drawing.hpp"
#include "planner/report/document_json.hpp"
#include "planner/report/report_builder.hpp"
#include "planner/report/writers.hpp"
#include "planner/rounded_parts.hpp"
#include "sim/base/check.hpp"
#include "sim/report/report_json.hpp"
#include "sim/simulate.hpp"
#include "tests/planner/v3_scenario.hpp"

namespace orrery {
namespace {

const RunData& data() {
  static const RunData kData = load_run_data(ORRERY_SOURCE_DIR "/hwprofiles/economics");
  return kData;
}

/// DeepSeek-V3 with a name that must not become markup.
Document v3_report(const std::string& name = "deepseek-v3") {
  Scenario s = test::v3_scenario();
  Metrics m = simulate(s).metrics;
  complete_run(m, s, data());
  s.model.name = name;
  ReportRuns runs = report_runs(s, m, false);
  runs.levers.clear();
  runs.levers.emplace_back();
  runs.levers.back().key = "layout.pp";
  runs.levers.back().value = "8";
  runs.levers.back().words = "half the ranks";
  runs.levers.back().step_s = 20;
  runs.levers.back().gain = 0.01;
  runs.gpu_points = {{.gpus = 4096, .infeasible = {}, .step_s = 12, .step_tokens = m.step_tokens},
                     {.gpus = 8192, .infeasible = "no", .step_s = 0, .step_tokens = 0}};
  ReportInput in = report_input(s, m, runs, data(), {}, "test");
  in.program = "orrery test";
  in.source = "test";
  in.command = "orrery report";
  in.scenario_text = to_json_text(s);
  return build_report(in);
}

const Document& report() {
  static const Document kReport = v3_report();
  return kReport;
}

double shown(const Document& d, const DocCell& cell) {
  std::string digits;
  for (const char c : d.text(cell)) {
    if (c != ',') digits += c;
  }
  return std::stod(digits);
}

TEST(Report, EverySectionIsThere) {
  std::vector<std::string> keys;
  for (const Section& s : report().sections) keys.push_back(s.key);
  EXPECT_EQ(keys, (std::vector<std::string>{"summary", "scope", "assumptions", "plan", "time", "memory",
                                            "power", "money", "carbon", "uncertainty", "sensitivity",
                                            "alternatives", "published", "provenance"}));
}

// In units of the last digit shown: the parts of every table with a total add up to it.
TEST(Report, TablesSumToTheirTotalsToTheLastDigitShown) {
  int tables = 0;
  for (const Section& section : report().sections) {
    for (const DocTable& t : section.tables) {
      if (!t.total) continue;
      for (std::size_t c = 1; c < t.columns.size(); ++c) {
        double sum = 0;
        for (std::size_t r = 0; r + 1 < t.rows.size(); ++r) sum += shown(report(), t.rows[r][c]);
        EXPECT_NEAR(sum, shown(report(), t.rows.back()[c]), 1e-9 * std::abs(sum) + 1e-9) << t.key << " " << c;
        ++tables;
      }
    }
  }
  EXPECT_GE(tables, 6);
}

TEST(Report, RowsOfTheMemoryTableSumToo) {
  for (const Section& section : report().sections) {
    for (const DocTable& t : section.tables) {
      if (t.key != "memory") continue;
      ASSERT_EQ(t.rows.size(), 16u);
      for (const auto& row : t.rows) {
        double sum = 0;
        for (std::size_t c = 1; c + 1 < row.size(); ++c) sum += shown(report(), row[c]);
        EXPECT_NEAR(sum, shown(report(), row.back()), 1e-9);
      }
    }
  }
}

// A figure is registered once; two ids that name the same total must read alike.
TEST(Report, ANumberInTwoPlacesComesFromOneValue) {
  const auto& f = report().figures;
  EXPECT_EQ(f.at("run.owned_usd").text, f.at("owned.sum").text);
  EXPECT_EQ(f.at("run.energy_kwh").text, f.at("energy.sum").text);
  EXPECT_EQ(f.at("run.co2e_t").text, f.at("carbon.sum").text);
  EXPECT_NEAR(f.at("run.owned_usd").value, f.at("owned.sum").value, 1e-9);
  const ReportInput in;
  ReportBuilder b(in);
  b.number("x", 1.234, "s");
  b.number("x", 1.234, "s");
  EXPECT_THROW(b.number("x", 1.235, "s", 4), InternalError);
}

// Hardware 47 to 67 % and energy 2 to 6 % of development: the owned cost over 0.73 to 0.49.
TEST(Report, DevelopmentHasTheRangeOfItsShares) {
  const auto& f = report().figures;
  EXPECT_NEAR(f.at("run.development_usd.low").value, f.at("run.owned_usd").value / 0.73, 1e-9);
  EXPECT_NEAR(f.at("run.development_usd.high").value, f.at("run.owned_usd").value / 0.49, 1e-9);
}

TEST(Report, EnergyOfAStepAndRentOfTheStepsAloneAreShown) {
  const auto& f = report().figures;
  EXPECT_NEAR(f.at("energy.step").value * 1e6 / (15360.0 * 4096.0), f.at("energy.per_token").value, 1e-9);
  EXPECT_NEAR(f.at("run.ideal_rent_usd").value / f.at("run.rent_usd").value,
              f.at("run.goodput").value / 100.0, 1e-9);
}

const DocTable& table(const std::string& key) {
  for (const Section& section : report().sections) {
    for (const DocTable& t : section.tables) {
      if (t.key == key) return t;
    }
  }
  throw InternalError("no table " + key);
}

// V3: 16 pipeline ranks, each sends an activation or gradient of 4,096 x 7,168 x 2 B forward and backward for
// each of its 120 microbatches, but for the two ends of the pipe: 2 * 120 * 58,720,256 B * 15 / 16 = 13.2 GB.
TEST(Report, TrafficOfAGpuIsThatOfItsMessages) {
  EXPECT_NEAR(report().figures.at("links.nic.pp").value, 13.2120576, 1e-7);
  EXPECT_EQ(report().figures.at("links.up.pp").value, 0);
  const double all = report().figures.at("links.nic.sum").value;
  EXPECT_NEAR(report().figures.at("links.nic.load").value,
              100 * all / report().figures.at("step.time_s").value / 50, 1e-9);
}

// Numbers of up to three digits and zeros, but for counts of GPUs, layouts and runs, names and sources.
TEST(Report, TheSummarysSentencesHaveThreeDigitsAndTheirRanges) {
  const Section& summary = report().sections.front();
  ASSERT_EQ(summary.key, "summary");
  const auto& f = report().figures;
  const std::string totals = summary.paragraphs[0] + summary.paragraphs[1];
  for (const char* outcome : {"days", "gpu_hours", "rent_usd", "owned_usd", "energy_kwh", "co2e_t"}) {
    const std::string id = std::string("run.") + outcome;
    const std::string range = f.at(id).text + " " + f.at(id).unit + " (" +
                              significant_text(f.at(id + ".p10").value) + " to " +
                              significant_text(f.at(id + ".p90").value) + ")";
    EXPECT_NE(totals.find(range), std::string::npos) << range;
  }
  int risks = 0;
  for (const std::string& p : summary.paragraphs) risks += p.starts_with("Risk ") ? 1 : 0;
  EXPECT_EQ(risks, 3);
  EXPECT_EQ(std::count_if(summary.paragraphs.begin(), summary.paragraphs.end(),
                          [](const std::string& p) { return p.starts_with("Recommendation: "); }),
            1);
}

// Emissions less what was embodied grow with the grid's factor; the own grid shows the run's own figures.
TEST(Report, OtherGridsMoveOnlyTheEnergysPart) {
  const auto& f = report().figures;
  const double made = f.at("carbon.embodied").value;
  const double own = (f.at("run.co2e_t").value - made) / f.at("carbon.intensity").value;
  for (const char* grid : {"FR", "US", "IN"}) {
    const std::string id = std::string("region.") + grid;
    EXPECT_NEAR((f.at(id + ".emissions").value - made) / f.at(id + ".intensity").value, own, 1e-9 * own)
        << grid;
  }
  const DocTable& t = table("regions");
  ASSERT_GE(t.rows.size(), 10u);
  double last = 0;
  int own_rows = 0;
  for (const auto& row : t.rows) {
    EXPECT_GE(report().figures.at(row[2].figure).value, last);
    last = report().figures.at(row[2].figure).value;
    own_rows += row[2].figure == "carbon.sum" ? 1 : 0;
  }
  EXPECT_EQ(own_rows, 1);
}

TEST(Report, PercentilesAreInOrderAndSomeSamplesExceedTheEstimate) {
  const auto& f = report().figures;
  for (const char* outcome : {"days", "rent_usd", "owned_usd", "energy_kwh", "co2e_t"}) {
    const std::string id = std::string("run.") + outcome;
    double last = f.at(id + ".low").value;
    for (const char* p : {".p05", ".p10", ".p25", ".p50", ".p75", ".p90", ".p95"}) {
      EXPECT_GT(f.at(id + p).value, last * (std::string(p) == ".p05" ? 0.9 : 1)) << id << p;
      last = f.at(id + p).value;
    }
    EXPECT_EQ(f.at(id + ".above").value > 50, f.at(id + ".p50").value > f.at(id).value) << id;
  }
}

// Every assumption reads with its unit, kind and source; those that the sensitivity moves show their ends.
TEST(Report, AssumptionsHaveUnitKindAndSource) {
  int with_ends = 0;
  for (const char* key : {"run-inputs", "step-inputs"}) {
    const DocTable& t = table(key);
    const std::size_t last = t.columns.size() - 1;
    for (const auto& row : t.rows) {
      const std::string& name = row[0].words;
      EXPECT_FALSE(report().text(row[1]).empty()) << name;
      EXPECT_EQ(report().text(row[1]).find("e+"), std::string::npos) << name;
      EXPECT_FALSE(row[5].words.empty()) << name;
      EXPECT_FALSE(row[last].words.empty()) << name;
      if (!row[1].figure.empty()) {
        EXPECT_FALSE(row[4].words.empty()) << name;
      }
      with_ends += row[2].figure.empty() ? 0 : 1;
    }
  }
  EXPECT_GE(with_ends, 50);  // of the run, spares and development; of the step the rates of the curves
  const auto& f = report().figures;
  EXPECT_NEAR(f.at("step_input.operators.gemm.fp8-block.low").value,
              0.95 * f.at("step_input.operators.gemm.fp8-block").value, 1e-9);
}

TEST(Report, TokensHaveTheFactorThatSuitsThem) {
  ReportInput in;
  const ReportBuilder b(in);
  in.scenario.training.tokens = 14.8e12;
  EXPECT_EQ(b.tokens_text(), "14.8 x 10^12");
  in.scenario.training.tokens = 300e9;
  EXPECT_EQ(b.tokens_text(), "300 x 10^9");
  in.scenario.training.tokens = 2.5e6;
  EXPECT_EQ(b.tokens_text(), "2.50 x 10^6");
}

TEST(Report, JsonIsTheSourceOfEveryFormat) {
  const std::string json = to_json_text(report());
  const Document again = parse_document(json, "report.json");
  EXPECT_EQ(again, report());
  EXPECT_EQ(html_report(again), html_report(report()));
  EXPECT_EQ(markdown_report(again), markdown_report(report()));
  EXPECT_EQ(csv_report(again), csv_report(report()));
}

TEST(Report, AReportOfAnotherVersionIsRefused) {
  std::string json = to_json_text(report());
  json.replace(json.find("orrery.report/1"), 15, "orrery.report/2");
  EXPECT_THROW((void)parse_document(json, "report.json"), InputError);
}

TEST(Report, AModelsNameIsTextInEveryFormat) {
  const Document d = v3_report("<script>alert(1)</script>");
  const std::string html = html_report(d);
  EXPECT_EQ(html.find("<script>alert"), std::string::npos);
  EXPECT_NE(html.find("&lt;script&gt;alert(1)&lt;/script&gt;"), std::string::npos);
  const std::string md = markdown_report(d);
  EXPECT_EQ(md.find("<script>"), std::string::npos);
}

TEST(Report, HtmlIsOneSmallFileWithoutNetworkOrScript) {
  const std::string html = html_report(report());
  EXPECT_LT(html.size(), 1000000u);
  for (const char* word : {"http://", "https://", "src=", "<link", "@import", "url("})
    EXPECT_EQ(html.find(word), std::string::npos) << word;
  EXPECT_NE(html.find("prefers-color-scheme:dark"), std::string::npos);
  EXPECT_NE(html.find("@media print"), std::string::npos);
  EXPECT_NE(html.find("<script type=\"application/json\""), std::string::npos);
  EXPECT_EQ(html.find("<script>"), std::string::npos);
}

TEST(Report, CsvIsTidy) {
  const std::string csv = csv_report(report());
  EXPECT_EQ(csv.find("section,table,row,column,text,value,unit\n"), 0u);
  EXPECT_NE(csv.find("\ntime,waterfall,pipeline bubble,s,"), std::string::npos);
}

TEST(Report, PdfHasPagesWhereTheLibraryIsThere) {
  if (!can_write_pdf()) {
    EXPECT_THROW((void)pdf_report(report()), InputError);
    GTEST_SKIP() << "built without libharu: the error is checked, the pages are not";
  }
  const std::string pdf = pdf_report(report());
  EXPECT_EQ(pdf.find("%PDF-1."), 0u);
  EXPECT_EQ(pdf_report(report()), pdf);  // same bytes
}

// WCAG: 3:1 for graphics against the page, light and dark; text roles 4.5:1.
TEST(Report, ColoursHaveContrast) {
  const auto luminance = [](const std::string& hex) {
    double sum = 0;
    const double weights[] = {0.2126, 0.7152, 0.0722};
    for (std::size_t i = 0; i < 3; ++i) {
      const double c = std::stoi(hex.substr(1 + 2 * i, 2), nullptr, 16) / 255.0;
      sum += weights[i] * (c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4));
    }
    return sum;
  };
  const auto contrast = [&](const std::string& a, const std::string& b) {
    const double x = luminance(a), y = luminance(b);
    return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
  };
  for (const char* role : {"ink", "faint"}) {
    EXPECT_GE(contrast(colour_of(role).light, "#ffffff"), 4.5) << role;
    EXPECT_GE(contrast(colour_of(role).dark, "#16181b"), 4.5) << role;
  }
  for (const char* role : {"compute", "gradients", "optimizer", "high", "low"}) {
    EXPECT_GE(contrast(colour_of(role).light, "#ffffff"), 3.0) << role;
    EXPECT_GE(contrast(colour_of(role).dark, "#16181b"), 3.0) << role;
  }
}

TEST(Report, WhatIsMissingIsOneErrorThatSaysWhereToGiveIt) {
  Scenario s = test::v3_scenario();
  s.economics = {};
  const Metrics m = simulate(s).metrics;
  try {
    (void)report_input(s, m, {}, data(), {}, "run.json");
    FAIL() << "no error";
  } catch (const InputError& e) {
    const std::string text = e.what();
    for (const char* key :
         {"economics.usd_per_gpu_hour", "economics.usd_per_kwh", "economics.pue", "economics.grid", "--set"})
      EXPECT_NE(text.find(key), std::string::npos) << key;
  }
}

TEST(ReadResult, WhatWasWrittenIsReadBack) {
  const Scenario s = test::v3_scenario();
  Metrics m = simulate(s).metrics;
  complete_run(m, s, data());
  const std::string text = result_json(m, s, {});
  const Metrics again = parse_result(text, "result.json");
  EXPECT_EQ(again.step_time_s, m.step_time_s);
  EXPECT_EQ(again.waterfall.sum(), m.waterfall.sum());
  EXPECT_EQ(again.power.gpu_mean_w, m.power.gpu_mean_w);
  EXPECT_EQ(again.run.days, m.run.days);
  EXPECT_EQ(again.memory.size(), m.memory.size());
  EXPECT_EQ(again.stages.size(), m.stages.size());
}

}  // namespace
}  // namespace orrery
