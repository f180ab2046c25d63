#include <QApplication>
#include <QFontDatabase>
#include <QStyleFactory>
#include <QTabBar>
#include <QTest>
#include <QToolButton>

#include "gui/widgets/hint_strip.hpp"
#include "gui/widgets/main_window.hpp"
#include "gui/widgets/scene_painter.hpp"
#include "tests/gui/support.hpp"

// Windows from small to large: nothing of the headline, of the hints and of the panels' names is cut. The
// same program runs with two device pixels for each of a window's (QT_SCALE_FACTOR=2).

namespace orrery::gui {
namespace {

class SizesTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    QApplication::setStyle(QStyleFactory::create("Fusion"));
    if (QFontDatabase::families().contains("DejaVu Sans")) QApplication::setFont(QFont("DejaVu Sans", 9));
    Input other = example_input();
    other.edits.push_back({"layout.schedule", "1f1b", "test"});
    b_ = other;
  }

  void theScaleIsTheOneAskedFor() {
    const QString wanted = qEnvironmentVariable("QT_SCALE_FACTOR", "1");
    QCOMPARE(QWidget().devicePixelRatioF(), wanted.toDouble());
  }

  void nothingIsCut_data() {
    QTest::addColumn<QSize>("size");
    QTest::addColumn<bool>("compared");
    for (const QSize& size : {QSize(1024, 768), QSize(1280, 800), QSize(1440, 900), QSize(1920, 1080)}) {
      for (const bool compared : {false, true})
        QTest::newRow(qPrintable(
            QString("%1x%2%3").arg(size.width()).arg(size.height()).arg(compared ? " with B" : "")))
            << size << compared;
    }
  }
  void nothingIsCut() {
    QFETCH(QSize, size);
    QFETCH(bool, compared);
    MainWindow window(test_profiles(), QString());
    window.resize(size);
    if (compared) {
      window.bench().set_input(b_);
      window.bench().wait();
      window.run_action("keep-b");
    }
    window.open_example(0);
    window.settle();
    window.show();
    QCoreApplication::processEvents();
    QCoreApplication::processEvents();
    for (const Perspective perspective :
         {Perspective::kSchedule, Perspective::kPlan, Perspective::kCompare, Perspective::kReport}) {
      window.set_perspective(perspective);
      QCoreApplication::processEvents();
      QCOMPARE(window.size(), size);  // it has not grown because something needed more room
      checkTiles(window);
      for (QToolButton* hint : window.findChild<HintStrip*>()->buttons()) {
        if (hint->isVisible()) QVERIFY2(hint->width() >= hint->sizeHint().width(), qPrintable(hint->text()));
      }
    }
    for (QTabBar* bar : window.findChildren<QTabBar*>()) QVERIFY(bar->elideMode() == Qt::ElideNone);
  }

  void aNarrowWindowMakesTheRowHigherAndAWideOneLowerAgain() {
    MainWindow window(test_profiles(), QString());
    window.resize(1920, 1080);
    window.open_example(0);
    window.settle();
    window.show();
    QCoreApplication::processEvents();
    const int wide = window.tiles()->height();
    window.resize(1024, 768);
    QCoreApplication::processEvents();
    QCoreApplication::processEvents();
    const int narrow = window.tiles()->height();
    QVERIFY(narrow > wide);
    checkTiles(window);
    window.resize(1920, 1080);
    QCoreApplication::processEvents();
    QCoreApplication::processEvents();
    QCOMPARE(window.tiles()->height(), wide);
  }

 private:
  static void checkTiles(MainWindow& window) {
    const TileRow* row = window.tiles();
    QCOMPARE(row->buttons().size(), std::size_t{7});
    for (TileButton* tile : row->buttons()) {
      QVERIFY2(row->rect().contains(tile->geometry()), qPrintable(tile->text()));
      for (const TileLine& line : tile->lines()) {
        const QRectF box(line.box.x, line.box.y, line.box.w, line.box.h);
        QVERIFY2(QRectF(tile->rect()).contains(box), line.text.c_str());
        const TextMetrics metrics = text_metrics(tile->font_of(line));
        QVERIFY2(metrics.width(line.text) <= line.box.w, line.text.c_str());
        QVERIFY2(line.size > 1 || metrics.em <= line.box.h + 1, line.text.c_str());
      }
    }
  }

  Input b_;
};

}  // namespace
}  // namespace orrery::gui

QTEST_MAIN(orrery::gui::SizesTest)
#include "tst_sizes.moc"
