#pragma once

#include <QWidget>
#include <memory>

#include "gui/core/plan_charts.hpp"
#include "gui/widgets/chart_view.hpp"

class QComboBox;
class QLabel;
class QProgressBar;
class QPushButton;
class QTableWidget;
class QTabWidget;

namespace orrery::gui {

/// A search over layouts around the present scenario: axes on the left, answers as table, scatter with the
/// front, heat map, parallel coordinates and counts of reasons, all with one selection. A double click asks
/// to open a layout.
class PlanView : public QWidget {
  Q_OBJECT

 public:
  explicit PlanView(Workbench& bench, QWidget* parent = nullptr);
  void set_theme(Theme theme);
  /// Rows from elsewhere, such as a sweep's journal.
  void show_items(PlanItems items, std::vector<std::string> keys);
  void start();
  [[nodiscard]] PlanSearch& search() { return search_; }
  [[nodiscard]] QTableWidget* axes_table() { return axes_; }
  [[nodiscard]] QTabWidget* tabs() { return tabs_; }
  [[nodiscard]] ChartView* table() { return table_; }
  [[nodiscard]] const PlanItems& items() const { return items_; }

 signals:
  void open_wanted(int item);

 private:
  void refresh();
  void select(int item);

  Workbench& bench_;
  PlanSearch search_;
  PlanItems items_;
  std::vector<std::string> keys_;
  QTableWidget* axes_;
  QPushButton* run_;
  QProgressBar* progress_;
  QLabel* words_;
  QTabWidget* tabs_;
  QComboBox* x_;
  QComboBox* y_;
  ChartView* table_;
  ChartView* scatter_;
  ChartView* heat_;
  ChartView* parallel_;
  ChartView* reasons_;
};

}  // namespace orrery::gui
