#pragma once

#include <QWidget>
#include <functional>

#include "gui/core/result_charts.hpp"
#include "gui/core/table_model.hpp"

class QTableView;
class QSortFilterProxyModel;
class QStackedLayout;
class QToolButton;

namespace orrery::gui {

/// Makes a chart for a size; `selected` is a row of its table or -1.
using ChartMaker = std::function<Chart(double width, double height, const TextMetrics& text, int selected)>;

/// The painted half of a ChartView.
class ChartCanvas : public QWidget {
  Q_OBJECT

 public:
  explicit ChartCanvas(QWidget* parent = nullptr);
  void set_maker(ChartMaker maker);
  void set_theme(Theme theme);
  void select(int id);
  [[nodiscard]] int selected() const { return selected_; }
  [[nodiscard]] const Chart& chart() const { return chart_; }
  [[nodiscard]] Scene scene(double width, double height, const TextMetrics& text) const;
  [[nodiscard]] QSize sizeHint() const override { return {420, 230}; }
  void refresh();

 signals:
  void picked(int id);
  void opened(int id);
  void made();

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  bool event(QEvent* event) override;

 private:
  ChartMaker maker_;
  Chart chart_;
  Theme theme_ = Theme::kLight;
  int selected_ = -1;
};

/// A chart with its table twin: a button, or Ctrl+Return, changes between them. Rows of the table and parts
/// of the chart are one selection.
class ChartView : public QWidget {
  Q_OBJECT

 public:
  ChartView(const QString& name, QWidget* parent = nullptr);
  void set_maker(ChartMaker maker);
  void set_theme(Theme theme);
  void select(int id);
  /// The chart's parts are other things than the table's rows: selecting one leaves the other alone.
  void parts_are_no_rows() { parts_are_rows_ = false; }
  void show_table(bool table);
  /// Without a chart: only the table is shown.
  void table_only();
  /// The button that shows the table; a parent may put it elsewhere, where the chart has no line for it.
  [[nodiscard]] QToolButton* table_button() { return button_; }
  [[nodiscard]] ChartCanvas* canvas() { return canvas_; }
  [[nodiscard]] QTableView* table() { return table_; }
  [[nodiscard]] const TableModel& model() const { return model_; }

 signals:
  void picked(int id);
  void opened(int id);

 private:
  ChartCanvas* canvas_;
  QTableView* table_;
  QStackedLayout* stack_;
  QToolButton* button_;
  TableModel model_;
  QSortFilterProxyModel* sorted_;
  bool parts_are_rows_ = true;
};

}  // namespace orrery::gui
