#pragma once

#include <QWidget>
#include <memory>

#include "gui/core/plan_cart.hpp"
#include "gui/core/plan_charts.hpp"
#include "gui/core/plan_filter.hpp"
#include "gui/widgets/chart_view.hpp"
#include "gui/widgets/plan_question.hpp"

class QCheckBox;
class QComboBox;
class QHBoxLayout;
class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QPushButton;
class QTabWidget;

namespace orrery::gui {

/// Layouts around the present scenario: the question on the left; the answers as table, scatter with the
/// front, heat map, parallel coordinates, counts of what became of the rest, and in words, all with one
/// selection and one filter. A double click asks to open a layout.
class PlanView : public QWidget {
  Q_OBJECT

 public:
  explicit PlanView(Workbench& bench, QWidget* parent = nullptr);
  void set_theme(Theme theme);
  /// Rows from elsewhere, such as a sweep's journal.
  void show_items(PlanItems items, std::vector<std::string> keys);
  /// The perspective was opened, or another scenario is there: the space is filled if it is empty.
  void prepare();
  void start();
  void cancel();
  /// Holds a running search, or lets it go on.
  void pause_or_resume();
  [[nodiscard]] bool paused() const { return best_.paused() || grid_.paused(); }
  /// Shows only answers that meet it; a filter with a mistake changes nothing and is named beside it.
  void set_filter(const QString& text);
  [[nodiscard]] QLineEdit* filter() { return filter_; }
  /// Whether the scatter leaves out what does not meet the filter, instead of showing it hollow.
  [[nodiscard]] QCheckBox* strict() { return strict_; }
  [[nodiscard]] ChartView* scatter() { return scatter_; }
  /// How the answers shown were looked for.
  [[nodiscard]] PlanMode shown_mode() const { return asked_; }
  [[nodiscard]] bool running() const { return best_.running() || grid_.running(); }
  /// Until nothing runs, with the answer shown. For tests and pictures.
  void wait();
  [[nodiscard]] PlanSearch& grid() { return grid_; }
  [[nodiscard]] LayoutSearch& best() { return best_; }
  [[nodiscard]] PlanQuestionPanel* question() { return question_; }
  [[nodiscard]] QTabWidget* tabs() { return tabs_; }
  [[nodiscard]] ChartView* table() { return table_; }
  [[nodiscard]] ChartView* reasons() { return reasons_; }
  /// Answers that are shown; those the filter leaves out are not among them.
  [[nodiscard]] const PlanItems& items() const { return shown_; }
  /// Puts the selected answer among the kept ones, of which there are at most four.
  void keep_selected();
  void remove_kept(std::size_t index);
  [[nodiscard]] const PlanCart& cart() const { return cart_; }
  [[nodiscard]] QPushButton* keep_button() { return keep_; }
  [[nodiscard]] ChartView* kept() { return kept_; }
  /// The chart of the open page; of a page without one, the scatter.
  [[nodiscard]] ChartView* open_chart();
  [[nodiscard]] std::size_t found() const { return items_.size(); }

 signals:
  /// With the edits that make the layout.
  void open_wanted(const std::vector<Override>& changes);

 private:
  void show_answer();
  void show_time_left();
  void refresh();
  void apply_filter();
  void select(int item);
  void refuse(const std::string& words);
  void show_kept();

  Workbench& bench_;
  PlanSearch grid_;
  LayoutSearch best_;
  PlanItems items_, shown_;
  PlanFilter conditions_;
  std::vector<Fate> fates_;
  double total_ = 0;
  PlanMode asked_ = PlanMode::kBest;  ///< of the answers shown
  std::vector<std::string> keys_;
  PlanQuestionPanel* question_;
  QLineEdit* filter_;
  QLabel* filter_words_;
  QCheckBox* strict_;
  QTabWidget* tabs_;
  QComboBox* x_;
  QComboBox* y_;
  ChartView* table_;
  ChartView* scatter_;
  ChartView* heat_;
  ChartView* parallel_;
  ChartView* reasons_;
  QPlainTextEdit* words_;
  PlanCart cart_;
  ChartView* kept_;
  QPushButton* keep_;
  QHBoxLayout* kept_bar_;
};

}  // namespace orrery::gui
