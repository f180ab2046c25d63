#include <QDragEnterEvent>
#include <QFileInfo>
#include <QMenu>
#include <QMimeData>
#include <QSettings>
#include <QStatusBar>
#include <QUndoStack>
#include <QUrl>
#include <sstream>

#include "gui/core/examples.hpp"
#include "gui/core/trace_overlay.hpp"
#include "gui/widgets/main_window.hpp"
#include "gui/widgets/scene_painter.hpp"
#include "planner/export/chrome_trace.hpp"
#include "sim/base/check.hpp"
#include "sim/base/fields.hpp"
#include "sim/report/report_json.hpp"
#include "sim/report/report_text.hpp"

// Opening, saving and exporting.

namespace orrery::gui {
namespace {

constexpr qsizetype kMostRecent = 10;
constexpr qint64 kLargestFile = qint64{1} << 31;

}  // namespace

void MainWindow::refuse(const std::string& code, const std::string& text) {
  bench_.report({code, text, {}});
}

void MainWindow::open_example(std::size_t which) {
  undo_->clear();
  bench_.set_input(
      {std::string(examples()[which].text), "example " + std::string(examples()[which].name), {}, {}});
  setWindowTitle(QString("orrery - %1").arg(QString::fromUtf8(examples()[which].title.data())));
}

void MainWindow::open_file(const QString& path) {
  std::string place = path.toStdString();
  try {
    const QFileInfo info(path);
    if (!info.exists()) {
      recent_.removeAll(path);
      keep_recent();
      throw InputError(place, "there is no such file");
    }
    if (!info.isFile()) throw InputError(place, "is a folder, expected a file");
    if (info.size() > kLargestFile) throw InputError(place, "is larger than 2 GiB; export a part of it");
    const std::string text = read_file(place);
    const FileKind kind = kind_of_file(text, place);
    switch (kind) {
      case FileKind::kSession: open_session(text, place); break;
      case FileKind::kScenario:
      case FileKind::kResult: {
        const std::string scenario = scenario_text(text, place);
        undo_->clear();
        bench_.set_input({scenario, place, std::filesystem::path(path.toStdString()).parent_path(), {}});
        break;
      }
      case FileKind::kChromeTrace: {
        // A trace lies on top of a step: where none is there yet, of the example that is shown at the start.
        if (!bench_.run() && !bench_.busy()) open_example(0), bench_.wait();
        auto trace = std::make_shared<TraceOverlay>(read_trace(text, place));
        if (trace->left_out > 0)
          refuse("note", place + ": " + std::to_string(trace->left_out) +
                             " events without begin and length are not shown");
        lay_trace(std::shared_ptr<const LevelRows>(trace, &trace->rows));
        break;
      }
      case FileKind::kSweepJournal: {
        JournalRows rows = read_journal(text, place);
        if (rows.damaged > 0)
          refuse("note", place + ": " + std::to_string(rows.damaged) + " damaged lines are not shown");
        plan_->show_items(std::move(rows.items), {"layout.tp", "layout.pp", "layout.ep", "layout.schedule"});
        set_perspective(Perspective::kPlan);
        break;
      }
    }
    remember_file(path);
    setWindowTitle(QString("orrery - %1").arg(info.fileName()));
  } catch (const InputError& error) {
    refuse("input", error.what());
  } catch (const std::exception& error) {
    refuse("internal", error.what());
  }
}

void MainWindow::lay_trace(std::shared_ptr<const LevelRows> trace) {
  TimelineState state = timeline_->state();
  state.overlay = std::move(trace);
  const std::string first = state.overlay && !state.overlay->rows.empty() ? state.overlay->rows[0]->name : "";
  std::int64_t end = 0;
  if (state.overlay) {
    for (const auto& row : state.overlay->rows) end = std::max(end, row->slices.end.back());
  }
  timeline_->set_state(std::move(state));
  if (first.empty()) return;
  // As much time as the trace has, and its first row in view.
  timeline_->show_range(0, static_cast<double>(end));
  timeline_->go_to_row(timeline_->row_names().back());
  timeline_->go_to_row(first);
}

void MainWindow::open_session(const std::string& text, const std::string& place) {
  const Session s = parse_session(text, place);
  std::shared_ptr<const RunView> b;
  if (s.b) b = Workbench::make_run(*s.b, bench_.profiles());
  // Nothing is changed before everything could be read.
  undo_->clear();
  b_ = b;
  input_b_ = s.b;
  TimelineState state = timeline_->state();
  state.marks = s.marks;
  state.pins = s.pins;
  state.level = s.level;
  state.rank = s.rank;
  state.t0 = s.t0;
  state.t1 = s.t1;
  bench_.set_input(s.a);
  bench_.wait();
  timeline_->set_state(state);
  for (int t = 0; t < kThemeCount; ++t) {
    if (theme_name(static_cast<Theme>(t)) == s.theme) set_theme(static_cast<Theme>(t));
  }
  show_run();
}

Session MainWindow::session() const {
  const TimelineState& state = timeline_->state();
  return {bench_.input(), input_b_,    state.marks,
          state.pins,     state.level, state.rank,
          state.t0,       state.t1,    std::string(theme_name(theme_))};
}

void MainWindow::save_session(const QString& path) {
  try {
    write_file(path.toStdString(), to_json_text(session()));
    remember_file(path);
    statusBar()->showMessage("saved " + path);
  } catch (const InputError& error) {
    refuse("input", error.what());
  }
}

MainWindow::Picture MainWindow::picture() {
  const auto of_chart = [](ChartCanvas* canvas) {
    return Picture{[canvas](double w, double h, const TextMetrics& t) { return canvas->scene(w, h, t); },
                   static_cast<double>(canvas->width()), static_cast<double>(canvas->height())};
  };
  // What had the keys may be of a page that is no longer shown.
  auto* canvas = qobject_cast<ChartCanvas*>(focusWidget());
  if (canvas != nullptr && canvas->isVisible()) return of_chart(canvas);
  if (perspective_ == Perspective::kPlan) return of_chart(plan_->open_chart()->canvas());
  if (perspective_ == Perspective::kCompare && b_) {
    const double h = compare_->a()->height() + compare_->over_time()->height() + compare_->b()->height();
    return {[this](double w, double all, const TextMetrics& t) { return compare_->scene(w, all, t); },
            static_cast<double>(compare_->a()->width()), h};
  }
  TimelineView* view = active_timeline();
  return {[view](double w, double h, const TextMetrics& t) { return view->scene(w, h, t); },
          static_cast<double>(view->width()), static_cast<double>(view->height())};
}

void MainWindow::export_picture(const QString& path) {
  try {
    const Picture p = picture();
    save_picture(path, p.maker, std::max(200.0, p.width), std::max(120.0, p.height), theme_, font(),
                 windowTitle());
    statusBar()->showMessage("wrote " + path);
  } catch (const InputError& error) {
    refuse("input", error.what());
  }
}

void MainWindow::export_trace(const QString& path) {
  try {
    const auto run = bench_.run();
    if (!run || !run->feasible())
      throw InputError(path.toStdString(), "not written: there is no simulated step");
    std::ostringstream out;
    write_chrome_trace(run->result(), out);
    write_file(path.toStdString(), out.str());
    statusBar()->showMessage("wrote " + path);
  } catch (const InputError& error) {
    refuse("input", error.what());
  }
}

void MainWindow::export_result(const QString& path) {
  try {
    const auto run = bench_.run();
    if (!run) throw InputError(path.toStdString(), "not written: there is no result");
    const QString ending = QFileInfo(path).suffix().toLower();
    TextOptions options{
        .format = TextFormat::kTable, .all = true, .published = load_published(bench_.profiles())};
    if (ending == "md") options.format = TextFormat::kMarkdown;
    if (ending == "csv") options.format = TextFormat::kCsv;
    write_file(path.toStdString(), ending == "json" ? result_json(run->metrics(), run->scenario(),
                                                                  {ORRERY_GUI_VERSION, ORRERY_GUI_COMMIT})
                                                    : result_text(run->metrics(), run->scenario(), options));
    statusBar()->showMessage("wrote " + path);
  } catch (const InputError& error) {
    refuse("input", error.what());
  }
}

void MainWindow::remember_file(const QString& path) {
  recent_.removeAll(path);
  recent_.prepend(path);
  while (recent_.size() > kMostRecent) recent_.removeLast();
  keep_recent();
}

void MainWindow::keep_recent() {
  if (!settings_.isEmpty()) QSettings(settings_, QSettings::IniFormat).setValue("recent", recent_);
  fill_recent();
}

void MainWindow::fill_recent() {
  recent_menu_->clear();
  for (const QString& path : recent_) {
    QAction* action = recent_menu_->addAction(path);
    connect(action, &QAction::triggered, this, [this, path] { open_file(path); });
  }
  recent_menu_->setEnabled(!recent_.isEmpty());
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  if (event->mimeData()->hasUrls()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
  for (const QUrl& url : event->mimeData()->urls()) {
    if (url.isLocalFile()) open_file(url.toLocalFile());
  }
  event->acceptProposedAction();
}

}  // namespace orrery::gui
