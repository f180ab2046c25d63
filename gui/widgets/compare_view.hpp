#pragma once

#include <QWidget>
#include <memory>

#include "gui/core/alignment.hpp"
#include "gui/core/run_view.hpp"
#include "gui/widgets/chart_view.hpp"
#include "gui/widgets/elided_label.hpp"
#include "gui/widgets/timeline_view.hpp"

class QComboBox;
class QSpinBox;
class QTabWidget;

namespace orrery::gui {

/// Runs A and B on one axis: two timelines that move together, their difference over time, results of both,
/// the waterfall of the difference, changed inputs and microbatches. They lie by start of the step, by share
/// of it, or so that one microbatch's work begins together. A slice selected in one shows in the other, and
/// is what they are aligned by microbatch with.
class CompareView : public QWidget {
  Q_OBJECT

 public:
  explicit CompareView(QWidget* parent = nullptr);
  /// Either may be null.
  void set_runs(std::shared_ptr<const RunView> a, std::shared_ptr<const RunView> b);
  void set_theme(Theme theme);
  [[nodiscard]] TimelineView* a() { return a_; }
  [[nodiscard]] TimelineView* b() { return b_; }
  [[nodiscard]] Alignment alignment() const;
  void set_alignment(Alignment alignment);
  void next_alignment();
  /// The work that alignment by microbatch puts on one line; a microbatch alone: its entry.
  void set_anchor(const Work& work);
  [[nodiscard]] const Work& anchor() const { return anchor_; }
  [[nodiscard]] TimeMap map() const;
  /// Both timelines with the difference between them, as one picture.
  [[nodiscard]] Scene scene(double width, double height, const TextMetrics& text) const;
  [[nodiscard]] QComboBox* chooser() { return align_; }
  [[nodiscard]] QSpinBox* microbatch() { return microbatch_; }
  [[nodiscard]] ChartView* over_time() { return over_time_; }
  [[nodiscard]] ChartView* difference() { return difference_; }
  [[nodiscard]] ChartView* inputs() { return inputs_; }
  [[nodiscard]] ChartView* microbatches() { return microbatches_; }
  [[nodiscard]] QTabWidget* tables() { return tables_; }

 private:
  void couple(TimelineView* from, TimelineView* to);
  void mirror_selection(TimelineView* from, TimelineView* to);
  void refresh_charts();
  /// Puts B where the alignment says, with A staying where it is.
  void realign();

  TimelineView* a_;
  TimelineView* b_;
  ElidedLabel* title_a_;
  ElidedLabel* title_b_;
  QComboBox* align_;
  QSpinBox* microbatch_;
  ChartView* over_time_;
  ChartView* difference_;
  ChartView* inputs_;
  ChartView* results_;
  ChartView* microbatches_;
  QTabWidget* tables_;
  Work anchor_;
  bool coupling_ = false;
};

}  // namespace orrery::gui
