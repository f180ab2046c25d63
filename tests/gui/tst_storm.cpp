#include <QAbstractButton>
#include <QApplication>
#include <QComboBox>
#include <QDialog>
#include <QElapsedTimer>
#include <QLineEdit>
#include <QPushButton>
#include <QTabWidget>
#include <QTableWidget>
#include <QTemporaryDir>
#include <QTest>
#include <QWheelEvent>
#include <functional>
#include <random>
#include <set>

#include "gui/core/actions.hpp"
#include "gui/widgets/main_window.hpp"
#include "tests/gui/support.hpp"

// Random events from everywhere, in an order that a seed decides. ORRERY_STORM_SECONDS makes it last (60
// under the sanitizers is what docs/gui.md reports), ORRERY_STORM_SEED makes it another one.

namespace orrery::gui {
namespace {

class StormTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    QVERIFY(folder_.isValid());
    random_.seed(static_cast<unsigned>(qEnvironmentVariableIntValue("ORRERY_STORM_SEED")) + 20251125U);
    window_ = std::make_unique<MainWindow>(test_profiles(), folder_.filePath("recent.ini"));
    window_->open_example(0);
    window_->bench().wait();
    window_->show();
    for (const ActionInfo& a : actions()) {
      if (a.scope != Scope::kMouse && kWaitForAPerson.count(a.id) == 0) ids_.emplace_back(a.id);
    }
  }
  void cleanupTestCase() { window_.reset(); }

  void aStormOfEventsBreaksNothing() {
    const int seconds = qEnvironmentVariableIntValue("ORRERY_STORM_SECONDS");
    const std::vector<std::function<void()>> gusts{
        [this] { window_->run_action(ids_[below(ids_.size())]); },
        [this] { click(); },
        [this] { drag(); },
        [this] { wheel(); },
        [this] { key(); },
        [this] { chart(); },
        [] { QCoreApplication::processEvents(); },
        [this] { seldom(5, [this] { edit(); }); },
        [this] { seldom(10, [this] { window_->resize(1 + number(1900), 1 + number(1100)); }); },
        [this] { seldom(6, [this] { plan(); }); },
        [this] { seldom(6, [this] { search(); }); },
        [this] { seldom(25, [this] { file(); }); },
    };
    QElapsedTimer clock;
    clock.start();
    int events = 0;
    while (seconds > 0 ? clock.elapsed() < seconds * 1000 : events < 600) {
      ++events;
      gusts[below(gusts.size())]();
      for (QWidget* top : QApplication::topLevelWidgets()) {
        if (qobject_cast<QDialog*>(top) != nullptr) top->close();
      }
    }
    window_->plan_view()->cancel();
    window_->plan_view()->wait();
    window_->settle();
    QCoreApplication::processEvents();
    qInfo("%d events in %.1f s, %zu problems named", events, static_cast<double>(clock.elapsed()) * 1e-3,
          window_->bench().problems().size());
    QVERIFY(window_->bench().run() != nullptr);
    for (const Problem& p : window_->bench().problems()) QVERIFY2(p.code != "internal", p.text.c_str());
  }

  void closingWhileEverythingRunsIsSafe() {
    window_->open_example(0);
    window_->bench().wait();
    window_->set_perspective(Perspective::kReport);
    window_->plan_view()->start();
    window_->export_report(folder_.filePath("closing.html"));
    window_->search_field()->setText("mb:3");
    QTest::keyClick(window_->search_field(), Qt::Key_Return);
    window_->bench().rerun();
    window_.reset();
  }

 private:
  inline static const std::set<std::string_view> kWaitForAPerson{
      "open",          "save-session",  "export-picture", "export-trace",
      "export-result", "export-report", "quit",           "mark-note"};

  std::size_t below(std::size_t n) { return random_() % n; }
  int number(int n) { return static_cast<int>(below(static_cast<std::size_t>(n))); }
  void seldom(int once_in, const std::function<void()>& what) {
    if (number(once_in) == 0) what();
  }
  TimelineView* view() {
    const int which = number(8);
    return which == 0   ? window_->compare_view()->a()
           : which == 1 ? window_->compare_view()->b()
                        : window_->timeline();
  }
  QPoint somewhere(QWidget* in) {
    return {number(std::max(1, in->width())), number(std::max(1, in->height()))};
  }

  void click() {
    TimelineView* at = view();
    if (number(2) == 0)
      QTest::mouseClick(at, Qt::LeftButton, {}, somewhere(at));
    else
      QTest::mouseDClick(at, Qt::LeftButton, {}, somewhere(at));
  }
  void drag() {
    TimelineView* in = view();
    const QPoint at = somewhere(in);
    QTest::mousePress(in, number(2) == 0 ? Qt::LeftButton : Qt::MiddleButton, {}, at);
    QTest::mouseMove(in, at + QPoint(number(300) - 150, number(100) - 50));
    QTest::mouseRelease(in, Qt::LeftButton, {}, at + QPoint(number(300) - 150, 0));
  }
  void wheel() {
    TimelineView* in = view();
    const QPoint at = somewhere(in);
    QWheelEvent event(at, in->mapToGlobal(at), {}, {0, number(960) - 480}, Qt::NoButton,
                      number(2) == 0 ? Qt::ControlModifier : Qt::NoModifier, Qt::NoScrollPhase, false);
    QCoreApplication::sendEvent(in, &event);
  }
  void key() {
    static const std::vector<Qt::Key> kKeys{
        Qt::Key_W,      Qt::Key_A,     Qt::Key_S,      Qt::Key_D,         Qt::Key_Left, Qt::Key_Right,
        Qt::Key_Up,     Qt::Key_Down,  Qt::Key_0,      Qt::Key_F,         Qt::Key_R,    Qt::Key_Escape,
        Qt::Key_Period, Qt::Key_Comma, Qt::Key_K,      Qt::Key_T,         Qt::Key_P,    Qt::Key_M,
        Qt::Key_Delete, Qt::Key_Space, Qt::Key_Return, Qt::Key_Backspace, Qt::Key_Tab,  Qt::Key_Home};
    QTest::keyClick(view(), kKeys[below(kKeys.size())], number(6) == 0 ? Qt::ShiftModifier : Qt::NoModifier);
  }
  void chart() {
    static const std::vector<std::string> kCharts{"waterfall", "memory", "memory-time",
                                                  "roofline",  "links",  "power"};
    ChartView* in = window_->chart(kCharts[below(kCharts.size())]);
    if (number(8) == 0) in->show_table(number(2) == 0);
    QTest::mouseClick(in->canvas(), Qt::LeftButton, {}, somewhere(in->canvas()));
    QTest::keyClick(in->canvas(), number(2) == 0 ? Qt::Key_Down : Qt::Key_Escape);
  }
  void edit() {
    static const std::vector<std::pair<std::string, std::vector<std::string>>> kEdits{
        {"layout.pp", {"8", "16", "3", "0", "x"}},
        {"training.global_batch_size", {"15360", "7680", "15361"}},
        {"layout.schedule", {"1f1b", "dualpipe", "zb-h1", "nonsense"}},
        {"layout.optimizer_sync", {"barrier", "post-validation"}},
        {"layout.recompute", {"none", "full", "deepseek-v3"}},
        {"economics.usd_per_gpu_hour", {"2", "", "-1"}}};
    const auto& [key, values] = kEdits[below(kEdits.size())];
    window_->scenario_panel()->edit(key, values[below(values.size())]);
  }
  void plan() {
    PlanView* plan = window_->plan_view();
    PlanQuestionPanel* question = plan->question();
    switch (number(8)) {
      case 0: question->set_mode(number(2) == 0 ? PlanMode::kBest : PlanMode::kGrid); break;
      case 1: question->limits()->setText(number(2) == 0 ? "memory<=70GB" : "memry<=x"); break;
      case 2: question->objective()->setCurrentText(number(3) == 0 ? "nonsense" : "days"); break;
      case 3: plan->cancel(); break;
      case 4: plan->tabs()->setCurrentIndex(number(plan->tabs()->count())); break;
      case 5:
        if (!plan->items().empty())
          emit plan->table()->opened(number(static_cast<int>(plan->items().size()) + 2));
        break;
      default: question->run_button()->click(); break;
    }
  }
  void search() {
    static const std::vector<const char*> kWords{"mb:1", "class:gemm", "dur>5ms", "kind:waiting",
                                                 "zz:1", "",           "rank:3"};
    window_->search_field()->setText(kWords[below(kWords.size())]);
    QTest::keyClick(window_->search_field(), Qt::Key_Return,
                    number(3) == 0 ? Qt::ShiftModifier : Qt::NoModifier);
  }
  void file() {
    switch (number(5)) {
      case 0: window_->save_session(folder_.filePath("storm.json")); break;
      case 1: window_->open_file(folder_.filePath("storm.json")); break;
      case 2: window_->export_picture(folder_.filePath("storm.svg")); break;
      case 3: window_->export_report(folder_.filePath(number(2) == 0 ? "storm.html" : "storm.xyz")); break;
      default: window_->open_example(below(examples().size())); break;
    }
  }

  QTemporaryDir folder_;
  std::mt19937 random_;
  std::vector<std::string> ids_;
  std::unique_ptr<MainWindow> window_;
};

}  // namespace
}  // namespace orrery::gui

QTEST_MAIN(orrery::gui::StormTest)
#include "tst_storm.moc"
