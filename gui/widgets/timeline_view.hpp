#pragma once

#include <QWidget>
#include <memory>
#include <string>
#include <vector>

#include "gui/core/search.hpp"
#include "gui/core/timeline_scene.hpp"

namespace orrery::gui {

/// The timeline: shows a TimelineState of a run, and turns mouse, wheel and named actions into other states.
/// All geometry is made in gui/core.
class TimelineView : public QWidget {
  Q_OBJECT

 public:
  explicit TimelineView(QWidget* parent = nullptr);

  void set_run(std::shared_ptr<const RunView> run);
  void set_theme(Theme theme);
  void set_stale(bool stale);
  [[nodiscard]] const TimelineState& state() const { return state_; }
  /// For sessions and coupled views: no history entry.
  void set_state(TimelineState state);
  [[nodiscard]] std::shared_ptr<const RunView> run() const { return run_; }
  [[nodiscard]] Scene scene(double width, double height, const TextMetrics& text) const;

  /// Runs an action of the table with scope kTimeline; false when it is not one of them.
  bool act(std::string_view id);
  void select(std::optional<SliceId> slice);
  void show_range(double t0, double t1);
  void set_hits(std::vector<SliceId> hits);
  void step_hit(int by);
  [[nodiscard]] int hit() const { return hit_; }
  void go_to_row(const std::string& name);
  void set_level(Level level, int rank);
  void add_mark(const std::string& note);
  bool back();
  bool forward();
  [[nodiscard]] std::vector<std::string> row_names() const;
  [[nodiscard]] TimelineGeometry shape() const;
  /// What a view can show at most, picoseconds.
  [[nodiscard]] AxisRange range() const;
  [[nodiscard]] QSize sizeHint() const override { return {900, 480}; }

 signals:
  void selection_changed();
  void view_changed();

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void focusInEvent(QFocusEvent* event) override;
  void focusOutEvent(QFocusEvent* event) override;
  bool event(QEvent* event) override;
  bool focusNextPrevChild(bool next) override;

 private:
  struct Seen {
    Level level;
    int rank;
    double t0, t1, scroll;
    bool operator==(const Seen&) const = default;
  };
  [[nodiscard]] Seen seen() const { return {state_.level, state_.rank, state_.t0, state_.t1, state_.scroll}; }
  void remember();
  void restore(const Seen& view);
  void set_axis(const TimeAxis& axis);
  void changed();
  void zoom(double factor);
  void pan(double share);
  void move_row(int by);
  void move_slice(int by);
  void follow_flow(bool forward);
  void select_middle();
  void centre(bool fit);
  void descend();
  void ascend();
  void toggle_pin();
  void clear();
  void range_from_slice();
  [[nodiscard]] const TimelineRow* current() const;
  [[nodiscard]] double zoom_pixel() const;
  void drag_to(const QPointF& at);
  void tool_tip(const QPoint& at, const QPoint& global);

  std::shared_ptr<const RunView> run_;
  TimelineState state_;
  Theme theme_ = Theme::kLight;
  bool stale_ = false;
  std::vector<Seen> past_, future_;
  int hit_ = -1;
  enum class Drag { kNone, kSelect, kPan, kOverview, kLeftEdge, kRightEdge } drag_ = Drag::kNone;
  QPointF drag_from_, drag_last_;
  bool moved_ = false;
};

}  // namespace orrery::gui
