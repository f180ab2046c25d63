#pragma once

#include <QMainWindow>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "gui/core/background.hpp"
#include "gui/core/ranges.hpp"
#include "gui/core/report_file.hpp"
#include "gui/core/session.hpp"
#include "gui/core/workbench.hpp"
#include "gui/widgets/chart_view.hpp"
#include "gui/widgets/compare_view.hpp"
#include "gui/widgets/hint_strip.hpp"
#include "gui/widgets/plan_view.hpp"
#include "gui/widgets/report_view.hpp"
#include "gui/widgets/scenario_panel.hpp"
#include "gui/widgets/scene_painter.hpp"
#include "gui/widgets/tile_row.hpp"
#include "gui/widgets/timeline_view.hpp"

class QLabel;
class QLineEdit;
class QListWidget;
class QStackedWidget;
class QTableWidget;
class QToolButton;
class QUndoStack;

namespace orrery::gui {

enum class Perspective : std::uint8_t { kSchedule, kPlan, kCompare, kReport };

/// The window: tiles on top, a timeline in the middle, panels around it. Every command is an action of
/// gui/core/actions.hpp and can be run by its id.
class MainWindow : public QMainWindow {
  Q_OBJECT

 public:
  /// `settings` is a file for recent files; empty: nothing is remembered.
  explicit MainWindow(ProfileFolders profiles, const QString& settings, QWidget* parent = nullptr);
  ~MainWindow() override;

  /// Opens a file of any kind the program knows; a refusal goes to the problems panel.
  void open_file(const QString& path);
  void open_example(std::size_t which);
  void save_session(const QString& path);
  void export_picture(const QString& path);
  void export_trace(const QString& path);
  void export_result(const QString& path);
  /// The training-cost report, with its alternatives simulated in a worker; a refusal goes to the problems
  /// panel. HTML, PDF, Markdown, CSV or JSON by the ending.
  void export_report(const QString& path);
  /// What differs from run to run, such as the time a simulation took, is left out: for pictures that are
  /// compared or printed.
  void leave_out_clocks();
  /// Until no worker runs and everything that came is shown. For tests and pictures.
  void settle();
  void run_action(std::string_view id);
  void set_perspective(Perspective perspective);
  /// Rank of the streams, of memory over time, roofline and links.
  void set_rank(int rank);
  void set_theme(Theme theme);
  /// One of the names `views()` lists, for pictures: brings it to the front. False for another name.
  bool show_view(const std::string& name);
  [[nodiscard]] static std::vector<std::string> views();

  [[nodiscard]] Workbench& bench() { return bench_; }
  [[nodiscard]] TimelineView* timeline() { return timeline_; }
  [[nodiscard]] CompareView* compare_view() { return compare_; }
  [[nodiscard]] PlanView* plan_view() { return plan_; }
  [[nodiscard]] ReportView* report_view() { return report_; }
  [[nodiscard]] TileRow* tiles() { return tiles_; }
  [[nodiscard]] ScenarioPanel* scenario_panel() { return scenario_; }
  [[nodiscard]] QLineEdit* search_field() { return search_; }
  [[nodiscard]] QTableWidget* details_table() { return details_; }
  [[nodiscard]] QListWidget* problems_list() { return problems_; }
  [[nodiscard]] QUndoStack* undo_stack() { return undo_; }
  [[nodiscard]] ChartView* chart(const std::string& name) { return charts_.at(name); }
  [[nodiscard]] Theme theme() const { return theme_; }
  [[nodiscard]] Perspective perspective() const { return perspective_; }
  [[nodiscard]] std::shared_ptr<const RunView> run_b() const { return b_; }
  [[nodiscard]] QStringList recent_files() const { return recent_; }
  /// The timeline that has the keys: A's or B's in the compare perspective, else the main one.
  [[nodiscard]] TimelineView* active_timeline();

 protected:
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;
  void closeEvent(QCloseEvent* event) override;
  void showEvent(QShowEvent* event) override;

 private:
  // main_window.cpp
  void make_centre();
  void make_docks();
  QDockWidget* add_dock(const QString& title, QWidget* widget, Qt::DockWidgetArea area);
  void add_chart(const std::string& name, const QString& title);
  void show_run();
  void show_speed();
  void show_selection();
  void show_problems();
  void show_charts();
  void show_details(const std::vector<std::pair<std::string, std::string>>& rows, const QString& title);
  void reset_layout();
  void size_docks();
  // main_window_actions.cpp
  void make_actions();
  bool run_file_action(std::string_view id);
  bool run_view_action(std::string_view id);
  void find_row();
  void show_palette();
  void copy(bool markdown);
  void keep_as_b();
  void swap_runs();
  /// The present run becomes B, the answer of the search the present scenario.
  void open_plan(const std::vector<Override>& changes);
  /// The input chosen in the scenario panel becomes an axis of the plan's grid.
  void vary();
  // main_window_work.cpp
  void start_search();
  /// Ranges of the tiles, for the present run.
  void find_ranges();
  /// The report of the present run, where its perspective is shown.
  void show_report();
  [[nodiscard]] ReportOrigin report_origin() const;
  void keep_report(std::shared_ptr<const RunView> run, std::shared_ptr<const Document> document);
  // main_window_files.cpp
  void refuse(const std::string& code, const std::string& text);
  void open_session(const std::string& text, const std::string& place);
  /// Null takes the trace away.
  void lay_trace(std::shared_ptr<const LevelRows> trace);
  void remember_file(const QString& path);
  void fill_recent();
  void keep_recent();
  [[nodiscard]] Session session() const;
  /// What `export_picture` writes: the chart that has the keys, the open one of the plan, both timelines of a
  /// comparison, else the timeline; and its size.
  struct Picture {
    SceneMaker maker;
    double width = 0, height = 0;
  };
  [[nodiscard]] Picture picture();

  Workbench bench_;
  QUndoStack* undo_;
  QString settings_;
  QStringList recent_;
  QMenu* recent_menu_ = nullptr;
  Theme theme_ = Theme::kLight;
  Perspective perspective_ = Perspective::kSchedule;
  std::shared_ptr<const RunView> b_;
  std::optional<Input> input_b_;

  QStackedWidget* pages_ = nullptr;
  HintStrip* hint_ = nullptr;
  TileRow* tiles_ = nullptr;
  TimelineView* timeline_ = nullptr;
  QLabel* chip_ = nullptr;
  QToolButton* clear_range_ = nullptr;
  PlanView* plan_ = nullptr;
  CompareView* compare_ = nullptr;
  ReportView* report_ = nullptr;
  ScenarioPanel* scenario_ = nullptr;
  QTableWidget* details_ = nullptr;
  ChartView* statistics_ = nullptr;
  QListWidget* problems_ = nullptr;
  QLineEdit* search_ = nullptr;
  QLabel* runs_label_ = nullptr;
  QLabel* speed_label_ = nullptr;
  std::shared_ptr<const RunView> ranges_of_, report_of_;  ///< runs whose ranges and report are shown or made
  std::shared_ptr<const RunView> document_of_;
  std::shared_ptr<const Document> document_;  ///< the report of document_of_
  Ranges ranges_;
  std::map<std::string, ChartView*> charts_;
  std::map<std::string, QDockWidget*> docks_;
  std::map<std::string, QAction*> actions_;
  QByteArray first_layout_;
  bool sized_ = false;
  bool clocks_ = true;
  // Last, so that they end before anything that they hand results to.
  Background ranges_worker_, report_worker_, export_worker_, search_worker_;
  Level shown_level_ = Level::kPipeline;
  int shown_rank_ = 0;
};

}  // namespace orrery::gui
