#include <QApplication>
#include <QClipboard>
#include <QInputDialog>
#include <QLineEdit>
#include <QListWidget>
#include <QSignalSpy>
#include <QTableView>
#include <QTableWidget>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <QToolButton>
#include <QTreeWidget>
#include <QUndoStack>
#include <QWheelEvent>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "gui/core/actions.hpp"
#include "gui/core/selection.hpp"
#include "gui/widgets/dialogs.hpp"
#include "gui/widgets/main_window.hpp"
#include "tests/gui/window_support.hpp"

// The window from outside: keys, mouse, files. One window with DeepSeek-V3 serves all tests.

namespace orrery::gui {
namespace {

class WindowTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    window_ = example_window();
    initial_ = window_->bench().input();
    window_->resize(1600, 900);
    window_->show();
    QVERIFY(QTest::qWaitForWindowExposed(window_.get()));
    window_->activateWindow();
    timeline()->setFocus();
    QVERIFY(QTest::qWaitForWindowActive(window_.get()));
  }
  void init() {
    // A dialog that closes does not hand the activation back on the offscreen platform.
    window_->show();
    QApplication::setActiveWindow(window_.get());
    window_->set_perspective(Perspective::kSchedule);
    TimelineState state;
    state.selected = SliceId{"rank 5", 60};
    timeline()->set_state(state);
    timeline()->set_level(Level::kPipeline, 0);
    timeline()->setFocus();
  }
  void cleanupTestCase() { window_.reset(); }

  // ---- first screen
  void opensWithDeepSeekSimulatedAndASliceSelected() {
    MainWindow fresh(test_profiles(), {});
    fresh.open_example(0);
    fresh.bench().wait();
    QCOMPARE(fresh.tiles()->tiles().size(), std::size_t{7});
    QVERIFY(fresh.timeline()->state().selected.has_value());
    QVERIFY(fresh.tiles()->tiles()[0].published.find("19.93 s") != std::string::npos);
    QVERIFY(fresh.details_table()->rowCount() > 5);
  }

  // ---- every row of the key table
  void everyKeyDoesWhatTheTableSays_data() {
    QTest::addColumn<QString>("id");
    QTest::addColumn<QString>("key");
    for (const ActionInfo& a : actions()) {
      if (a.scope == Scope::kMouse) continue;
      std::istringstream keys{std::string(a.keys)};
      for (std::string key; keys >> key;)
        QTest::newRow((std::string(a.id) + " " + key).c_str())
            << QString::fromUtf8(a.id.data(), static_cast<qsizetype>(a.id.size()))
            << QString::fromStdString(key);
    }
  }
  void everyKeyDoesWhatTheTableSays() {
    QFETCH(QString, id);
    QFETCH(QString, key);
    const std::map<QString, std::function<void()>> prepare{
        {"redo",
         [&] { window_->scenario_panel()->edit("economics.pue", "1.3"), window_->undo_stack()->undo(); }},
        {"undo", [&] { window_->scenario_panel()->edit("economics.pue", "1.3"); }},
        {"ascend", [&] { timeline()->set_level(Level::kRank, 3); }},
        {"back", [&] { timeline()->act("zoom-in"); }},
        {"forward", [&] { timeline()->act("zoom-in"), timeline()->back(); }},
        {"unmark", [&] { timeline()->add_mark("x"); }},
        {"row-up", [&] { timeline()->go_to_row("rank 9"); }},
        {"pan-left", [&] { timeline()->show_range(8e12, 9e12); }},
        {"pan-right", [&] { timeline()->show_range(8e12, 9e12); }},
        {"zoom-out", [&] { timeline()->show_range(8e12, 9e12); }},
        {"fit-all", [&] { timeline()->show_range(8e12, 9e12); }},
        {"focus", [&] { timeline()->show_range(8e12, 9e12); }},
        {"copy", [&] { QApplication::clipboard()->clear(); }},
        {"copy-markdown", [&] { QApplication::clipboard()->clear(); }},
        {"swap",
         [&] {
           window_->run_action("keep-b"), window_->scenario_panel()->edit("economics.pue", "1.4"),
               window_->bench().wait();
         }},
        {"cancel", [&] { window_->bench().rerun(); }},
        {"vary",
         [&] {
           QTreeWidget* tree = window_->scenario_panel()->tree();
           tree->setCurrentItem(tree->findItems("pp", Qt::MatchExactly | Qt::MatchRecursive).front());
         }},
        {"align", [&] { window_->compare_view()->set_alignment(Alignment::kStart); }},
        {"perspective-schedule", [&] { window_->set_perspective(Perspective::kReport); }},
    };
    if (const auto p = prepare.find(id); p != prepare.end()) p->second();
    // Dialogs that would wait for a person are closed by a timer; what was open is noted.
    QString dialog;
    QTimer closer;
    connect(&closer, &QTimer::timeout, this, [&] {
      if (QWidget* modal = QApplication::activeModalWidget()) {
        dialog = modal->metaObject()->className();
        if (auto* input = qobject_cast<QInputDialog*>(modal))
          input->setTextValue("noted"), input->accept();
        else
          modal->close();
      }
    });
    closer.start(30);
    const TimelineState before = timeline()->state();
    const Input input_before = window_->bench().input();
    const Theme theme_before = window_->theme();
    const std::size_t problems_before = window_->bench().problems().size();
    press(id, key);
    const TimelineState after = timeline()->state();
    const double span0 = before.t1 > before.t0 ? before.t1 - before.t0 : static_cast<double>(makespan());
    const double span1 = after.t1 > after.t0 ? after.t1 - after.t0 : static_cast<double>(makespan());
    if (id == "zoom-in")
      QVERIFY(span1 < span0);
    else if (id == "zoom-out")
      QVERIFY(span1 > span0);
    else if (id == "pan-left")
      QVERIFY(after.t0 < before.t0 && std::abs(span1 - span0) < 2);
    else if (id == "pan-right")
      QVERIFY(after.t0 > before.t0 && std::abs(span1 - span0) < 2);
    else if (id == "row-up")
      QCOMPARE(after.current_row, before.current_row - 1);
    else if (id == "row-down")
      QCOMPARE(after.current_row, before.current_row + 1);
    else if (id == "fit-all")
      QCOMPARE(span1, static_cast<double>(makespan()));
    else if (id == "focus")
      QVERIFY(std::abs((after.t0 + after.t1) / 2 - middle_of_selection()) < span1 * 0.01 || after.t0 == 0);
    else if (id == "slice-to-range")
      QVERIFY(after.area && after.area->rows == std::vector<std::string>{"rank 5"});
    else if (id == "clear")
      QVERIFY(!after.selected);
    else if (id == "next-slice")
      QCOMPARE(after.selected->index, before.selected->index + 1);
    else if (id == "previous-slice")
      QCOMPARE(after.selected->index, before.selected->index - 1);
    else if (id == "next-flow" || id == "previous-flow")
      QVERIFY(after.selected->row != before.selected->row);
    else if (id == "select")
      QVERIFY(after.selected && *after.selected != *before.selected);
    else if (id == "descend")
      QCOMPARE(after.level, Level::kRank);
    else if (id == "ascend")
      QCOMPARE(after.level, Level::kPipeline);
    else if (id == "critical")
      QVERIFY(after.critical_only != before.critical_only);
    else if (id == "flows")
      QVERIFY(after.flows != before.flows);
    else if (id == "pin")
      QCOMPARE(after.pins.size(), std::size_t{1});
    else if (id == "mark")
      QCOMPARE(after.marks.size(), std::size_t{1});
    else if (id == "mark-note")
      QTRY_COMPARE(timeline()->state().marks.size(), std::size_t{1});
    else if (id == "unmark")
      QVERIFY(after.marks.empty());
    else if (id == "back")
      QCOMPARE(span1, static_cast<double>(makespan()));
    else if (id == "forward")
      QVERIFY(span1 < static_cast<double>(makespan()));
    else if (id == "theme")
      QVERIFY(window_->theme() != theme_before);
    else if (id == "search")
      QTRY_VERIFY(window_->search_field()->hasFocus());
    else if (id == "find-row" || id == "palette")
      QTRY_COMPARE(dialog, QString("orrery::gui::Picker"));
    else if (id == "help")
      QTRY_VERIFY(window_->findChild<QDialog*>("help") != nullptr);
    else if (id == "undo")
      QVERIFY(!(window_->bench().input() == input_before));
    else if (id == "redo")
      QVERIFY(!(window_->bench().input() == input_before));
    else if (id == "copy")
      QVERIFY(QApplication::clipboard()->text().contains("duration"));
    else if (id == "copy-markdown")
      QVERIFY(QApplication::clipboard()->text().contains("|"));
    else if (id == "keep-b")
      QVERIFY(window_->run_b() != nullptr);
    else if (id == "vary") {
      QCOMPARE(window_->perspective(), Perspective::kPlan);
      QCOMPARE(window_->plan_view()->question()->axes().front().key, std::string("layout.pp"));
    } else if (id == "align")
      QCOMPARE(window_->compare_view()->alignment(), Alignment::kMicrobatch);
    else if (id == "swap")
      QVERIFY(!(window_->bench().input() == input_before));
    else if (id == "cancel")
      QVERIFY(window_->bench().problems().size() > problems_before);
    else if (id == "rerun")
      QVERIFY(window_->bench().busy() || !window_->bench().stale());
    else if (id == "perspective-schedule")
      QCOMPARE(window_->perspective(), Perspective::kSchedule);
    else if (id == "perspective-plan")
      QCOMPARE(window_->perspective(), Perspective::kPlan);
    else if (id == "perspective-compare")
      QCOMPARE(window_->perspective(), Perspective::kCompare);
    else if (id == "perspective-report")
      QCOMPARE(window_->perspective(), Perspective::kReport);
    else if (id == "open" || id == "save-session" || id == "export-picture" || id == "export-report")
      QTRY_COMPARE(dialog, QString("QFileDialog"));
    else if (id == "quit")
      QVERIFY(!window_->isVisible());
    else
      QFAIL(qPrintable("no test for the action " + id));
    if (id == "quit") window_->show(), window_->activateWindow();
    if (QDialog* help = window_->findChild<QDialog*>("help")) help->close();
    window_->set_theme(Theme::kLight);
    window_->bench().wait();
    window_->undo_stack()->clear();
    if (window_->bench().stale() || !(window_->bench().input() == initial_)) window_->open_example(0);
    window_->bench().wait();
  }

  void everyMouseGestureDoesWhatTheTableSays() {
    std::set<std::string> untested;
    for (const ActionInfo& a : actions()) {
      if (a.scope == Scope::kMouse) untested.insert(std::string(a.id));
    }
    const auto tested = [&](const char* id) { QCOMPARE(untested.erase(id), std::size_t{1}); };
    timeline()->resize(timeline()->width(), 260);
    const TimelineGeometry g = timeline()->shape();
    const QPoint middle(static_cast<int>(g.body.x + g.body.w / 2), static_cast<int>(g.body.y + g.body.h / 2));
    wheel(middle, -120, Qt::NoModifier);
    QVERIFY(timeline()->state().scroll > 0);
    tested("m-rows");
    const double at = timeline()->shape().axis.t(middle.x());
    wheel(middle, 240, Qt::ControlModifier);
    QVERIFY(timeline()->shape().axis.span() < static_cast<double>(makespan()) * 0.7);
    QVERIFY(std::abs(timeline()->shape().axis.x(at) - middle.x()) < 0.5);
    tested("m-zoom");
    const double t0 = timeline()->state().t0;
    wheel(middle, -120, Qt::ShiftModifier);
    QVERIFY(timeline()->state().t0 > t0);
    tested("m-pan");
    drag(middle, middle + QPoint(120, 40), Qt::LeftButton, Qt::NoModifier);
    QVERIFY(timeline()->state().area.has_value());
    const double length = static_cast<double>(timeline()->state().area->t1 - timeline()->state().area->t0);
    QVERIFY(std::abs(length - 120 * timeline()->shape().axis.per_pixel()) <
            2 * timeline()->shape().axis.per_pixel());
    tested("m-drag");
    // The right edge of the range, dragged 30 pixels on.
    const int edge = static_cast<int>(
        std::lround(timeline()->shape().axis.x(static_cast<double>(timeline()->state().area->t1))));
    drag(QPoint(edge, middle.y()), QPoint(edge + 30, middle.y()), Qt::LeftButton, Qt::NoModifier);
    QVERIFY(static_cast<double>(timeline()->state().area->t1 - timeline()->state().area->t0) > length * 1.2);
    const double before_pan = timeline()->state().t0;
    drag(middle, middle + QPoint(-80, 0), Qt::LeftButton, Qt::ShiftModifier);
    QVERIFY(timeline()->state().t0 > before_pan);
    drag(middle, middle + QPoint(80, 0), Qt::MiddleButton, Qt::NoModifier);
    QVERIFY(std::abs(timeline()->state().t0 - before_pan) < 2 * timeline()->shape().axis.per_pixel());
    tested("m-pan-drag");
    timeline()->act("clear");
    const QPoint slice = busy_point();
    QTest::mouseClick(timeline(), Qt::LeftButton, {}, slice);
    QVERIFY(timeline()->state().selected.has_value());
    const TimelineGeometry h = timeline()->shape();
    QTest::mouseClick(
        timeline(), Qt::LeftButton, {},
        QPoint(static_cast<int>(h.overview.x + h.overview.w * 0.8), static_cast<int>(h.overview.y + 5)));
    QVERIFY(timeline()->shape().axis.t0 > static_cast<double>(makespan()) * 0.3);
    tested("m-click");
    QTest::mouseDClick(timeline(), Qt::LeftButton, {}, busy_point());
    QVERIFY(timeline()->shape().axis.span() < static_cast<double>(makespan()) * 0.05);
    QTest::mouseDClick(timeline(), Qt::LeftButton, {}, QPoint(20, static_cast<int>(h.body.y + h.body.h / 2)));
    QCOMPARE(timeline()->state().level, Level::kRank);
    tested("m-double");
    untested.erase("search-next");  // keys of the search field: searchGoesThroughItsHits
    untested.erase("search-previous");
    QVERIFY(untested.empty());
    window_->resize(1601, 900);
    window_->resize(1600, 900);
  }

  void tabWalksTheRowsAndLeavesAfterTheLast() {
    const int rows = static_cast<int>(timeline()->row_names().size());
    timeline()->go_to_row(timeline()->row_names().front());
    for (int i = 1; i < rows; ++i) QTest::keyClick(timeline(), Qt::Key_Tab);
    QVERIFY(timeline()->hasFocus());
    QCOMPARE(timeline()->state().current_row, rows - 1);
    QTest::keyClick(timeline(), Qt::Key_Tab);
    QVERIFY(!timeline()->hasFocus());
  }

  void searchGoesThroughItsHits() {
    window_->search_field()->setFocus();
    window_->search_field()->clear();
    QTest::keyClicks(window_->search_field(), "mb:12 stage:3");
    QTest::keyClick(window_->search_field(), Qt::Key_Return);
    window_->settle();
    const std::size_t n = timeline()->state().hits.size();
    QVERIFY(n >= 2 && n <= 3);
    QCOMPARE(timeline()->hit(), 0);
    QTest::keyClick(window_->search_field(), Qt::Key_Return);
    QCOMPARE(timeline()->hit(), 1);
    QTest::keyClick(window_->search_field(), Qt::Key_Return, Qt::ShiftModifier);
    QCOMPARE(timeline()->hit(), 0);
    const std::size_t problems = window_->bench().problems().size();
    window_->search_field()->setText("microbatch:12");
    QTest::keyClick(window_->search_field(), Qt::Key_Return);
    QCOMPARE(window_->bench().problems().size(), problems + 1);
    QVERIFY(
        QString::fromStdString(window_->bench().problems().back().text).contains("unknown key 'microbatch'"));
  }

  void aClickOnATileShowsHowItComesAbout() {
    QTest::mouseClick(window_->tiles()->buttons()[0], Qt::LeftButton);
    QVERIFY(window_->details_table()->rowCount() > 5);
    bool formula = false;
    for (int r = 0; r < window_->details_table()->rowCount(); ++r)
      formula = formula || window_->details_table()->item(r, 0)->text() == "formula";
    QVERIFY(formula);
  }

  void theRangeIsClearedByItsButton() {
    timeline()->act("slice-to-range");
    QVERIFY(timeline()->state().area.has_value());
    QToolButton* clear = nullptr;
    for (QToolButton* b : window_->findChildren<QToolButton*>()) {
      if (b->accessibleName() == "Clear the range") clear = b;
    }
    QVERIFY(clear != nullptr && clear->isVisible());
    QTest::mouseClick(clear, Qt::LeftButton);
    QVERIFY(!timeline()->state().area.has_value());
    QVERIFY(!clear->isVisible());
  }

 private:
  TimelineView* timeline() { return window_->timeline(); }
  std::int64_t makespan() { return timeline()->run()->makespan(); }
  double middle_of_selection() {
    const TimelineRow* row =
        find_row(*timeline()->run(), timeline()->state(), timeline()->state().selected->row);
    const std::size_t i = timeline()->state().selected->index;
    return static_cast<double>(row->slices.begin[i] + row->slices.end[i]) / 2;
  }
  void press(const QString& id, const QString& key) {
    QWidget* target = timeline();
    if (id == "perspective-schedule") target = window_.get();
    const QKeyCombination combination = QKeySequence(key)[0];
    QTest::keyClick(target, combination.key(), combination.keyboardModifiers());
    QCoreApplication::processEvents();
  }
  void wheel(QPoint at, int angle, Qt::KeyboardModifiers modifiers) {
    QWheelEvent event(at, timeline()->mapToGlobal(at), {}, {0, angle}, Qt::NoButton, modifiers,
                      Qt::NoScrollPhase, false);
    QCoreApplication::sendEvent(timeline(), &event);
  }
  void drag(QPoint from, QPoint to, Qt::MouseButton button, Qt::KeyboardModifiers modifiers) {
    QTest::mousePress(timeline(), button, modifiers, from);
    for (int i = 1; i <= 4; ++i) {
      const QPointF at = QPointF(from) + (QPointF(to) - QPointF(from)) * i / 4;
      QMouseEvent move(QEvent::MouseMove, at, timeline()->mapToGlobal(at), Qt::NoButton, button, modifiers);
      QCoreApplication::sendEvent(timeline(), &move);
    }
    QTest::mouseRelease(timeline(), button, modifiers, to);
  }
  /// A point on a slice that is busy.
  QPoint busy_point() {
    const TimelineGeometry g = timeline()->shape();
    for (double y = g.body.h - 20; y > 0; y -= 9) {
      for (double x = g.body.w * 0.4; x < g.body.w; x += 3) {
        if (slice_at(g, g.body.x + x, g.body.y + y))
          return QPoint(static_cast<int>(g.body.x + x), static_cast<int>(g.body.y + y));
      }
    }
    return {};
  }

  Input initial_;
  std::unique_ptr<MainWindow> window_;
};

}  // namespace
}  // namespace orrery::gui

QTEST_MAIN(orrery::gui::WindowTest)
#include "tst_window.moc"
