#include <QApplication>
#include <QDir>
#include <QDropEvent>
#include <QFile>
#include <QFileInfo>
#include <QMimeData>
#include <QPainter>
#include <QTemporaryDir>
#include <QTest>
#include <QXmlStreamReader>
#include <algorithm>

#include "gui/core/headline.hpp"
#include "gui/widgets/main_window.hpp"
#include "gui/widgets/scene_painter.hpp"
#include "sim/base/check.hpp"
#include "sim/base/fields.hpp"
#include "sim/report/table.hpp"
#include "tests/gui/support.hpp"

// What must not break the window: files of the wrong kind, sizes, floods of slices and of events.

namespace orrery::gui {
namespace {

class RobustTest : public QObject {
  Q_OBJECT

 private slots:
  void initTestCase() {
    QVERIFY(folder_.isValid());
    window_ = std::make_unique<MainWindow>(test_profiles(), folder_.filePath("recent.ini"));
    window_->open_example(0);
    window_->bench().wait();
    window_->show();
  }
  void cleanupTestCase() { window_.reset(); }

  void aBadFileIsAProblemAndNothingIsLost_data() {
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<QString>("words");
    QTest::newRow("empty") << QByteArray() << "is empty";
    QTest::newRow("text") << QByteArray("hello") << "bad.json";
    QTest::newRow("picture") << QByteArray("\x89PNG\r\n\x1a\n\0\0", 10) << "bad.json";
    QTest::newRow("other json") << QByteArray("{\"a\": 1}") << "none of scenario";
    QTest::newRow("newer result") << QByteArray("{\"schema\": \"orrery.result/7\", \"scenario\": {}}")
                                  << "orrery.result/7";
    QTest::newRow("newer session") << QByteArray("{\"schema\": \"orrery.session/9\"}") << "orrery.session/9";
    QTest::newRow("damaged session") << QByteArray("{\"schema\": \"orrery.session/1\", \"a\": 5}")
                                     << "has no 'text'";
    QTest::newRow("cut") << QByteArray("{\"schema\": \"orrery.scenario/1\", \"model\":") << "bad.json";
  }
  void aBadFileIsAProblemAndNothingIsLost() {
    QFETCH(QByteArray, content);
    QFETCH(QString, words);
    const auto before = window_->bench().run();
    const QString path = folder_.filePath("bad.json");
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(content);
    file.close();
    const std::size_t problems = window_->bench().problems().size();
    window_->open_file(path);
    window_->bench().wait();
    QCOMPARE(window_->bench().run(), before);
    QCOMPARE(window_->bench().problems().size(), problems + 1);
    QVERIFY2(QString::fromStdString(window_->bench().problems().back().text).contains(words),
             window_->bench().problems().back().text.c_str());
    QVERIFY(!window_->recent_files().contains(path));
  }
  void aDeletedRecentFileIsForgottenWithAWord() {
    const QString path = folder_.filePath("gone.json");
    window_->save_session(path);
    QVERIFY(window_->recent_files().contains(path));
    QVERIFY(QFile::remove(path));
    window_->open_file(path);
    QVERIFY(QString::fromStdString(window_->bench().problems().back().text).contains("no such file"));
    QVERIFY(!window_->recent_files().contains(path));
  }
  void aFolderThatCannotBeWrittenIsAProblem() {
    const std::size_t problems = window_->bench().problems().size();
    window_->save_session(folder_.filePath("no/such/folder/s.json"));
    window_->export_picture(folder_.filePath("no/such/folder/p.png"));
    window_->export_picture(folder_.filePath("p.gif"));
    window_->export_result(folder_.filePath("no/such/folder/r.json"));
    QCOMPARE(window_->bench().problems().size(), problems + 4);
  }

  void aSessionKeepsViewNotesAndEdits() {
    window_->open_example(0);
    window_->scenario_panel()->edit("economics.pue", "1.35");
    window_->bench().wait();
    TimelineState state = window_->timeline()->state();
    state.t0 = 3e12;
    state.t1 = 4e12;
    state.pins = {"rank 7"};
    state.marks = {{3100000000000, 3200000000000, "look"}};
    window_->timeline()->set_state(state);
    window_->run_action("keep-b");
    const QString path = folder_.filePath("session.json");
    window_->save_session(path);
    MainWindow other(test_profiles(), {});
    other.open_file(path);
    QVERIFY(other.bench().problems().empty());
    QCOMPARE(other.timeline()->state().marks, state.marks);
    QCOMPARE(other.timeline()->state().pins, state.pins);
    QCOMPARE(other.timeline()->state().t0, state.t0);
    QCOMPARE(*other.bench().run()->scenario().economics.pue, 1.35);
    QVERIFY(other.run_b() != nullptr);
  }

  void aDroppedFileIsOpened() {
    const QString path = folder_.filePath("dropped.json");
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(QByteArray::fromStdString(example_input(2).text));
    file.close();
    QMimeData data;
    data.setUrls({QUrl::fromLocalFile(path)});
    QDropEvent drop({50, 50}, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    static_cast<QObject*>(window_.get())->event(&drop);  // sendEvent would ask the drag manager
    window_->bench().wait();
    QCOMPARE(QString::fromStdString(window_->bench().run()->scenario().model_ref), QString("llama-2-70b"));
    window_->open_example(0);
    window_->bench().wait();
  }

  void picturesComeFromOnePaintPath() {
    const auto run = window_->bench().run();
    const SceneMaker maker = [run](double w, double h, const TextMetrics& t) {
      return timeline_scene(*run, {}, w, h, t);
    };
    for (const char* name : {"t.png", "t.svg", "t.pdf"}) {
      const QString path = folder_.filePath(name);
      save_picture(path, maker, 1200, 500, Theme::kLight, QFont("DejaVu Sans", 9), "step");
      QFile file(path);
      QVERIFY(file.open(QIODevice::ReadOnly));
      const QByteArray bytes = file.readAll();
      if (path.endsWith("png")) QCOMPARE(QImage(path).size(), QSize(1200, 500));
      if (path.endsWith("pdf")) QVERIFY(bytes.startsWith("%PDF") && bytes.count("/Type /Page\n") == 1);
      if (!path.endsWith("svg")) continue;
      QXmlStreamReader xml(bytes);
      while (!xml.atEnd()) xml.readNext();
      QVERIFY2(!xml.hasError(), qPrintable(xml.errorString()));
      QVERIFY(!bytes.contains("<image") && !bytes.contains("href=\"http"));
      QVERIFY(bytes.contains(">rank 15<"));
    }
    QVERIFY(!QFile::exists(folder_.filePath("t.png.part")));
  }

  void everySizeFromOnePixelToFourThousand() {
    for (const QSize& size :
         {QSize(1, 1), QSize(3, 900), QSize(400, 7), QSize(640, 480), QSize(1600, 900), QSize(3840, 2160)}) {
      window_->timeline()->resize(size);
      QVERIFY(!window_->timeline()->grab().isNull());
      for (const char* name : {"waterfall", "memory", "memory-time", "roofline", "links"}) {
        window_->chart(name)->canvas()->resize(size);
        QVERIFY(!window_->chart(name)->canvas()->grab().isNull());
      }
      window_->resize(size);
      QCoreApplication::processEvents();
      QVERIFY(!window_->grab().isNull());
    }
    window_->resize(1600, 900);
  }

  void inksPatternsAndShapesLookAsAccepted_data() {
    QTest::addColumn<int>("theme");
    for (int t = 0; t < kThemeCount; ++t) QTest::newRow(theme_name(static_cast<Theme>(t)).data()) << t;
  }
  /// Without text, so that no font matters. UPDATE_GOLDEN=1 accepts new pictures.
  void inksPatternsAndShapesLookAsAccepted() {
    QFETCH(int, theme);
    Scene scene{360, 240, {}, {}};
    SceneLayer& layer = scene.new_layer();
    layer.rects.push_back({{0, 0, 360, 240}, Ink::kBackground});
    for (int c = 0; c < kCategoryCount; ++c) {
      const Category& shown = category(static_cast<Ink>(c));
      layer.rects.push_back(
          {{10.0 + 31 * c, 10, 26, 40}, shown.ink == Ink::kIdle ? Ink::kNone : shown.ink, shown.pattern});
      layer.rects.push_back({{10.0 + 31 * c, 60, 26, 20}, shown.ink, Pattern::kPlain, Ink::kFrame, 170});
    }
    SceneStrip strip{10, 95, 30, {}};
    for (int i = 0; i < 340; ++i)
      strip.columns.push_back({static_cast<Ink>(i / 34), static_cast<std::uint8_t>(i * 255 / 339)});
    layer.strips.push_back(strip);
    layer.curves.push_back({{{10, 200}, {120, 150}, {120, 180}, {350, 140}}, Ink::kCurve, 1.5F});
    layer.lines.push_back({20, 230, 200, 190, Ink::kArrowIn, 1.8F, true, false});
    layer.lines.push_back({20, 140, 340, 140, Ink::kLimit, 1.5F, false, true});
    layer.dots.push_back({260, 200, 14, Ink::kExpert, Ink::kSelection});
    QImage picture(360, 240, QImage::Format_RGB32);
    QPainter painter(&picture);
    paint(painter, scene, static_cast<Theme>(theme), QFont());
    painter.end();
    const QString path = QString(ORRERY_SOURCE_DIR "/tests/golden/gui/%1.png")
                             .arg(QString::fromUtf8(theme_name(static_cast<Theme>(theme)).data()));
    if (qEnvironmentVariableIsSet("UPDATE_GOLDEN"))
      QVERIFY(QDir().mkpath(QFileInfo(path).path()) && picture.save(path));
    const QImage expected = QImage(path).convertToFormat(QImage::Format_RGB32);
    QCOMPARE(expected.size(), picture.size());
    int off = 0;
    for (int y = 0; y < 240; ++y) {
      for (int x = 0; x < 360; ++x) {
        const QRgb a = picture.pixel(x, y);
        const QRgb b = expected.pixel(x, y);
        const int most = std::max(
            {std::abs(qRed(a) - qRed(b)), std::abs(qGreen(a) - qGreen(b)), std::abs(qBlue(a) - qBlue(b))});
        off += most > 8 ? 1 : 0;
      }
    }
    if (off * 1000 >= 360 * 240) picture.save(QDir::temp().filePath(QFileInfo(path).fileName()));
    QVERIFY2(
        off * 1000 < 360 * 240,
        qPrintable(QString("%1 pixels differ; what was painted lies in %2").arg(off).arg(QDir::tempPath())));
  }

  void noSliceOneSliceAndTenMillion() {
    for (std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{10'000'000}}) {
      TimelineRow row;
      row.name = "r";
      row.slices.reserve(n);
      for (std::size_t i = 0; i < n; ++i) {
        const auto t = static_cast<std::int64_t>(i) * 1900;
        row.slices.add(t, t + 1100, static_cast<Ink>(i % 8), static_cast<std::int32_t>(i));
      }
      row.index = RowIndex(row.slices);
      const double total = std::max(1.0, static_cast<double>(n) * 1900);
      QImage image(1600, 60, QImage::Format_RGB32);
      for (double zoom : {1.0, 30.0, 1e5}) {
        image.fill(Qt::white);
        Scene scene{1600, 60, {}, {}};
        SceneLayer strips;
        SceneLayer slices;
        add_row(row, zoomed(fitted({0, 1, 0, 1600}, total), zoom, 800, total), 0, 60, false, plain_text(),
                strips, slices, nullptr);
        scene.layers = {strips, slices};
        QPainter painter(&image);
        paint(painter, scene, Theme::kLight, QFont());
        painter.end();
        QVERIFY((image.pixelColor(800, 30) != QColor(Qt::white)) == (n > 0));
      }
    }
  }

 private:
  QTemporaryDir folder_;
  std::unique_ptr<MainWindow> window_;
};

}  // namespace
}  // namespace orrery::gui

QTEST_MAIN(orrery::gui::RobustTest)
#include "tst_robust.moc"
