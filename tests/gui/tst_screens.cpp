#include <QApplication>
#include <QDir>
#include <QFile>
#include <QFontDatabase>
#include <QImage>
#include <QStyleFactory>
#include <QTest>
#include <algorithm>
#include <array>
#include <cmath>

#include "gui/widgets/main_window.hpp"
#include "tests/gui/window_support.hpp"

// Every view in every theme of a screen looks as accepted: the whole window, made fifteen times smaller so
// that a letter more does not matter, a panel elsewhere does. UPDATE_GOLDEN=1 accepts new pictures. Where Qt
// or the font is another one there is nothing to compare with, and the test says so. With QT_SCALE_FACTOR=2,
// two device pixels for one, the window must look the same.

namespace orrery::gui {
namespace {

constexpr int kSmaller = 15;
/// Of 255, mean over all pixels and colours. At two pixels a point letters have other edges than in the
/// pictures, which are made at one; Ubuntu 24.04's make 1.21.
double most_mean() {
  return qApp->devicePixelRatio() > 1 ? 1.3 : 1.2;
}
constexpr double kMostFarOff = 0.012;  ///< share of pixels that may be off by more than kFarOff
constexpr int kFarOff = 24;

struct Difference {
  double mean = 0;
  double far_off = 0;
  [[nodiscard]] bool accepted() const { return mean <= most_mean() && far_off <= kMostFarOff; }
};

Difference difference(const QImage& a, const QImage& b) {
  if (a.size() != b.size()) return {255, 1};
  double sum = 0;
  int far_off = 0;
  for (int y = 0; y < a.height(); ++y) {
    for (int x = 0; x < a.width(); ++x) {
      const QRgb p = a.pixel(x, y);
      const QRgb q = b.pixel(x, y);
      const std::array<int, 3> d{std::abs(qRed(p) - qRed(q)), std::abs(qGreen(p) - qGreen(q)),
                                 std::abs(qBlue(p) - qBlue(q))};
      sum += d[0] + d[1] + d[2];
      far_off += *std::max_element(d.begin(), d.end()) > kFarOff ? 1 : 0;
    }
  }
  const double pixels = static_cast<double>(a.width()) * a.height();
  return {sum / 3 / pixels, far_off / pixels};
}

class ScreensTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    QApplication::setStyle(QStyleFactory::create("Fusion"));
    if (!QFontDatabase::families().contains("DejaVu Sans")) QSKIP("the font DejaVu Sans is not here");
    QApplication::setFont(QFont("DejaVu Sans", 9));
    QDir().mkpath(folder());
    QFile made(folder() + "/made-with.txt");
    const QByteArray here = QByteArray("Qt ") + qVersion() + ", DejaVu Sans 9, 1440x900\n";
    if (updating()) {
      QVERIFY(made.open(QIODevice::WriteOnly));
      made.write(here);
    } else {
      QVERIFY2(made.open(QIODevice::ReadOnly), "no accepted pictures: run with UPDATE_GOLDEN=1");
      const QByteArray there = made.readAll();
      if (there != here)
        QSKIP(("the accepted pictures were made with " + there.trimmed() + ", here is " + here.trimmed())
                  .constData());
    }
    window_ = std::make_unique<MainWindow>(test_profiles(), QString());
    window_->resize(1440, 900);
    window_->leave_out_clocks();
    keep_one_f_one_b_as_b(*window_);
    window_->settle();
    window_->show();
    window_->plan_view()->start();
    window_->plan_view()->wait();
  }
  void cleanupTestCase() { window_.reset(); }

  void everyViewLooksAsAccepted_data() {
    QTest::addColumn<QString>("view");
    QTest::addColumn<int>("theme");
    for (const std::string& view : MainWindow::views()) {
      for (const Theme theme : {Theme::kLight, Theme::kDark, Theme::kHighContrast}) {
        const std::string name = view + "-" + std::string(theme_name(theme));
        QTest::newRow(name.c_str()) << QString::fromStdString(view) << static_cast<int>(theme);
      }
    }
  }
  void everyViewLooksAsAccepted() {
    QFETCH(QString, view);
    QFETCH(int, theme);
    const QImage picture = small(view, static_cast<Theme>(theme));
    const QString name = QString(QTest::currentDataTag()) + ".png";
    if (updating()) QVERIFY(picture.save(folder() + "/" + name));
    const QImage accepted = QImage(folder() + "/" + name).convertToFormat(QImage::Format_RGB32);
    const Difference d = difference(picture, accepted);
    if (!d.accepted()) picture.save(QDir::temp().filePath(name));
    QVERIFY2(d.accepted(),
             qPrintable(QString("differs by %1 on the mean, %2 % of it far off; what was painted lies in %3")
                            .arg(d.mean)
                            .arg(100 * d.far_off)
                            .arg(QDir::tempPath())));
  }

  void theToleranceTellsViewsAndThemesApart() {
    const QImage rank = small("rank", Theme::kLight);
    QVERIFY(!difference(rank, small("operators", Theme::kLight)).accepted());
    QVERIFY(!difference(rank, small("rank", Theme::kDark)).accepted());
    QVERIFY(!difference(small("memory", Theme::kLight), small("roofline", Theme::kLight)).accepted());
    QVERIFY(difference(rank, small("rank", Theme::kLight)).accepted());
  }

 private:
  static QString folder() { return ORRERY_SOURCE_DIR "/tests/golden/gui/views"; }
  static bool updating() { return qEnvironmentVariableIsSet("UPDATE_GOLDEN"); }

  QImage small(const QString& view, Theme theme) {
    window_->set_theme(theme);
    TimelineState state = window_->timeline()->state();
    state.t0 = view == "operators" ? 8e12 : 0;
    state.t1 = view == "operators" ? 8.05e12 : 0;
    state.rank = 3;
    state.selected.reset();
    window_->timeline()->set_state(state);
    window_->show_view(view.toStdString());
    PlanView* plan = window_->plan_view();
    if (window_->perspective() == Perspective::kPlan && plan->shown_mode() != plan->question()->mode())
      plan->start(), plan->wait();
    window_->settle();
    QCoreApplication::processEvents();
    QCoreApplication::processEvents();
    QWidget* help = window_->findChild<QWidget*>("help");
    const QImage full = (help != nullptr ? help : window_.get())->grab().toImage();
    if (help != nullptr) {
      help->close();
      QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
    }
    // On a screen with more pixels the same picture, so it is made as small.
    const double smaller = kSmaller * full.devicePixelRatio();
    return full
        .scaled(static_cast<int>(full.width() / smaller), static_cast<int>(full.height() / smaller),
                Qt::IgnoreAspectRatio, Qt::SmoothTransformation)
        .convertToFormat(QImage::Format_RGB32);
  }

  std::unique_ptr<MainWindow> window_;
};

}  // namespace
}  // namespace orrery::gui

QTEST_MAIN(orrery::gui::ScreensTest)
#include "tst_screens.moc"
