#include <QHelpEvent>
#include <QMouseEvent>
#include <QToolTip>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

#include "gui/core/selection.hpp"
#include "gui/widgets/timeline_view.hpp"

// Mouse, wheel and focus of the timeline, and going through search hits.

namespace orrery::gui {
namespace {

constexpr double kDragPixels = 4;

}  // namespace

void TimelineView::wheelEvent(QWheelEvent* event) {
  if (!run_) return;
  const QPoint angle = event->angleDelta();
  const double notches = (angle.y() != 0 ? angle.y() : angle.x()) / 120.0;
  if (event->modifiers() & Qt::ControlModifier) {
    remember();
    set_axis(zoomed(shape().axis, std::pow(1.25, notches), event->position().x(), range().high, range().low));
  } else if ((event->modifiers() & Qt::ShiftModifier) || angle.y() == 0) {
    remember();
    set_axis(panned(shape().axis, -notches * 60, range().high, range().low));
  } else {
    state_.scroll -= notches * 48;
    changed();
  }
  event->accept();
}

void TimelineView::mousePressEvent(QMouseEvent* event) {
  if (!run_) return;
  const TimelineGeometry g = shape();
  const QPointF at = event->position();
  drag_from_ = drag_last_ = at;
  moved_ = false;
  drag_ = Drag::kNone;
  const bool pan_button = event->button() == Qt::MiddleButton || (event->modifiers() & Qt::ShiftModifier);
  if (g.overview.holds(at.x(), at.y()))
    drag_ = Drag::kOverview;
  else if (g.body.holds(at.x(), at.y()) || g.ruler.holds(at.x(), at.y())) {
    drag_ = pan_button ? Drag::kPan : Drag::kSelect;
    if (!pan_button && state_.area) {
      // The edges of a range can be dragged.
      if (std::abs(g.axis.x(static_cast<double>(state_.area->t0)) - at.x()) < kDragPixels)
        drag_ = Drag::kLeftEdge;
      if (std::abs(g.axis.x(static_cast<double>(state_.area->t1)) - at.x()) < kDragPixels)
        drag_ = Drag::kRightEdge;
    }
  } else if (g.headers.holds(at.x(), at.y())) {
    const int row = row_at(g.lanes, at.y() - g.body.y);
    if (row >= 0) state_.current_row = row, changed();
  }
  if (drag_ == Drag::kPan) remember();
  if (drag_ == Drag::kOverview) remember(), drag_to(at);
}

void TimelineView::drag_to(const QPointF& at) {
  const TimelineGeometry g = shape();
  const AxisRange whole = range();
  const auto time_at = [&](double x) {
    return static_cast<std::int64_t>(std::clamp(g.axis.t(x), whole.low, whole.high));
  };
  switch (drag_) {
    case Drag::kPan:
      state_.scroll -= at.y() - drag_last_.y();
      set_axis(panned(g.axis, drag_last_.x() - at.x(), whole.high, whole.low));
      break;
    case Drag::kOverview: {
      const double t = fitted(g.axis, whole.high, whole.low).t(at.x());
      set_axis(showing(g.axis, t - g.axis.span() / 2, t + g.axis.span() / 2, whole.high, whole.low));
      break;
    }
    case Drag::kLeftEdge:
    case Drag::kRightEdge: {
      if (!state_.area) break;
      Area& a = *state_.area;
      (drag_ == Drag::kLeftEdge ? a.t0 : a.t1) = time_at(at.x());
      if (a.t0 > a.t1) {
        std::swap(a.t0, a.t1);
        drag_ = drag_ == Drag::kLeftEdge ? Drag::kRightEdge : Drag::kLeftEdge;
      }
      emit selection_changed();
      changed();
      break;
    }
    case Drag::kSelect: {
      Area area{std::min(time_at(drag_from_.x()), time_at(at.x())),
                std::max(time_at(drag_from_.x()), time_at(at.x())),
                {}};
      const double top = std::min(drag_from_.y(), at.y()) - g.body.y;
      const double bottom = std::max(drag_from_.y(), at.y()) - g.body.y;
      for (const RowBox& box : g.lanes.rows) {
        if (box.y < bottom && box.y + box.h > top && box.row->slices.size() > 0)
          area.rows.push_back(box.row->name);
      }
      state_.area = std::move(area);
      emit selection_changed();
      changed();
      break;
    }
    case Drag::kNone: break;
  }
  drag_last_ = at;
}

void TimelineView::mouseMoveEvent(QMouseEvent* event) {
  if (!run_) return;
  const QPointF at = event->position();
  if (event->buttons() == Qt::NoButton) {
    const std::optional<SliceId> under = slice_at(shape(), at.x(), at.y());
    if (under == state_.hovered) return;
    state_.hovered = under;
    update();
    return;
  }
  if (!moved_ && (at - drag_from_).manhattanLength() < kDragPixels) return;
  moved_ = true;
  drag_to(at);
}

void TimelineView::mouseReleaseEvent(QMouseEvent* event) {
  if (run_ && !moved_ && drag_ == Drag::kSelect && event->button() == Qt::LeftButton) {
    state_.area.reset();
    select(slice_at(shape(), event->position().x(), event->position().y()));
  }
  drag_ = Drag::kNone;
}

void TimelineView::mouseDoubleClickEvent(QMouseEvent* event) {
  if (!run_) return;
  const TimelineGeometry g = shape();
  const QPointF at = event->position();
  if (g.headers.holds(at.x(), at.y())) {
    const int row = row_at(g.lanes, at.y() - g.body.y);
    if (row < 0) return;
    state_.current_row = row;
    act("descend");
    return;
  }
  const std::optional<SliceId> slice = slice_at(g, at.x(), at.y());
  if (!slice) return;
  select(slice);
  state_.area.reset();
  centre(true);
}

void TimelineView::leaveEvent(QEvent*) {
  state_.hovered.reset();
  update();
}

void TimelineView::focusInEvent(QFocusEvent*) {
  state_.focus = true;
  update();
}

void TimelineView::focusOutEvent(QFocusEvent*) {
  state_.focus = false;
  update();
}

bool TimelineView::focusNextPrevChild(bool next) {
  // Tab walks the rows and leaves after the last one: never a trap.
  const int rows = static_cast<int>(row_names().size());
  const int to = state_.current_row + (next ? 1 : -1);
  if (to < 0 || to >= rows) return QWidget::focusNextPrevChild(next);
  move_row(next ? 1 : -1);
  return true;
}

void TimelineView::tool_tip(const QPoint& at, const QPoint& global) {
  const std::optional<SliceId> under = run_ ? slice_at(shape(), at.x(), at.y()) : std::nullopt;
  if (!under) {
    QToolTip::hideText();
    return;
  }
  TimelineState hovered = state_;
  hovered.selected = under;
  QString words;
  int lines = 0;
  for (const auto& [name, value] : details(*run_, hovered)) {
    if (++lines > 9) break;
    words += QString::fromStdString(name + ": " + value + "\n");
  }
  QToolTip::showText(global, words.trimmed(), this);
}

bool TimelineView::event(QEvent* event) {
  if (event->type() == QEvent::ToolTip) {
    const auto* help = static_cast<QHelpEvent*>(event);
    tool_tip(help->pos(), help->globalPos());
    return true;
  }
  return QWidget::event(event);
}

void TimelineView::set_hits(std::vector<SliceId> hits) {
  state_.hits = std::move(hits);
  hit_ = -1;
  step_hit(1);
}

void TimelineView::step_hit(int by) {
  if (state_.hits.empty()) {
    changed();
    return;
  }
  const int n = static_cast<int>(state_.hits.size());
  hit_ = hit_ < 0 ? (by > 0 ? 0 : n - 1) : (hit_ + by + n) % n;
  const SliceId hit = state_.hits[static_cast<std::size_t>(hit_)];
  const TimelineRow* row = run_ ? find_row(*run_, state_, hit.row) : nullptr;
  if (row == nullptr || hit.index >= row->slices.size()) {
    // The rows that were searched are no longer shown.
    state_.hits.clear();
    hit_ = -1;
    changed();
    return;
  }
  select(hit);
  const TimelineGeometry g = shape();
  const auto begin = static_cast<double>(row->slices.begin[state_.selected->index]);
  if (begin < g.axis.t0 || begin > g.axis.t1) centre(false);
}

}  // namespace orrery::gui
