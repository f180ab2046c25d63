#include <gtest/gtest.h>

#include "gui/core/plan_cart.hpp"
#include "gui/core/plan_values.hpp"
#include "gui/core/report_file.hpp"
#include "gui/core/report_sections.hpp"
#include "gui/core/scene_stack.hpp"
#include "gui/core/vary.hpp"
#include "planner/report/document_json.hpp"
#include "tests/gui/support.hpp"

// What a click hands on: values to vary an input over, layouts side by side, chosen sections, pictures below
// one another.

namespace orrery::gui {
namespace {

using Strings = std::vector<std::string>;

TEST(Vary, TakesWhatAPlanWouldSearchElseHalfAndDouble) {
  const Scenario& s = deepseek()->scenario();
  const Strings schedules = values_to_vary(s, "layout.schedule", "dualpipe");
  EXPECT_NE(std::find(schedules.begin(), schedules.end(), "1f1b"), schedules.end());
  EXPECT_NE(std::find(schedules.begin(), schedules.end(), "dualpipe"), schedules.end());
  const Strings pp = values_to_vary(s, "layout.pp", "16");
  EXPECT_NE(std::find(pp.begin(), pp.end(), "16"), pp.end());
  EXPECT_GT(pp.size(), 2U);
  EXPECT_EQ(values_to_vary(s, "training.global_batch_size", "15360"), (Strings{"7680", "15360", "30720"}));
  EXPECT_EQ(values_to_vary(s, "economics.usd_per_gpu_hour", "2.5"), (Strings{"2", "2.5", "3.125"}));
  // A power usage effectiveness is at least 1, so 0.8 times 1.2 is left out.
  EXPECT_EQ(values_to_vary(s, "economics.pue", "1.2"), (Strings{"1.2", "1.5"}));
  EXPECT_EQ(values_to_vary(s, "layout.sequence_parallel", "false"), (Strings{"false", "true"}));
  EXPECT_EQ(values_to_vary(s, "economics.grid", "CN"), Strings{"CN"});
  EXPECT_EQ(values_to_vary(s, "training.mtp", "not given"), Strings{"not given"});
}

PlanItem layout(const char* pp, double step) {
  PlanItem item;
  item.row.status = "ok";
  item.row.inputs = {{"layout.pp", pp}, {"layout.tp", "1"}};
  item.row.metrics.resize(sweep_metrics().size());
  item.row.metrics[static_cast<std::size_t>(metric_index("step_time_s"))] = step;
  return item;
}

TEST(Cart, HoldsFourLayoutsAndEachOnce) {
  PlanCart cart;
  EXPECT_TRUE(cart.add(layout("2", 10)));
  EXPECT_FALSE(cart.add(layout("2", 10)));
  EXPECT_TRUE(cart.add(layout("4", 12)));
  EXPECT_TRUE(cart.add(layout("8", 8)));
  EXPECT_TRUE(cart.add(layout("16", 9)));
  EXPECT_TRUE(cart.full());
  EXPECT_FALSE(cart.add(layout("32", 7)));
  cart.remove(9);  // there is none
  cart.remove(1);
  EXPECT_EQ(cart.items().size(), 3U);
  EXPECT_TRUE(cart.add(layout("32", 7)));
}

TEST(Cart, ShowsFiguresWithTheChangeToTheFirstAndInputsThatDiffer) {
  PlanCart cart;
  EXPECT_TRUE(cart.table().rows.empty());
  (void)cart.add(layout("2", 10));
  (void)cart.add(layout("4", 12));
  const Table t = cart.table();
  ASSERT_EQ(t.columns.size(), 3U);
  ASSERT_EQ(t.rows.size(), 2U);  // the step time, the only figure there is, and layout.pp
  EXPECT_EQ(t.rows[0][0].text, "step time, s");
  EXPECT_EQ(*t.rows[0][1].value, 10);
  EXPECT_EQ(t.rows[0][2].text, "12.00 (+20.0 %)");
  EXPECT_EQ(t.rows[1][0].text, "layout.pp");
  EXPECT_EQ(t.rows[1][2].text, "4");
}

TEST(ReportSections, LeaveOutWhatIsNotWantedAndSayWhat) {
  const Document whole =
      run_report(*deepseek(), test_profiles(), {"example", "test", "orrery report"}, false);
  ASSERT_GT(whole.sections.size(), 3U);
  EXPECT_EQ(without_sections(whole, {}), whole);
  const Section& out = whole.sections[1];
  const Document part = without_sections(whole, {out.key});
  EXPECT_EQ(part.sections.size(), whole.sections.size());  // one less, and the one that names it
  for (const Section& s : part.sections) EXPECT_NE(s.key, out.key);
  EXPECT_NE(part.sections.back().paragraphs[0].find(out.title), std::string::npos);
  // It is a report still: the reader of its own format takes it.
  EXPECT_EQ(parse_document(to_json_text(part), "part"), part);
}

TEST(SceneStack, PutsOnePictureBelowAnother) {
  Scene top{100, 40, {}, {}};
  top.new_layer().rects.push_back({{0, 0, 100, 40}, Ink::kForward});
  Scene below{120, 30, {}, {}};
  SceneLayer& layer = below.new_layer({0, 5, 120, 20});
  layer.rects.push_back({{1, 2, 3, 4}, Ink::kForward});
  layer.lines.push_back({0, 1, 2, 3});
  layer.dots.push_back({5, 6});
  layer.texts.push_back({{7, 8, 9, 10}, "x"});
  layer.curves.push_back({{{1, 1}}});
  layer.strips.push_back({0, 12, 3, {}});
  below.hits.push_back({{0, 3, 5, 5}, 7, {}});
  append_below(top, below);
  EXPECT_EQ(top.width, 120);
  EXPECT_EQ(top.height, 70);
  const SceneLayer& moved = top.layers.back();
  EXPECT_EQ(moved.clip.y, 45);
  EXPECT_EQ(moved.rects[0].box, (Box{1, 42, 3, 4}));
  EXPECT_EQ(moved.lines[0].y2, 43);
  EXPECT_EQ(moved.dots[0].y, 46);
  EXPECT_EQ(moved.texts[0].box.y, 48);
  EXPECT_EQ(moved.curves[0].points[0].y, 41);
  EXPECT_EQ(moved.strips[0].y, 52);
  EXPECT_EQ(top.hit(2, 45)->id, 7);
}

}  // namespace
}  // namespace orrery::gui
