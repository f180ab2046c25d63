#include "gui/widgets/main_window.hpp"

#include <fmt/format.h>

#include <QCloseEvent>
#include <QDockWidget>
#include <QFileDialog>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QMenuBar>
#include <QPushButton>
#include <QSettings>
#include <QSlider>
#include <QStackedWidget>
#include <QStatusBar>
#include <QTabBar>
#include <QTableWidget>
#include <QToolBar>
#include <QToolButton>
#include <QUndoStack>
#include <QVBoxLayout>

#include "gui/core/chart_parts.hpp"
#include "gui/core/examples.hpp"
#include "gui/core/search.hpp"
#include "gui/core/selection.hpp"
#include "sim/report/report_text.hpp"

namespace orrery::gui {
namespace {

QTableWidget* two_columns(const QString& name) {
  auto* table = new QTableWidget(0, 2);
  table->setAccessibleName(name);
  table->setHorizontalHeaderLabels({"what", "value"});
  table->verticalHeader()->hide();
  table->verticalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  table->horizontalHeader()->setStretchLastSection(true);
  table->setEditTriggers(QAbstractItemView::NoEditTriggers);
  table->setSelectionBehavior(QAbstractItemView::SelectRows);
  table->setWordWrap(true);
  return table;
}

}  // namespace

MainWindow::MainWindow(ProfileFolders profiles, const QString& settings, QWidget* parent)
    : QMainWindow(parent), bench_(std::move(profiles)), undo_(new QUndoStack(this)), settings_(settings) {
  setWindowTitle("orrery");
  setObjectName("main");
  setAcceptDrops(true);
  setDockNestingEnabled(true);
  make_centre();
  make_docks();
  make_actions();
  if (!settings_.isEmpty())
    recent_ = QSettings(settings_, QSettings::IniFormat).value("recent").toStringList();
  fill_recent();
  connect(&bench_, &Workbench::run_changed, this, [this] { show_run(); });
  connect(&bench_, &Workbench::problems_changed, this, [this] { show_problems(); });
  connect(&bench_, &Workbench::busy_changed, this, [this](bool busy) {
    show_speed();
    actions_.at("cancel")->setEnabled(busy);
  });
  connect(timeline_, &TimelineView::selection_changed, this, [this] { show_selection(); });
  connect(timeline_, &TimelineView::view_changed, this, [this] {
    // Rows changed: statistics are of other rows now.
    const TimelineState& state = timeline_->state();
    if (shown_level_ == state.level && shown_rank_ == state.rank) return;
    shown_level_ = state.level;
    shown_rank_ = state.rank;
    show_charts();
    show_selection();
  });
  set_theme(palette().color(QPalette::Window).lightness() < 128 ? Theme::kDark : Theme::kLight);
  resize(1600, 900);
  size_docks();
  first_layout_ = saveState();
  timeline_->setFocus();
}

MainWindow::~MainWindow() {
  bench_.disconnect(this);
  undo_->disconnect(this);
  // A file that was asked for is finished; everything else is stopped.
  export_worker_.wait();
}

void MainWindow::make_centre() {
  auto* centre = new QWidget;
  auto* layout = new QVBoxLayout(centre);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  auto* top = addToolBar("Headline");
  top->setObjectName("headline");
  top->setMovable(false);
  tiles_ = new TileRow;
  top->addWidget(tiles_);
  hint_ = new HintStrip;
  hint_->add("1 critical path", "K", [this] { timeline_->act("critical"), timeline_->setFocus(); });
  hint_->add("2 uneven experts", "", [this] { scenario_->sliders().front().slider->setFocus(); });
  hint_->add("3 keep as B", "Ctrl+B", [this] { keep_as_b(); });
  hint_->add("4 other layouts", "Ctrl+2", [this] { run_action("perspective-plan"); });
  hint_->add("keys", "?", [this] { run_action("help"); });
  layout->addWidget(hint_);
  pages_ = new QStackedWidget;
  layout->addWidget(pages_, 1);

  auto* schedule = new QWidget;
  auto* column = new QVBoxLayout(schedule);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  timeline_ = new TimelineView;
  chip_ = new QLabel;
  chip_->setAccessibleName("Range of the statistics");
  chip_->setContentsMargins(8, 2, 8, 2);
  column->addWidget(timeline_, 1);
  clear_range_ = new QToolButton;
  clear_range_->setText("x");
  clear_range_->setAccessibleName("Clear the range");
  clear_range_->setToolTip("Clear the range: the statistics are of the whole step again (Esc)");
  clear_range_->setAutoRaise(true);
  clear_range_->hide();
  connect(clear_range_, &QToolButton::clicked, this, [this] { timeline_->act("clear"); });
  auto* range = new QHBoxLayout;
  range->setSpacing(0);
  range->addWidget(chip_);
  range->addWidget(clear_range_);
  range->addStretch();
  column->addLayout(range);
  pages_->addWidget(schedule);
  plan_ = new PlanView(bench_);
  // Not as wide as its question where other pages are shown.
  plan_->setMinimumSize(1, 1);
  pages_->addWidget(plan_);
  connect(plan_, &PlanView::open_wanted, this, &MainWindow::open_plan);
  compare_ = new CompareView;
  pages_->addWidget(compare_);
  report_ = new ReportView;
  connect(report_, &ReportView::export_wanted, this, [this](const QString& ending) {
    const QString path =
        QFileDialog::getSaveFileName(this, "Export report", "report." + ending, "*." + ending);
    if (!path.isEmpty()) export_report(path);
  });
  pages_->addWidget(report_);
  setCentralWidget(centre);

  auto* bar = new QToolBar("Perspectives");
  insertToolBar(top, bar);
  insertToolBarBreak(top);
  bar->setObjectName("perspectives");
  bar->setMovable(false);
  runs_label_ = new QLabel;
  runs_label_->setAccessibleName("Runs A and B");
  search_ = new QLineEdit;
  search_->setObjectName("search");
  search_->setAccessibleName("Search slices");
  search_->setPlaceholderText("search: mb:12 stage:3 op:dispatch dur>5ms");
  search_->setMaximumWidth(340);
  search_->setClearButtonEnabled(true);
  search_->installEventFilter(this);
  speed_label_ = new QLabel;
  statusBar()->addPermanentWidget(speed_label_);
  connect(tiles_, &TileRow::derivation_wanted, this, [this](int tile) {
    const Tile& t = tiles_->tiles()[static_cast<std::size_t>(tile)];
    std::vector<std::pair<std::string, std::string>> rows{{t.title, t.value}, {"source", t.badge}};
    if (!t.published.empty()) rows.emplace_back("beside it", t.published);
    rows.insert(rows.end(), t.derivation.begin(), t.derivation.end());
    show_details(rows, QString::fromStdString("How it comes about: " + t.title));
    docks_.at("Details")->raise();
  });
}

QDockWidget* MainWindow::add_dock(const QString& title, QWidget* widget, Qt::DockWidgetArea area) {
  auto* dock = new QDockWidget(title, this);
  dock->setObjectName(title);
  dock->setWidget(widget);
  addDockWidget(area, dock);
  docks_[title.toStdString()] = dock;
  return dock;
}

void MainWindow::add_chart(const std::string& name, const QString& title) {
  auto* view = new ChartView(title);
  charts_[name] = view;
  QDockWidget* dock = add_dock(title, view, Qt::BottomDockWidgetArea);
  if (charts_.size() > 1) tabifyDockWidget(docks_.at("Waterfall"), dock);
}

void MainWindow::make_docks() {
  setCorner(Qt::BottomLeftCorner, Qt::LeftDockWidgetArea);
  setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
  scenario_ = new ScenarioPanel(bench_, *undo_);
  add_dock("Scenario", scenario_, Qt::LeftDockWidgetArea);
  details_ = two_columns("Details of the selection");
  add_dock("Details", details_, Qt::RightDockWidgetArea);
  statistics_ = new ChartView("Statistics");
  statistics_->table_only();
  add_dock("Statistics of the range", statistics_, Qt::RightDockWidgetArea);
  add_chart("waterfall", "Waterfall");
  add_chart("memory", "Memory");
  add_chart("memory-time", "Memory over time");
  add_chart("roofline", "Roofline");
  add_chart("links", "Links");
  add_chart("power", "Power");
  problems_ = new QListWidget;
  problems_->setAccessibleName("Problems");
  problems_->setWordWrap(true);
  tabifyDockWidget(docks_.at("Waterfall"), add_dock("Problems", problems_, Qt::BottomDockWidgetArea));
  docks_.at("Waterfall")->raise();
  connect(charts_.at("memory"), &ChartView::picked, this, [this](int rank) {
    if (rank < 0 || !bench_.run()) return;
    timeline_->go_to_row("rank " + std::to_string(rank));
    set_rank(rank);
  });
  connect(charts_.at("waterfall"), &ChartView::picked, this, [this](int cause) {
    // The bubble's slices are the waiting ones of the slowest rank.
    const auto run = bench_.run();
    if (!run || !run->feasible() || cause < 0) return;
    const std::vector<Cause> all = causes(run->metrics().waterfall);
    if (static_cast<std::size_t>(cause) >= all.size() ||
        all[static_cast<std::size_t>(cause)].ink != Ink::kIdle)
      return;
    Query query;
    query.kind = "waiting";
    query.rank = run->metrics().slowest_rank;
    timeline_->set_hits(find_slices(*run, timeline_->state(), query));
  });
  for (const char* name : {"roofline", "links"}) {
    // The operators of the class, on the timeline of the rank that the chart is about.
    connect(charts_.at(name), &ChartView::picked, this, [this, name](int row) {
      const Table& table = charts_.at(name)->model().table();
      const auto run = bench_.run();
      if (!run || row < 0 || static_cast<std::size_t>(row) >= table.rows.size()) return;
      timeline_->set_level(Level::kOperators, timeline_->state().rank);
      search_->setText(QString::fromStdString("class:" + table.rows[static_cast<std::size_t>(row)][0].text));
      start_search();
    });
  }
  connect(problems_, &QListWidget::itemActivated, this, [this](QListWidgetItem* item) {
    const QStringList cure = item->data(Qt::UserRole).toStringList();
    for (qsizetype i = 0; i + 1 < cure.size(); i += 2)
      scenario_->edit(cure[i].toStdString(), cure[i + 1].toStdString());
  });
}

void MainWindow::leave_out_clocks() {
  clocks_ = false;
  show_speed();
}

void MainWindow::show_speed() {
  const auto run = bench_.run();
  if (bench_.busy())
    speed_label_->setText("simulating...  Ctrl+. cancels");
  else if (run && bench_.stale())
    speed_label_->setText("stale: the result is of the scenario before the last edit; F5 simulates");
  else if (run && clocks_)
    speed_label_->setText(
        QString("simulated in %1 ms, not measured").arg(run->seconds_to_make() * 1000, 0, 'f', 0));
  else
    speed_label_->setText(run ? "simulated, not measured" : "");
}

void MainWindow::show_run() {
  const auto run = bench_.run();
  if (run && !bench_.stale()) find_ranges();
  tiles_->set_tiles(
      run ? headline(*run, b_.get(), ranges_of_ == run ? ranges_ : Ranges{}) : std::vector<Tile>{},
      bench_.stale());
  timeline_->set_stale(bench_.stale());
  if (!run) return;
  show_speed();
  if (timeline_->run() != run) {
    const bool first = timeline_->run() == nullptr;
    timeline_->set_run(run);
    if (first && run->feasible() && run->ranks() > 2) {
      // A forward in the first third, so that arrows show what a slice depends on.
      const TimelineRow& row = *run->pipeline().rows[static_cast<std::size_t>(run->ranks() / 3)];
      for (std::size_t i = row.slices.size() / 12; i < row.slices.size(); ++i) {
        if (row.slices.ink[i] != Ink::kForward) continue;
        timeline_->select(SliceId{row.name, i});
        break;
      }
    }
    compare_->set_runs(run, b_);
  }
  show_report();
  if (perspective_ == Perspective::kPlan) plan_->prepare();
  const auto short_name = [](const RunView* r) {
    return r == nullptr ? std::string("none")
                        : fmt::format("{}, {} GPUs, pp {}, {}", r->scenario().model_ref, r->scenario().gpus,
                                      r->scenario().layout.pp, r->scenario().layout.schedule);
  };
  runs_label_->setText(QString::fromStdString(
      fmt::format("   A: {}    B: {}   ", short_name(run.get()), short_name(b_.get()))));
  show_charts();
  show_selection();
}

void MainWindow::show_charts() {
  const auto run = bench_.run();
  if (!run) return;
  const int rank = timeline_->state().rank;
  charts_.at("waterfall")->set_maker([run](double w, double h, const TextMetrics& t, int s) {
    return waterfall_chart(*run, w, h, t, s);
  });
  charts_.at("memory")->set_maker(
      [run](double w, double h, const TextMetrics& t, int s) { return memory_chart(*run, w, h, t, s); });
  charts_.at("memory-time")->set_maker([run, rank](double w, double h, const TextMetrics& t, int) {
    return memory_curve_chart(*run, rank, w, h, t);
  });
  charts_.at("roofline")->set_maker([run, rank](double w, double h, const TextMetrics& t, int s) {
    return roofline_chart(*run, rank, w, h, t, s);
  });
  charts_.at("power")->set_maker([run, rank](double w, double h, const TextMetrics& t, int) {
    return power_chart(*run, rank, w, h, t);
  });
  charts_.at("links")->set_maker([run, rank](double w, double h, const TextMetrics& t, int s) {
    return links_chart(*run, rank, w, h, t, s);
  });
}

void MainWindow::show_details(const std::vector<std::pair<std::string, std::string>>& rows,
                              const QString& title) {
  docks_.at("Details")->setWindowTitle(title);
  details_->setRowCount(static_cast<int>(rows.size()));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (int c = 0; c < 2; ++c) {
      const QString words = QString::fromStdString(c == 0 ? rows[i].first : rows[i].second);
      auto* item = new QTableWidgetItem(words);
      item->setToolTip(words);
      details_->setItem(static_cast<int>(i), c, item);
    }
  }
  details_->resizeColumnToContents(0);
}

void MainWindow::show_selection() {
  const auto run = timeline_->run();
  if (!run) return;
  std::vector<std::pair<std::string, std::string>> rows = details(*run, timeline_->state());
  if (rows.empty()) {
    for (const std::string& words : bottlenecks(*run)) rows.emplace_back("limits", words);
  }
  show_details(rows, "Details");
  const TimelineRow* chosen = timeline_->state().selected
                                  ? gui::find_row(*run, timeline_->state(), timeline_->state().selected->row)
                                  : nullptr;
  if (chosen != nullptr && chosen->rank >= 0) charts_.at("memory")->select(chosen->rank);
  const auto state = timeline_->state();
  const std::string scope = statistics_scope(*run, state);
  statistics_->set_maker([run, state, scope](double w, double h, const TextMetrics& text, int) {
    Chart chart{start_chart(w, h, scope, text), statistics(*run, state)};
    return chart;
  });
  clear_range_->setVisible(state.area.has_value());
  chip_->setText(QString::fromStdString(
      "Statistics: " + scope + (state.area ? "   (Esc clears the range)" : "") +
      (state.hits.empty() ? ""
                          : fmt::format("     {} of {} hits", timeline_->hit() + 1, state.hits.size()))));
}

void MainWindow::show_problems() {
  problems_->clear();
  for (const Problem& p : bench_.problems()) {
    QString words = QString::fromStdString(p.code + ": " + p.text);
    QStringList cure;
    for (const auto& [key, value] : p.cure) {
      words += QString("\nWould fit: %1 = %2 (Return applies it)")
                   .arg(QString::fromStdString(key), QString::fromStdString(value));
      cure << QString::fromStdString(key) << QString::fromStdString(value);
    }
    auto* item = new QListWidgetItem(style()->standardIcon(p.code == "note" ? QStyle::SP_MessageBoxInformation
                                                                            : QStyle::SP_MessageBoxWarning),
                                     words, problems_);
    item->setData(Qt::UserRole, cure);
  }
  const auto n = bench_.problems().size();
  docks_.at("Problems")->setWindowTitle(n == 0 ? QString("Problems") : QString("Problems (%1)").arg(n));
  if (n > 0) docks_.at("Problems")->raise();
  if (n > 0)
    statusBar()->showMessage(QString::fromStdString(bench_.problems().back().text).section('\n', 0, 0), 8000);
}

void MainWindow::size_docks() {
  // Wider than their tables they would only take room from the timeline; narrower, values are not seen.
  const int w = width();
  const int em = fontMetrics().height();
  resizeDocks({docks_.at("Scenario"), docks_.at("Details")},
              {std::clamp(w * 285 / 1000, em * 16, em * 27),
               w < 1200 ? em * 16 : std::clamp(w * 23 / 100, em * 14, em * 28)},
              Qt::Horizontal);
  resizeDocks({docks_.at("Details"), docks_.at("Statistics of the range")},
              {height() * 45 / 100, height() * 28 / 100}, Qt::Vertical);
  resizeDocks({docks_.at("Waterfall")}, {std::max(height() * 24 / 100, fontMetrics().height() * 16)},
              Qt::Vertical);
  // Names of panels are read whole; where they do not fit, the bar scrolls.
  for (QTabBar* bar : findChildren<QTabBar*>(QString(), Qt::FindDirectChildrenOnly)) {
    bar->setElideMode(Qt::ElideNone);
    bar->setUsesScrollButtons(true);
  }
}

void MainWindow::showEvent(QShowEvent* event) {
  QMainWindow::showEvent(event);
  if (!sized_) size_docks();
  sized_ = true;
}

void MainWindow::set_rank(int rank) {
  TimelineState state = timeline_->state();
  state.rank = rank;
  timeline_->set_state(state);
  show_charts();
}

void MainWindow::reset_layout() {
  restoreState(first_layout_);
  set_perspective(Perspective::kSchedule);
}

TimelineView* MainWindow::active_timeline() {
  if (perspective_ != Perspective::kCompare) return timeline_;
  return compare_->b()->hasFocus() ? compare_->b() : compare_->a();
}

void MainWindow::closeEvent(QCloseEvent* event) {
  event->accept();
}

}  // namespace orrery::gui
