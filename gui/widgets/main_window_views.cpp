#include <QDockWidget>
#include <QPushButton>
#include <QSpinBox>
#include <QStackedWidget>
#include <QTabWidget>
#include <algorithm>

#include "gui/widgets/main_window.hpp"

// Perspectives, and views by name.

namespace orrery::gui {

void MainWindow::set_perspective(Perspective perspective) {
  perspective_ = perspective;
  pages_->setCurrentIndex(static_cast<int>(perspective));
  const bool schedule = perspective == Perspective::kSchedule;
  for (auto& [name, dock] : docks_) {
    const bool edited = name == "Scenario" && perspective == Perspective::kCompare;
    dock->setVisible(schedule || edited);
  }
  if (schedule) docks_.at(bench_.problems().empty() ? "Waterfall" : "Problems")->raise();
  for (const auto& [p, id] : {std::pair{Perspective::kSchedule, "perspective-schedule"},
                              {Perspective::kPlan, "perspective-plan"},
                              {Perspective::kCompare, "perspective-compare"},
                              {Perspective::kReport, "perspective-report"}})
    actions_.at(id)->setChecked(p == perspective);
  if (perspective == Perspective::kCompare) compare_->a()->setFocus();
  if (perspective == Perspective::kPlan) plan_->prepare(), plan_->question()->run_button()->setFocus();
  if (perspective == Perspective::kReport) show_report();
  if (schedule) timeline_->setFocus();
}

std::vector<std::string> MainWindow::views() {
  return {"schedule",     "cluster",        "rank",          "operators",    "waterfall",          "memory",
          "memory-time",  "roofline",       "links",         "power",        "problems",           "plan",
          "plan-scatter", "plan-heat",      "plan-parallel", "plan-reasons", "plan-words",         "sweep",
          "sweep-heat",   "sweep-parallel", "sweep-reasons", "compare",      "compare-microbatch", "report",
          "help"};
}

bool MainWindow::show_view(const std::string& name) {
  const std::map<std::string, Level> levels{{"schedule", Level::kPipeline},
                                            {"cluster", Level::kCluster},
                                            {"rank", Level::kRank},
                                            {"operators", Level::kOperators}};
  if (const auto level = levels.find(name); level != levels.end()) {
    set_perspective(Perspective::kSchedule);
    timeline_->set_level(level->second, timeline_->state().rank);
    return true;
  }
  if (const auto chart = charts_.find(name); chart != charts_.end()) {
    set_perspective(Perspective::kSchedule);
    docks_.at(chart->second->objectName().toStdString())->raise();
    return true;
  }
  if (name == "problems")
    return set_perspective(Perspective::kSchedule), docks_.at("Problems")->raise(), true;
  static const std::vector<std::string> kPlanTabs{"", "-scatter", "-heat", "-parallel", "-reasons", "-words"};
  for (const auto& [first, mode] : {std::pair{"plan", PlanMode::kBest}, {"sweep", PlanMode::kGrid}}) {
    if (!name.starts_with(first)) continue;
    const auto tab = std::find(kPlanTabs.begin(), kPlanTabs.end(), name.substr(std::string(first).size()));
    if (tab == kPlanTabs.end()) return false;
    set_perspective(Perspective::kPlan);
    plan_->question()->set_mode(mode);
    plan_->tabs()->setCurrentIndex(static_cast<int>(tab - kPlanTabs.begin()));
    return true;
  }
  if (name == "compare" || name == "compare-microbatch") {
    set_perspective(Perspective::kCompare);
    compare_->set_alignment(name == "compare" ? Alignment::kStart : Alignment::kMicrobatch);
    // One from the middle of the step.
    if (name != "compare")
      compare_->set_anchor({ActionKind::kForward, 0, compare_->microbatch()->maximum() / 2});
    return true;
  }
  if (name == "report") return set_perspective(Perspective::kReport), true;
  if (name == "help") return run_action("help"), true;
  return false;
}

}  // namespace orrery::gui
