#include <QAbstractItemModelTester>
#include <QAccessible>
#include <QApplication>
#include <QTableView>
#include <QTest>

#include "gui/core/actions.hpp"
#include "tests/gui/window_support.hpp"

// What a screen reader, a table and a change of theme find in the window.

namespace orrery::gui {
namespace {

class AccessibleTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    window_ = example_window();
    window_->resize(1600, 900);
    window_->show();
    QVERIFY(QTest::qWaitForWindowExposed(window_.get()));
  }
  void init() { window_->set_perspective(Perspective::kSchedule); }
  void cleanupTestCase() { window_.reset(); }

  void modelsAreSound() {
    for (const char* name : {"waterfall", "memory", "roofline", "links", "power"}) {
      QAbstractItemModelTester tester(window_->chart(name)->table()->model(),
                                      QAbstractItemModelTester::FailureReportingMode::QtTest);
      QVERIFY(window_->chart(name)->table()->model()->rowCount() > 0);
    }
  }

  void everyFocusableWidgetHasANameAndEveryActionAText_data() {
    QTest::addColumn<int>("perspective");
    QTest::newRow("schedule") << 0;
    QTest::newRow("plan") << 1;
    QTest::newRow("compare") << 2;
    QTest::newRow("report") << 3;
  }
  void everyFocusableWidgetHasANameAndEveryActionAText() {
    QFETCH(int, perspective);
    window_->set_perspective(static_cast<Perspective>(perspective));
    for (QWidget* w : window_->findChildren<QWidget*>()) {
      if (w->focusPolicy() == Qt::NoFocus || !w->isVisibleTo(window_.get())) continue;
      if (w->objectName().startsWith("qt_") || w->metaObject()->className() == QString("QTabBar")) continue;
      const bool internal = QString(w->metaObject()->className()).startsWith("QDockWidget");
      QVERIFY2(internal || !w->accessibleName().isEmpty() || !w->windowTitle().isEmpty() ||
                   w->property("text").isValid(),
               qPrintable(QString(w->metaObject()->className()) + " " + w->objectName() + " in " +
                          w->parentWidget()->metaObject()->className()));
    }
    for (const ActionInfo& a : actions()) QVERIFY(!a.text.empty());
  }

  void theTimelineSpeaks() {
    QAccessibleInterface* view = QAccessible::queryAccessibleInterface(timeline());
    QVERIFY(view != nullptr);
    QCOMPARE(view->childCount(), static_cast<int>(timeline()->row_names().size()));
    QCOMPARE(view->child(3)->text(QAccessible::Name), QString::fromStdString(timeline()->row_names()[3]));
    timeline()->select(SliceId{"rank 5", 60});
    QVERIFY(view->text(QAccessible::Description).startsWith("rank 5, "));
    QVERIFY(timeline()->accessibleDescription().contains("ms"));
  }

  void themesChangeWhileTheWindowIsOpen() {
    QImage last;
    for (int t = 0; t < kThemeCount; ++t) {
      window_->set_theme(static_cast<Theme>(t));
      const QImage picture = timeline()->grab().toImage();
      QVERIFY(picture != last);
      last = picture;
    }
    window_->set_theme(Theme::kLight);
  }

 private:
  TimelineView* timeline() { return window_->timeline(); }

  std::unique_ptr<MainWindow> window_;
};

}  // namespace
}  // namespace orrery::gui

QTEST_MAIN(orrery::gui::AccessibleTest)
#include "tst_accessible.moc"
