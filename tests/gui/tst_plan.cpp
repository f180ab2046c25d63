#include <QCheckBox>
#include <QFile>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QTabWidget>
#include <QTableView>
#include <QTableWidget>
#include <QTemporaryDir>
#include <QTest>
#include <QTextBrowser>
#include <QTreeWidget>

#include "gui/core/selection.hpp"
#include "gui/widgets/main_window.hpp"
#include "tests/gui/window_support.hpp"

// From an input to a sweep over it, layouts put aside, and what is written of plans, comparisons and reports.

namespace orrery::gui {
namespace {

class PlanTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    window_ = example_window();
    window_->resize(1440, 900);
    window_->show();
  }
  void cleanupTestCase() { window_.reset(); }

  void anInputIsVariedInThePlan() {
    choose("schedule");
    QCOMPARE(window_->scenario_panel()->chosen_key(), std::string("layout.schedule"));
    window_->run_action("vary");
    QCOMPARE(window_->perspective(), Perspective::kPlan);
    QTableWidget* axes = window_->plan_view()->question()->axes_table();
    QCOMPARE(window_->plan_view()->question()->mode(), PlanMode::kGrid);
    QCOMPARE(axes->item(0, 0)->text(), QString("layout.schedule"));
    QVERIFY(axes->item(0, 1)->text().contains("1f1b"));
    QCOMPARE(window_->plan_view()->question()->axes().size(), std::size_t{1});
    // A second input is another axis, the same one again is none.
    window_->set_perspective(Perspective::kSchedule);
    choose("usd_per_gpu_hour");
    window_->run_action("vary");
    window_->run_action("vary");
    QCOMPARE(window_->plan_view()->question()->axes().size(), std::size_t{2});
    axes->item(0, 1)->setText("dualpipe, 1f1b");
    axes->item(1, 1)->setText("2, 4");
    window_->plan_view()->start();
    window_->plan_view()->wait();
    QCOMPARE(window_->plan_view()->items().size(), std::size_t{4});
  }

  void whatTheFilterLeavesOutIsHollowUnlessStrict() {
    PlanView* plan = window_->plan_view();
    window_->set_perspective(Perspective::kPlan);
    plan->filter()->setText("schedule:1f1b");
    QCOMPARE(plan->items().size(), std::size_t{2});
    const auto title = [&] {
      return QString::fromStdString(
          plan->scatter()->canvas()->scene(900, 500, plain_text()).layers[0].texts[0].text);
    };
    QVERIFY(title().contains("hollow: 2 that the filter leaves out"));
    QTest::keyClick(plan->strict(), Qt::Key_Space);
    QVERIFY(plan->strict()->isChecked());
    QVERIFY(!title().contains("hollow"));
    plan->strict()->setChecked(false);
    plan->filter()->clear();
    QCOMPARE(plan->items().size(), std::size_t{4});
  }

  void layoutsAreKeptSideBySideAndOpened() {
    PlanView* plan = window_->plan_view();
    window_->set_perspective(Perspective::kPlan);
    plan->table()->select(-1);
    QTest::mouseClick(plan->keep_button(), Qt::LeftButton);
    QVERIFY(plan->cart().items().empty());
    QVERIFY(plan->question()->words().startsWith("Select a layout first"));
    for (int i : {0, 2, 0}) {
      plan->table()->select(i);
      QTest::mouseClick(plan->keep_button(), Qt::LeftButton);
    }
    QCOMPARE(plan->cart().items().size(), std::size_t{2});  // one of them twice
    QTabWidget* tabs = plan->tabs();
    QCOMPARE(tabs->tabText(tabs->count() - 1), QString("Kept (2)"));
    tabs->setCurrentIndex(tabs->count() - 1);
    QCOMPARE(plan->kept()->table()->model()->columnCount(), 3);
    const auto before = window_->bench().run();
    const double wanted =
        *plan->cart().items()[1].row.metrics[static_cast<std::size_t>(metric_index("step_time_s"))];
    for (QPushButton* button : plan->findChildren<QPushButton*>()) {
      if (button->text() == "Open 2") QTest::mouseClick(button, Qt::LeftButton);
    }
    window_->bench().wait();
    QCOMPARE(window_->bench().run()->metrics().step_time_s, wanted);
    QCOMPARE(window_->run_b(), before);
    plan->remove_kept(0);
    QCOMPARE(tabs->tabText(tabs->count() - 1), QString("Kept (1)"));
  }

  void theOpenChartOfThePlanIsExported() {
    window_->set_perspective(Perspective::kPlan);
    window_->plan_view()->tabs()->setCurrentIndex(1);
    window_->plan_view()->tabs()->setFocus();
    QVERIFY(exported("scatter.svg").contains("the line joins those that none beats in both"));
    window_->plan_view()->tabs()->setCurrentIndex(2);
    QVERIFY(exported("heat.svg").contains("the stronger the colour the better"));
  }

  void aComparisonIsExportedWithBothTimelinesAndTheDifference() {
    window_->run_action("keep-b");
    window_->set_perspective(Perspective::kCompare);
    const QByteArray svg = exported("compare.svg");
    QCOMPARE(svg.count(">rank 0<"), 2);
    QVERIFY(svg.contains("A - B, by what"));
    QVERIFY(svg.contains(">A: ") && svg.contains(">B: "));
  }

  void marksAndTheirNotesAreInTheExportedPicture() {
    window_->set_perspective(Perspective::kSchedule);
    window_->timeline()->setFocus();
    window_->timeline()->act("fit-all");
    window_->timeline()->select(SliceId{"rank 5", 60});
    window_->timeline()->add_mark("here it waits");
    QVERIFY(exported("marked.svg").contains("here it waits"));
    // Delete takes the newest of those in view: elsewhere there is none to take.
    window_->timeline()->show_range(17e12, 18e12);
    window_->timeline()->act("unmark");
    QCOMPARE(window_->timeline()->state().marks.size(), std::size_t{1});
    window_->timeline()->act("fit-all");
    window_->timeline()->act("unmark");
    QVERIFY(window_->timeline()->state().marks.empty());
  }

  void sectionsOfTheReportAreChosenHereAndInTheFile() {
    window_->open_example(0);
    window_->bench().wait();
    window_->set_perspective(Perspective::kReport);
    window_->settle();
    QListWidget* sections = window_->report_view()->sections();
    QVERIFY(sections->count() > 5);
    const QString title = sections->item(1)->text();
    const auto headings = [&] { return window_->report_view()->text()->toPlainText().count(title); };
    const auto before = headings();
    sections->setCurrentRow(1);
    sections->setFocus();
    QTest::keyClick(sections, Qt::Key_Space);
    QCOMPARE(sections->item(1)->checkState(), Qt::Unchecked);
    QVERIFY(window_->report_view()->text()->toPlainText().contains("This copy was made without: " + title));
    QVERIFY(headings() <= before);
    const QString path = folder_.filePath("report.md");
    window_->export_report(path);
    window_->settle();
    QFile file(path);
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QByteArray text = file.readAll();
    QVERIFY(text.contains("This copy was made without"));
    QVERIFY(!text.contains("## " + title.toUtf8() + "\n"));
    QTest::keyClick(sections, Qt::Key_Space);
    QVERIFY(!window_->report_view()->text()->toPlainText().contains("This copy was made without"));
  }

  void aTraceAloneLiesOnTheExampleAndIsInView() {
    const QString path = folder_.filePath("trace.json");
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(R"([{"ph":"X","name":"gemm","pid":1,"tid":7,"ts":5,"dur":1000},)"
               R"({"ph":"X","name":"nccl send","pid":1,"tid":8,"ts":6,"dur":2000}])");
    file.close();
    MainWindow fresh(test_profiles(), {});
    fresh.resize(1200, 700);
    fresh.show();
    fresh.open_file(path);
    QVERIFY(fresh.bench().run() != nullptr);
    QVERIFY(fresh.bench().problems().empty());
    QCOMPARE(fresh.timeline()->state().t1, 2001e6);  // microseconds of the trace, as picoseconds
    const TimelineGeometry g = fresh.timeline()->shape();
    int in_view = 0;
    for (const RowBox& box : g.lanes.rows) {
      if (box.row->kind == RowKind::kTrace && box.y >= 0 && box.y + box.h <= g.body.h) ++in_view;
    }
    QCOMPARE(in_view, 2);
    // Statistics are of the simulated step; the trace's rows are counted where they are chosen.
    QCOMPARE(statistics_scope(*fresh.bench().run(), fresh.timeline()->state()),
             std::string("whole step, 16 rows"));
  }

 private:
  void choose(const char* name) {
    for (QTreeWidgetItem* item :
         window_->scenario_panel()->tree()->findItems(name, Qt::MatchExactly | Qt::MatchRecursive))
      window_->scenario_panel()->tree()->setCurrentItem(item);
  }
  QByteArray exported(const char* name) {
    QCoreApplication::processEvents();  // a page that was just opened gets its size
    const QString path = folder_.filePath(name);
    window_->export_picture(path);
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
  }

  QTemporaryDir folder_;
  std::unique_ptr<MainWindow> window_;
};

}  // namespace
}  // namespace orrery::gui

QTEST_MAIN(orrery::gui::PlanTest)
#include "tst_plan.moc"
