#include <QApplication>
#include <QFileInfo>
#include <QLineEdit>
#include <QStatusBar>

#include "gui/core/headline.hpp"
#include "gui/core/report_sections.hpp"
#include "gui/core/search.hpp"
#include "gui/widgets/main_window.hpp"
#include "planner/report/writers.hpp"
#include "sim/base/check.hpp"
#include "sim/base/fields.hpp"

// What the window has done beside it: ranges, report, search. The work gets copies or shared constants, never
// the window itself.

namespace orrery::gui {

void MainWindow::find_ranges() {
  const auto run = bench_.run();
  if (!run || ranges_of_ == run) return;
  ranges_of_ = run;
  ranges_.clear();
  ranges_worker_.start([this, run, profiles = bench_.profiles()](const auto&) -> std::function<void()> {
    try {
      Ranges found = headline_ranges(*run, find_run_data(profiles));
      return [this, run, found = std::move(found)] {
        if (bench_.run() != run) return;
        ranges_ = found;
        tiles_->set_tiles(headline(*run, b_.get(), ranges_), bench_.stale());
      };
    } catch (const InputError& error) {
      return [this, words = std::string(error.what())] { refuse("input", words); };
    } catch (const std::exception& error) {
      return [this, words = std::string(error.what())] { refuse("internal", words); };
    }
  });
}

ReportOrigin MainWindow::report_origin() const {
  const Input& input = bench_.input();
  // The built-in examples are the files of docs/examples.
  const std::string example = "example ";
  std::string file = input.place;
  if (file.starts_with(example)) file = "docs/examples/" + file.substr(example.size()) + ".json";
  ReportOrigin origin{input.place,
                      std::string("orrery-gui ") + ORRERY_GUI_VERSION + " (" + ORRERY_GUI_COMMIT + ")",
                      "orrery report '" + file + "'"};
  for (const Override& edit : input.edits) origin.command += " --set '" + edit.key + "=" + edit.value + "'";
  origin.command += " -o FILE";
  return origin;
}

void MainWindow::show_report() {
  const auto run = bench_.run();
  if (perspective_ != Perspective::kReport || !run || bench_.stale() || report_of_ == run) return;
  report_of_ = run;
  report_->say("The report simulates what would change with other layouts and numbers of GPUs...");
  report_worker_.start([this, run, profiles = bench_.profiles(),
                        origin = report_origin()](const auto&) -> std::function<void()> {
    try {
      const auto document = std::make_shared<const Document>(run_report(*run, profiles, origin, true));
      return [this, run, document] {
        report_->show_document(document);
        keep_report(run, document);
      };
    } catch (const InputError& error) {
      return [this, words = QString::fromStdString(error.what())] { report_->say("No report:\n\n" + words); };
    } catch (const std::exception& error) {
      return [this, words = std::string(error.what())] { refuse("internal", words); };
    }
  });
}

void MainWindow::keep_report(std::shared_ptr<const RunView> run, std::shared_ptr<const Document> document) {
  document_of_ = std::move(run);
  document_ = std::move(document);
}

void MainWindow::export_report(const QString& path) {
  const auto run = bench_.run();
  const std::string file = path.toStdString();
  const std::string ending = QFileInfo(path).suffix().toLower().toStdString();
  try {
    if (!run) throw InputError(file, "not written: there is no result");
    // A wrong ending is refused before anything is simulated.
    if (std::find(report_endings().begin(), report_endings().end(), ending) == report_endings().end() ||
        (ending == "pdf" && !can_write_pdf()))
      (void)report_text({}, ending, file);
    if (export_worker_.busy()) throw InputError(file, "not written: another report is being written");
  } catch (const InputError& error) {
    refuse("input", error.what());
    return;
  }
  statusBar()->showMessage("writing " + path + " ...");
  export_worker_.start([this, run, file, ending, path, profiles = bench_.profiles(), origin = report_origin(),
                        left_out = report_->left_out(), known = document_of_ == run ? document_ : nullptr](
                           const auto&) -> std::function<void()> {
    try {
      const auto document =
          known ? known : std::make_shared<const Document>(run_report(*run, profiles, origin, true));
      write_file(file, report_text(without_sections(*document, left_out), ending, file));
      return [this, run, document, path] {
        statusBar()->showMessage("wrote " + path);
        keep_report(run, document);
      };
    } catch (const InputError& error) {
      return [this, words = std::string(error.what())] { refuse("input", words); };
    } catch (const std::exception& error) {
      return [this, words = std::string(error.what())] { refuse("internal", words); };
    }
  });
}

void MainWindow::start_search() {
  const auto run = timeline_->run();
  if (!run) return;
  search_worker_.cancel();
  if (search_->text().trimmed().isEmpty()) {
    timeline_->set_hits({});
    return;
  }
  Query query;
  try {
    query = parse_query(search_->text().toStdString());
  } catch (const InputError& error) {
    refuse("input", error.what());
    return;
  }
  statusBar()->showMessage("searching...");
  // The rows are held, so that the view may go elsewhere meanwhile.
  search_worker_.start([this, run, query, level = timeline_->state().level, rank = timeline_->state().rank,
                        rows = held_rows(*run, timeline_->state())](
                           const std::function<bool()>& dropped) -> std::function<void()> {
    std::vector<SliceId> hits = find_slices(*run, rows.rows, query, kMostHits, dropped);
    return [this, run, level, rank, hits = std::move(hits)]() mutable {
      const TimelineState& now = timeline_->state();
      if (timeline_->run() != run || now.level != level || now.rank != rank) return;
      const std::size_t n = hits.size();
      timeline_->set_hits(std::move(hits));
      statusBar()->showMessage(n == 0 ? "no slice of this level matches"
                                      : QString("%1 hits; Enter: next, Shift+Enter: previous").arg(n));
    };
  });
}

void MainWindow::settle() {
  bench_.wait();
  for (Background* worker : {&ranges_worker_, &report_worker_, &export_worker_, &search_worker_})
    worker->wait();
}

}  // namespace orrery::gui
