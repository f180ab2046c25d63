#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include <nlohmann/json.hpp>

#include "gui/core/session.hpp"
#include "gui/core/table_model.hpp"
#include "sim/base/check.hpp"
#include "tests/gui/support.hpp"

namespace orrery::gui {
namespace {

Session sample() {
  Session s;
  s.a = example_input();
  s.a.edits.push_back({"layout.pp", "8", "edit of layout.pp"});
  s.b = example_input(1);
  s.marks.push_back({1000, 2000, "here \"it\" waits"});
  s.pins = {"rank 3"};
  s.level = Level::kRank;
  s.rank = 5;
  s.t0 = 1e12;
  s.t1 = 2e12;
  s.theme = "dark";
  return s;
}

TEST(Session, SavedAndOpenedAgainIsTheSame) {
  const std::string text = to_json_text(sample());
  const Session again = parse_session(text, "a.json");
  EXPECT_EQ(to_json_text(again), text);
  EXPECT_EQ(again.a, sample().a);
  EXPECT_EQ(again.marks, sample().marks);
  EXPECT_EQ(again.level, Level::kRank);
}

std::string refusal(const std::string& text) {
  try {
    (void)parse_session(text, "a.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Session, DamageIsNamedWithItsPlace) {
  const std::string text = to_json_text(sample());
  EXPECT_NE(refusal(text.substr(0, text.size() / 2)).find("a.json:"), std::string::npos);
  nlohmann::json json = nlohmann::json::parse(text);
  json["schema"] = "orrery.session/9";
  EXPECT_NE(refusal(json.dump()).find("found 'orrery.session/9'"), std::string::npos);
  json = nlohmann::json::parse(text);
  json["view"]["level"] = "basement";
  EXPECT_NE(refusal(json.dump()).find("#/view/level"), std::string::npos);
  json = nlohmann::json::parse(text);
  json["marks"][0]["t0_ps"] = "soon";
  EXPECT_NE(refusal(json.dump()).find("#/marks/0/t0_ps"), std::string::npos);
  json = nlohmann::json::parse(text);
  json.erase("a");
  EXPECT_NE(refusal(json.dump()).find("has no 'a'"), std::string::npos);
}

TEST(Session, KindsOfFilesAreToldByTheirContent) {
  EXPECT_EQ(kind_of_file(example_input().text, "x"), FileKind::kScenario);
  EXPECT_EQ(kind_of_file(R"({"schema": "orrery.result/1"})", "x"), FileKind::kResult);
  EXPECT_EQ(kind_of_file(to_json_text(sample()), "x"), FileKind::kSession);
  EXPECT_EQ(kind_of_file(R"({"traceEvents": []})", "x"), FileKind::kChromeTrace);
  for (const char* bad : {"", "  \n", "not json", "{}", "7", R"({"schema": "other/1"})"})
    EXPECT_THROW((void)kind_of_file(bad, "x"), InputError) << bad;
  std::string place = "r.json";
  EXPECT_THROW((void)scenario_text(R"({"schema": "orrery.result/7", "scenario": {}})", place), InputError);
  EXPECT_THROW((void)scenario_text(R"({"schema": "orrery.result/1"})", place), InputError);
}

TEST(Workbench, AnEditIsSimulatedAndARefusedOneKeepsTheOldResultStale) {
  Workbench bench(test_profiles());
  bench.set_input(small_input());
  bench.wait();
  ASSERT_NE(bench.run(), nullptr);
  EXPECT_FALSE(bench.stale());
  const double before = bench.run()->metrics().step_time_s;
  bench.edit("training.global_batch_size", "16");
  EXPECT_TRUE(bench.stale());
  bench.wait();
  EXPECT_FALSE(bench.stale());
  EXPECT_GT(bench.run()->metrics().step_time_s, before);
  const auto good = bench.run();
  bench.edit("layout.pp", "minus one");
  bench.wait();
  EXPECT_EQ(bench.run(), good);
  EXPECT_TRUE(bench.stale());
  ASSERT_EQ(bench.problems().size(), 1U);
  EXPECT_EQ(bench.problems()[0].code, "input");
  EXPECT_NE(bench.problems()[0].text.find("layout.pp"), std::string::npos);
  EXPECT_EQ(bench.refused("layout.pp"), "minus one");
  bench.edit("layout.pp", "");
  bench.wait();
  EXPECT_TRUE(bench.problems().empty());
}

TEST(Workbench, OfManyEditsAtOnceTheLastOneStands) {
  Workbench bench(test_profiles());
  bench.set_input(small_input());
  for (int batch : {16, 32, 64, 128}) bench.edit("training.global_batch_size", std::to_string(batch));
  bench.wait();
  EXPECT_EQ(bench.run()->scenario().training.global_batch_size, 128);
}

TEST(Workbench, CancellingDropsTheResultAndClosingWhileItRunsIsSafe) {
  Workbench bench(test_profiles());
  bench.set_input(small_input());
  bench.wait();
  const auto old = bench.run();
  bench.edit("training.global_batch_size", "32");
  bench.cancel();
  bench.wait();
  EXPECT_EQ(bench.run(), old);
  EXPECT_EQ(bench.problems().back().code, "note");
  EXPECT_TRUE(bench.stale());
  EXPECT_FALSE(bench.busy());
  bench.rerun();
  bench.wait();
  EXPECT_FALSE(bench.stale());
  EXPECT_EQ(bench.run()->scenario().training.global_batch_size, 32);
  auto closing = std::make_unique<Workbench>(test_profiles());
  closing->set_input(example_input());
  closing.reset();
}

TEST(Workbench, WhatNobodyWaitsForIsStoppedWithinATenthOfASecond) {
  using Clock = std::chrono::steady_clock;
  const auto seconds_of = [](auto&& what) {
    const auto begin = Clock::now();
    what();
    return std::chrono::duration<double>(Clock::now() - begin).count();
  };
  Workbench bench(test_profiles());
  bench.set_input(small_input());
  bench.wait();
  const auto old = bench.run();
  // A search for a schedule takes seconds.
  Input slow = example_input();
  slow.edits.push_back({"layout.schedule", "auto", "test"});
  double longest = 0;
  for (const int after_ms : {5, 60, 300}) {
    bench.set_input(slow);
    std::this_thread::sleep_for(std::chrono::milliseconds(after_ms));
    bench.cancel();
    longest = std::max(longest, seconds_of([&] { bench.wait(); }));
    EXPECT_EQ(bench.run(), old);
    EXPECT_TRUE(bench.stale());
  }
  // A later edit does not wait for the one before either, nor does closing.
  bench.set_input(slow);
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  bench.set_input(small_input());
  longest = std::max(longest, seconds_of([&] { bench.wait(); }) - old->seconds_to_make());
  EXPECT_FALSE(bench.stale());
  EXPECT_EQ(bench.run()->metrics().step_time_s, old->metrics().step_time_s);
  auto closing = std::make_unique<Workbench>(test_profiles());
  closing->set_input(slow);
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  longest = std::max(longest, seconds_of([&] { closing.reset(); }));
  std::printf("stopped within %.0f ms\n", 1e3 * longest);
  EXPECT_LT(longest, 1);  // wide: sanitizers, busy machines
}

TEST(Workbench, AnInfeasibleLayoutIsAProblemWithACure) {
  Workbench bench(test_profiles());
  bench.set_input(example_input());
  bench.edit("layout.recompute", "none");
  bench.wait();
  ASSERT_EQ(bench.problems().size(), 1U);
  EXPECT_EQ(bench.problems()[0].code, "infeasible");
  ASSERT_FALSE(bench.problems()[0].cure.empty());
  for (const auto& [key, value] : bench.problems()[0].cure) bench.edit(key, value);
  bench.wait();
  EXPECT_TRUE(bench.problems().empty());
  EXPECT_TRUE(bench.run()->feasible());
}

TEST(TableModel, ShowsTextsSortsByNumbersAndBearsBadIndices) {
  TableModel model;
  model.set_table({"t", "T", {{"a", "A", false}, {"b", "B, s"}}, {{"x", Cell("1.5", 1.5, "s")}, {"y"}}, {}});
  EXPECT_EQ(model.rowCount(), 2);
  EXPECT_EQ(model.data(model.index(0, 1), Qt::UserRole).toDouble(), 1.5);
  EXPECT_FALSE(model.data(model.index(1, 1), Qt::DisplayRole).isValid());
  EXPECT_FALSE(model.data({}, Qt::DisplayRole).isValid());
  EXPECT_EQ(model.headerData(1, Qt::Horizontal, Qt::DisplayRole).toString(), "B, s");
}

}  // namespace
}  // namespace orrery::gui
