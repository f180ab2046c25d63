#include <QApplication>
#include <QCommandLineParser>
#include <QFileInfo>
#include <QFontDatabase>
#include <QStandardPaths>
#include <QStyleFactory>
#include <QTimer>
#include <cstdio>
#include <cstdlib>

#include "gui/core/search.hpp"
#include "gui/widgets/dialogs.hpp"
#include "gui/widgets/main_window.hpp"
#include "sim/base/check.hpp"
#include "sim/base/suggest.hpp"

namespace {

using namespace orrery;
using namespace orrery::gui;

constexpr int kFine = 0;
constexpr int kUsage = 2;
constexpr int kInvalidInput = 3;

int fail(int code, const std::string& words) {
  std::fprintf(stderr, "orrery-gui: %s\n", words.c_str());
  return code;
}

/// As the command line looks for them: ORRERY_PROFILES, then the installation, then the source tree.
ProfileFolders profile_folders() {
  ProfileFolders folders;
  const QString listed = qEnvironmentVariable("ORRERY_PROFILES");
  for (const QString& folder : listed.split(':', Qt::SkipEmptyParts)) {
    if (!QFileInfo(folder).isDir())
      throw InputError("ORRERY_PROFILES",
                       "found '" + folder.toStdString() + "', expected a folder with gpu/ and cluster/");
    folders.roots.emplace_back(folder.toStdString());
  }
  const QString installed = QCoreApplication::applicationDirPath() + "/../share/orrery/hwprofiles";
  folders.roots.emplace_back(QFileInfo(installed).isDir() ? installed.toStdString() : ORRERY_SOURCE_PROFILES);
  return folders;
}

bool set_theme(MainWindow& window, const QString& name) {
  for (int t = 0; t < kThemeCount; ++t) {
    if (theme_name(static_cast<Theme>(t)) != name.toStdString()) continue;
    window.set_theme(static_cast<Theme>(t));
    return true;
  }
  return false;
}

/// False when nothing matches.
bool select_first(MainWindow& window, const std::string& words) {
  const auto run = window.bench().run();
  if (!run) return false;
  const std::vector<SliceId> hits = find_slices(*run, window.timeline()->state(), parse_query(words), 1);
  if (hits.empty()) return false;
  window.timeline()->select(hits.front());
  return true;
}

/// Writes the whole window as PNG.
int screenshot(MainWindow& window, const QString& path) {
  if (QFileInfo(path).suffix().toLower() != "png")
    return fail(kUsage, "--screenshot: found '" + path.toStdString() + "', expected a file ending in .png");
  window.settle();
  if (window.bench().run() == nullptr)
    return fail(kInvalidInput, window.bench().problems().empty() ? "nothing was simulated"
                                                                 : window.bench().problems().front().text);
  if (window.perspective() == Perspective::kPlan) window.plan_view()->start(), window.plan_view()->wait();
  window.show();
  QCoreApplication::processEvents();
  // Layouts settle in a second round, after the docks have their sizes.
  QCoreApplication::processEvents();
  QWidget* shown = window.findChild<QWidget*>("help");
  if (auto* help = qobject_cast<HelpOverlay*>(shown)) {
    help->show_whole();
    QCoreApplication::processEvents();
  }
  const QPixmap picture = shown != nullptr ? shown->grab() : window.grab();
  const QString part = path + ".part";
  if (!picture.save(part, "PNG") || (QFile::remove(path), !QFile::rename(part, path))) {
    QFile::remove(part);
    return fail(kInvalidInput, path.toStdString() + ": cannot be written");
  }
  return kFine;
}

}  // namespace

int main(int argc, char** argv) {
  bool headless = false;
  for (int i = 1; i < argc; ++i) headless = headless || std::string(argv[i]).starts_with("--screenshot");
  if (headless && qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
  QApplication app(argc, argv);
  QCoreApplication::setApplicationName("orrery-gui");
  QCoreApplication::setApplicationVersion(ORRERY_GUI_VERSION);
  QApplication::setStyle(QStyleFactory::create("Fusion"));

  QCommandLineParser parser;
  parser.setApplicationDescription(
      "Explore schedules, memory and plans. Without a file it opens with DeepSeek-V3 on 2,048 H800.");
  parser.addHelpOption();
  parser.addVersionOption();
  std::vector<std::string> views = MainWindow::views();
  const QCommandLineOption picture("screenshot", "Write the window as PNG and leave; needs no display.",
                                   "FILE");
  const QCommandLineOption view("view", "What to show: " + QString::fromStdString(join(views)) + ".", "NAME",
                                "schedule");
  const QCommandLineOption theme("theme", "light, dark, high-contrast or print.", "NAME");
  const QCommandLineOption size("size", "Size of the window in pixels.", "WxH", "1600x900");
  const QCommandLineOption from("t0", "Start of the view in seconds.", "S");
  const QCommandLineOption to("t1", "End of the view in seconds.", "S");
  const QCommandLineOption rank("rank", "Pipeline rank of the streams and curves.", "N");
  const QCommandLineOption select(
      "select", "Select the first slice that a search finds, such as 'mb:12 stage:3'.", "WORDS");
  const QCommandLineOption with("compare", "Scenario of run B.", "FILE");
  parser.addOptions({picture, view, theme, size, from, to, rank, select, with});
  parser.addPositionalArgument("FILE", "Scenario, result or session.", "[FILE]");
  if (!parser.parse(QCoreApplication::arguments()))
    return fail(kUsage, parser.errorText().toStdString() + "; see --help");
  if (parser.isSet("help")) parser.showHelp();
  if (parser.isSet("version")) parser.showVersion();
  if (parser.positionalArguments().size() > 1)
    return fail(kUsage, "found " + std::to_string(parser.positionalArguments().size()) +
                            " files, expected at most one");

  try {
    if (headless && QFontDatabase::families().contains("DejaVu Sans"))
      QApplication::setFont(QFont("DejaVu Sans", 9));
    const QString settings =
        headless ? QString()
                 : QStandardPaths::writableLocation(QStandardPaths::AppConfigLocation) + "/recent.ini";
    MainWindow window(profile_folders(), settings);
    const QStringList wh = parser.value(size).split('x');
    const int w = wh.value(0).toInt();
    const int h = wh.value(1).toInt();
    if (wh.size() != 2 || w < 1 || h < 1 || w > 10000 || h > 10000)
      return fail(kUsage, "--size: found '" + parser.value(size).toStdString() +
                              "', expected a size such as 1600x900");
    window.resize(w, h);
    if (headless) window.set_theme(Theme::kLight), window.leave_out_clocks();
    if (parser.isSet(theme) && !set_theme(window, parser.value(theme)))
      return fail(kUsage, "--theme: found '" + parser.value(theme).toStdString() +
                              "', expected light, dark, high-contrast or print");
    const QStringList files = parser.positionalArguments();
    if (parser.isSet(with)) {
      window.open_file(parser.value(with));
      window.bench().wait();
      window.run_action("keep-b");
    }
    if (files.isEmpty())
      window.open_example(0);
    else
      window.open_file(files.front());
    if (!headless && files.isEmpty() && !parser.isSet(view)) {
      window.show();
      return QApplication::exec();
    }
    window.bench().wait();
    TimelineState state = window.timeline()->state();
    if (parser.isSet(from) || parser.isSet(to)) {
      const auto run = window.bench().run();
      state.t0 = parser.value(from).toDouble() * 1e12;
      state.t1 = parser.isSet(to) ? parser.value(to).toDouble() * 1e12
                 : run            ? static_cast<double>(run->makespan())
                                  : 0;
    }
    window.timeline()->set_state(state);
    if (parser.isSet(rank)) window.set_rank(parser.value(rank).toInt());
    if (!window.show_view(parser.value(view).toStdString()))
      return fail(kUsage, "--view: found '" + parser.value(view).toStdString() + "'" +
                              did_you_mean(parser.value(view).toStdString(), views) + "; views are " +
                              join(views));
    if (parser.isSet(select) && !select_first(window, parser.value(select).toStdString()))
      return fail(kInvalidInput,
                  "--select: no slice of this view matches '" + parser.value(select).toStdString() + "'");
    if (headless) return screenshot(window, parser.value(picture));
    window.show();
    return QApplication::exec();
  } catch (const InputError& error) {
    return fail(kInvalidInput, error.what());
  }
}
