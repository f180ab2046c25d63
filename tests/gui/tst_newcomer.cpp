#include <QAction>
#include <QDockWidget>
#include <QFileDialog>
#include <QFileInfo>
#include <QLineEdit>
#include <QMenuBar>
#include <QPushButton>
#include <QTabWidget>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <QToolBar>
#include <QToolButton>
#include <algorithm>

#include "gui/core/result_charts.hpp"
#include "gui/widgets/main_window.hpp"
#include "tests/gui/support.hpp"

// The five things a newcomer shall do unaided, from the first screen on, with clicks counted.

namespace orrery::gui {
namespace {

class NewcomerTest : public QObject {
  Q_OBJECT

 private slots:
  void init() {
    window_ = std::make_unique<MainWindow>(test_profiles(), QString());
    window_->open_example(0);
    window_->resize(1440, 900);
    window_->show();
    window_->settle();
    QVERIFY(QTest::qWaitForWindowExposed(window_.get()));
    clicks_ = 0;
  }
  void cleanup() { window_.reset(); }

  /// No click: the waterfall is on the first screen, with every cause in words and its share.
  void whatLimitsTheStepIsOnTheFirstScreen() {
    ChartCanvas* waterfall = window_->chart("waterfall")->canvas();
    QVERIFY(waterfall->isVisible());
    const std::vector<Cause> all = causes(window_->bench().run()->metrics().waterfall);
    const auto most = std::max_element(all.begin(), all.end(),
                                       [](const Cause& a, const Cause& b) { return a.seconds < b.seconds; });
    bool said = false;
    for (const SceneLayer& layer : waterfall->chart().scene.layers) {
      for (const SceneText& text : layer.texts) said = said || text.text == most->name;
    }
    QVERIFY(said);
    QCOMPARE(clicks_, 0);
  }

  /// No click for the rank: its tile names it. One for all of them.
  void theRankWithTheLeastHeadroomIsOnItsTile() {
    const auto& memory = window_->bench().run()->metrics().memory;
    const auto fullest = std::max_element(memory.begin(), memory.end(),
                                          [](const auto& a, const auto& b) { return a.total < b.total; });
    const Tile& tile = window_->tiles()->tiles()[5];
    QVERIFY(
        QString::fromStdString(tile.published).startsWith(QString("rank %1, headroom ").arg(fullest->rank)));
    QCOMPARE(clicks_, 0);
  }

  /// Four clicks: Plan, Search, and twice on the first answer.
  void aCheaperLayoutTakesFourClicks() {
    const double before = *window_->bench().run()->metrics().run.usd;
    click(button("Plan"));
    click(window_->plan_view()->question()->run_button());
    window_->plan_view()->wait();
    window_->plan_view()->tabs()->setCurrentIndex(0);
    QTableView* table = window_->plan_view()->table()->table();
    const QRect first = table->visualRect(table->model()->index(0, 1));
    QTest::mouseClick(table->viewport(), Qt::LeftButton, {}, first.center());
    QTest::mouseDClick(table->viewport(), Qt::LeftButton, {}, first.center());
    clicks_ += 2;
    window_->settle();
    QVERIFY(window_->bench().run()->feasible());
    QVERIFY(*window_->bench().run()->metrics().run.usd < before);
    // And what it was is kept beside it.
    QVERIFY(window_->run_b() != nullptr);
    QVERIFY(clicks_ <= 4);
  }

  /// Three clicks: File, Export picture, Save.
  void aFigureTakesThreeClicks() {
    const QString path = folder_.filePath("figure.png");
    answer_dialog(path);
    choose("File", "Export picture...");
    QVERIFY(QFileInfo(path).size() > 5000);
    QVERIFY(clicks_ <= 3);
  }

  /// Three clicks: Report, HTML, Save.
  void aReportTakesThreeClicks() {
    click(button("Report"));
    window_->settle();
    const QString path = folder_.filePath("report.html");
    answer_dialog(path);
    for (QPushButton* b : window_->report_view()->findChildren<QPushButton*>()) {
      if (b->text() == "HTML") click(b);
    }
    window_->settle();
    QVERIFY(QFileInfo(path).size() > 5000);
    QVERIFY(clicks_ <= 3);
  }

 private:
  void click(QWidget* widget) {
    QVERIFY(widget != nullptr && widget->isVisible());
    QTest::mouseClick(widget, Qt::LeftButton);
    ++clicks_;
  }
  QToolButton* button(const char* words) {
    for (QToolButton* b : window_->findChild<QToolBar*>("perspectives")->findChildren<QToolButton*>()) {
      if (b->text() == words) return b;
    }
    return nullptr;
  }
  void choose(const char* menu, const char* entry) {
    for (QAction* top : window_->menuBar()->actions()) {
      if (top->text() != menu) continue;
      ++clicks_;
      for (QAction* action : top->menu()->actions()) {
        if (action->text() != entry) continue;
        ++clicks_;
        action->trigger();
      }
    }
  }
  /// The name is typed, Save is a click.
  void answer_dialog(const QString& path) {
    auto* timer = new QTimer(this);
    connect(timer, &QTimer::timeout, this, [this, timer, path] {
      auto* dialog = qobject_cast<QFileDialog*>(QApplication::activeModalWidget());
      if (dialog == nullptr) return;
      timer->deleteLater();
      dialog->findChild<QLineEdit*>("fileNameEdit")->setText(path);
      for (QPushButton* save : dialog->findChildren<QPushButton*>()) {
        if (save->text().contains("Save")) click(save);
      }
    });
    timer->start(30);
  }

  QTemporaryDir folder_;
  std::unique_ptr<MainWindow> window_;
  int clicks_ = 0;
};

}  // namespace
}  // namespace orrery::gui

QTEST_MAIN(orrery::gui::NewcomerTest)
#include "tst_newcomer.moc"
