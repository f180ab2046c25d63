#include "gui/core/layout_search.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <thread>

#include "gui/core/plan_charts.hpp"
#include "sim/base/check.hpp"
#include "tests/gui/support.hpp"

namespace orrery::gui {
namespace {

PlanQuestion small_question(const Scenario& scenario) {
  PlanQuestion q;
  q.space = first_space(scenario, true);
  q.front = "step, memory";
  q.top = 4;
  return q;
}

const PlanAnswer& answered() {
  static const std::shared_ptr<const PlanAnswer> answer = [] {
    const auto run = Workbench::make_run(small_input(), test_profiles());
    LayoutSearch search(test_profiles());
    search.start(run->scenario(), small_question(run->scenario()));
    search.wait();
    EXPECT_EQ(search.problem(), "");
    return search.answer();
  }();
  return *answer;
}

double step_of(const PlanItem& item) {
  return *item.row.metrics[static_cast<std::size_t>(metric_index("step_time_s"))];
}

TEST(LayoutSearch, AnswersWhatThePlanAnswers) {
  const auto run = Workbench::make_run(small_input(), test_profiles());
  PlanRequest request;
  request.scenario = run->scenario();
  request.space = default_space(run->scenario());
  request.objective = parse_objective("step", "test");
  request.top = 4;
  request.sensitivity = request.auto_schedule = false;
  const PlanReport report = plan_layouts(request);
  ASSERT_EQ(report.metrics.size(), 4U);
  ASSERT_GE(answered().items.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(step_of(answered().items[i]), report.metrics[i].step_time_s);
  EXPECT_EQ(answered().candidates, static_cast<double>(report.search.candidates));
  EXPECT_TRUE(answered().complete);
  EXPECT_NE(answered().words.find("Proven"), std::string::npos);
}

TEST(LayoutSearch, EveryCandidateHasOneFate) {
  // What is evaluated one by one may turn out not to fit, and then counts under its reason, too.
  double sum = 0;
  double evaluated = 0;
  for (const Fate& fate : answered().fates) {
    sum += fate.layouts;
    if (fate.code == "evaluated") evaluated = fate.layouts;
  }
  EXPECT_GE(sum, answered().candidates);
  EXPECT_LE(sum, answered().candidates + evaluated);
  double shown = 0;
  for (const auto& row :
       reasons_chart(answered().fates, answered().candidates, 900, 300, plain_text()).table.rows)
    shown += *row[1].value;
  EXPECT_EQ(shown, sum);
}

TEST(LayoutSearch, TheEditsOfAnAnswerGiveItsLayout) {
  for (const PlanItem& item : answered().items) {
    Input input = small_input();
    input.edits.insert(input.edits.end(), item.overrides.begin(), item.overrides.end());
    const auto run = Workbench::make_run(input, test_profiles());
    EXPECT_EQ(run->metrics().step_time_s, step_of(item)) << item.found_as;
  }
}

TEST(LayoutSearch, PointsOfTheFrontGetLessMemoryForMoreTime) {
  std::vector<const PlanItem*> front;
  for (const PlanItem& item : answered().items) {
    if (item.found_as.find("front") != std::string::npos) front.push_back(&item);
  }
  ASSERT_GE(front.size(), 2U);
  std::sort(front.begin(), front.end(),
            [](const PlanItem* a, const PlanItem* b) { return step_of(*a) < step_of(*b); });
  const auto memory = static_cast<std::size_t>(metric_index("peak_bytes"));
  for (std::size_t i = 1; i < front.size(); ++i)
    EXPECT_LT(*front[i]->row.metrics[memory], *front[i - 1]->row.metrics[memory]);
}

TEST(LayoutSearch, ANearSpaceKeepsWhatTheScenarioHas) {
  const auto run = Workbench::make_run(small_input(), test_profiles());
  for (const auto& [key, values] : first_space(run->scenario(), false)) {
    if (key == "tp") {
      EXPECT_EQ(values, "2");
    } else if (key == "pp") {
      EXPECT_EQ(values, "1, 2, 4, 8");
    }
  }
}

TEST(LayoutSearch, RefusesWithThePlaceAndWhatIsNear) {
  const auto run = Workbench::make_run(small_input(), test_profiles());
  LayoutSearch search(test_profiles());
  const auto refused = [&](auto change, const char* place, const char* words) {
    PlanQuestion q = small_question(run->scenario());
    change(q);
    try {
      search.start(run->scenario(), q);
      ADD_FAILURE() << place;
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(place), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  };
  refused([](PlanQuestion& q) { q.objective = "stepp"; }, "plan/objective", "'step'");
  refused([](PlanQuestion& q) { q.limits = "memory<=76GB, tpp<=8"; }, "plan/limits", "tp");
  refused([](PlanQuestion& q) { q.front = "step"; }, "plan/front", "two or three");
  refused([](PlanQuestion& q) { q.space = {{"tp", "x"}}; }, "plan/tp", "whole numbers");
  refused([](PlanQuestion& q) { q.space = {{"tp", ""}}; }, "plan/tp", "is empty");
  EXPECT_FALSE(search.running());
}

TEST(LayoutSearch, KeepsTheBestSoFarWhenItIsCancelled) {
  LayoutSearch search(test_profiles());
  PlanQuestion q;
  q.space = first_space(deepseek()->scenario(), true);
  q.front = "step, memory";
  search.start(deepseek()->scenario(), q);
  while (search.running() && !search.progress().best)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const auto asked = std::chrono::steady_clock::now();
  search.cancel();
  search.wait();
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - asked).count();
  std::printf("stopped within %.0f ms\n", 1e3 * took);
  EXPECT_LT(took, 1);  // wide: sanitizers, busy machines
  EXPECT_EQ(search.problem(), "");
  const auto answer = search.answer();
  ASSERT_NE(answer, nullptr);
  EXPECT_FALSE(answer->complete);
  ASSERT_FALSE(answer->items.empty());
  EXPECT_GT(step_of(answer->items[0]), 0);
  EXPECT_NE(answer->words.find("Stopped early"), std::string::npos) << answer->words;
}

TEST(LayoutSearch, HoldsWhereItIsAndGoesOn) {
  LayoutSearch search(test_profiles());
  const auto run = Workbench::make_run(small_input(), test_profiles());
  search.start(run->scenario(), small_question(run->scenario()));
  search.pause();
  EXPECT_TRUE(search.paused());
  const double held = search.seconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(search.seconds(), held);
  search.resume();
  search.wait();
  ASSERT_NE(search.answer(), nullptr);
  EXPECT_TRUE(search.answer()->complete);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(step_of(search.answer()->items[i]), step_of(answered().items[i]));
  // One that is held can be closed.
  search.start(run->scenario(), small_question(run->scenario()));
  search.pause();
}

TEST(LayoutSearch, EndsSoonWhenCancelledAndWhenClosed) {
  LayoutSearch search(test_profiles());
  PlanQuestion q;
  q.space = first_space(deepseek()->scenario(), false);
  search.start(deepseek()->scenario(), q);
  search.cancel();
  search.wait();
  EXPECT_FALSE(search.running());
  EXPECT_EQ(search.problem(), "");
  search.start(deepseek()->scenario(), q);
}

}  // namespace
}  // namespace orrery::gui
