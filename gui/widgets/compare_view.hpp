#pragma once

#include <QWidget>
#include <memory>

#include "gui/core/run_view.hpp"
#include "gui/widgets/chart_view.hpp"
#include "gui/widgets/timeline_view.hpp"

class QComboBox;
class QLabel;

namespace orrery::gui {

/// Runs A and B on one axis: two timelines that move together, their difference over time, changed inputs,
/// results of both and the waterfall of the difference. A slice selected in one shows in the other.
class CompareView : public QWidget {
  Q_OBJECT

 public:
  explicit CompareView(QWidget* parent = nullptr);
  /// Either may be null.
  void set_runs(std::shared_ptr<const RunView> a, std::shared_ptr<const RunView> b);
  void set_theme(Theme theme);
  [[nodiscard]] TimelineView* a() { return a_; }
  [[nodiscard]] TimelineView* b() { return b_; }
  [[nodiscard]] QComboBox* alignment() { return align_; }
  [[nodiscard]] ChartView* difference() { return difference_; }
  [[nodiscard]] ChartView* inputs() { return inputs_; }

 private:
  void couple(TimelineView* from, TimelineView* to);
  void mirror_selection(TimelineView* from, TimelineView* to);
  void refresh_charts();
  [[nodiscard]] double stretch() const;  ///< B's time over A's

  TimelineView* a_;
  TimelineView* b_;
  QLabel* title_a_;
  QLabel* title_b_;
  QComboBox* align_;
  ChartCanvas* busy_;
  ChartView* difference_;
  ChartView* inputs_;
  ChartView* results_;
  bool coupling_ = false;
};

}  // namespace orrery::gui
