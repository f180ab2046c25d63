#include <QApplication>
#include <QComboBox>
#include <QSpinBox>
#include <QTabWidget>
#include <QTableView>
#include <QTest>
#include <QToolButton>
#include <cmath>

#include "gui/widgets/main_window.hpp"
#include "tests/gui/window_support.hpp"

// Runs A and B in the window: aligned by start, by microbatch and by share, with keys and with the mouse.

namespace orrery::gui {
namespace {

class CompareTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    window_ = std::make_unique<MainWindow>(test_profiles(), QString());
    keep_one_f_one_b_as_b(*window_);
    window_->resize(1440, 900);
    window_->show();
    QVERIFY(QTest::qWaitForWindowExposed(window_.get()));
    QApplication::setActiveWindow(window_.get());
    window_->run_action("perspective-compare");
  }
  void cleanupTestCase() { window_.reset(); }
  void init() {
    compare()->set_alignment(Alignment::kStart);
    compare()->a()->act("fit-all");
    compare()->a()->select(std::nullopt);
    compare()->set_anchor({});
  }

  void aKeyGoesThroughTheAlignments() {
    compare()->a()->setFocus();
    for (const Alignment wanted : {Alignment::kMicrobatch, Alignment::kShare, Alignment::kStart}) {
      QTest::keyClick(compare()->a(), Qt::Key_L);
      QCOMPARE(compare()->alignment(), wanted);
      QCOMPARE(compare()->microbatch()->isEnabled(), wanted == Alignment::kMicrobatch);
    }
    // The chooser and the field are reached with Tab and have names.
    QVERIFY(compare()->chooser()->focusPolicy() & Qt::TabFocus);
    QVERIFY(compare()->microbatch()->focusPolicy() & Qt::TabFocus);
    QCOMPARE(compare()->chooser()->accessibleName(), QString("Alignment of the two runs"));
    QCOMPARE(compare()->microbatch()->accessibleName(), QString("Microbatch that begins together"));
  }

  void theMicrobatchTypedInEntersBothRunsOnOneLine() {
    compare()->chooser()->setFocus();
    QTest::keyClick(compare()->chooser(), Qt::Key_Down);
    QCOMPARE(compare()->alignment(), Alignment::kMicrobatch);
    compare()->microbatch()->setFocus();
    compare()->microbatch()->selectAll();
    QTest::keyClicks(compare()->microbatch(), "40");
    QTest::keyClick(compare()->microbatch(), Qt::Key_Return);
    const Work work{ActionKind::kForward, 0, 40};
    QCOMPARE(compare()->anchor(), work);
    QVERIFY(std::abs(pixel(compare()->a(), work) - pixel(compare()->b(), work)) < 0.01);
    QCOMPARE(compare()->a()->state().anchor.note, std::string("F40 on stage 0"));
    // 1F1B takes it in at another time than DualPipe, so one of the steps begins outside of the other.
    QVERIFY(compare()->map().shift != 0);
    QCOMPARE(compare()->a()->shape().axis.span(), compare()->b()->shape().axis.span());
  }

  void aSelectedSliceIsWhatIsAligned() {
    compare()->set_alignment(Alignment::kMicrobatch);
    const SliceId slice = *slice_of(*compare()->a()->run(), {ActionKind::kBackward, 7, 20});
    const double before = pixel(compare()->a(), *work_of(*compare()->a()->run(), slice));
    compare()->a()->select(slice);
    const Work work = *work_of(*compare()->a()->run(), slice);
    QCOMPARE(compare()->anchor(), work);
    QCOMPARE(compare()->microbatch()->value(), work.microbatch);
    QVERIFY(compare()->b()->state().selected.has_value());
    QVERIFY(std::abs(pixel(compare()->a(), work) - pixel(compare()->b(), work)) < 0.01);
    // In a view that is zoomed in, A stays where it is and B comes to it.
    const Stretch at = *when(*compare()->a()->run(), {ActionKind::kForward, 3, 60});
    compare()->a()->show_range(static_cast<double>(at.begin) - 1e12, static_cast<double>(at.end) + 1e12);
    const TimeAxis axis = compare()->a()->shape().axis;
    compare()->set_anchor({ActionKind::kForward, 3, 60});
    QCOMPARE(compare()->a()->shape().axis, axis);
    QVERIFY(std::abs(pixel(compare()->b(), {ActionKind::kForward, 3, 60}) -
                     axis.x(static_cast<double>(at.begin))) < 0.01);
    QVERIFY(before > 0);
  }

  void bothMoveTogetherInEveryAlignment() {
    const Work work{ActionKind::kForward, 2, 33};
    for (int i = 0; i < kAlignmentCount; ++i) {
      compare()->set_alignment(static_cast<Alignment>(i));
      compare()->set_anchor(work);
      compare()->a()->act("fit-all");
      compare()->a()->act("zoom-in");
      compare()->a()->act("pan-right");
      const TimeMap map = compare()->map();
      const TimeAxis a = compare()->a()->shape().axis;
      const TimeAxis b = compare()->b()->shape().axis;
      for (const double t : {a.t0, (a.t0 + a.t1) / 2, a.t1})
        QVERIFY(std::abs(b.x(map.to_b(t)) - a.x(t)) < 0.01);
    }
  }

  void theDifferenceRowHasATableAndFollowsTheView() {
    compare()->set_alignment(Alignment::kStart);
    compare()->a()->act("fit-all");
    const auto whole = compare()->over_time()->model().table();
    QVERIFY(whole.rows.size() > 20);
    QTest::mouseClick(compare()->over_time()->table_button(), Qt::LeftButton);
    QVERIFY(compare()->over_time()->table()->isVisible());
    compare()->a()->show_range(8e12, 8.5e12);
    QCOMPARE(compare()->over_time()->model().table().rows.front()[0].text, std::string("8"));
    QTest::mouseClick(compare()->over_time()->table_button(), Qt::LeftButton);
    QCOMPARE(compare()->microbatches()->model().table().rows.size(), std::size_t{120});
  }

 private:
  CompareView* compare() { return window_->compare_view(); }
  /// Where a view shows the begin of a piece of work.
  static double pixel(TimelineView* view, const Work& work) {
    return view->shape().axis.x(static_cast<double>(when(*view->run(), work)->begin));
  }

  std::unique_ptr<MainWindow> window_;
};

}  // namespace
}  // namespace orrery::gui

QTEST_MAIN(orrery::gui::CompareTest)
#include "tst_compare.moc"
