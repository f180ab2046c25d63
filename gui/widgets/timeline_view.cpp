#include "gui/widgets/timeline_view.hpp"

#include <QPainter>
#include <QResizeEvent>
#include <algorithm>
#include <cmath>

#include "gui/core/selection.hpp"
#include "gui/widgets/scene_painter.hpp"
#include "gui/widgets/timeline_accessible.hpp"

// State, actions and painting; mouse and wheel are in timeline_input.cpp.

namespace orrery::gui {
namespace {

constexpr std::size_t kMostHistory = 200;

}  // namespace

TimelineView::TimelineView(QWidget* parent) : QWidget(parent) {
  install_accessible_timeline();
  setFocusPolicy(Qt::StrongFocus);
  setMouseTracking(true);
  setMinimumSize(1, 1);
  setAccessibleName("Timeline");
  setAttribute(Qt::WA_OpaquePaintEvent);
}

void TimelineView::set_run(std::shared_ptr<const RunView> run) {
  const bool same_length = run_ && run && run_->makespan() == run->makespan();
  run_ = std::move(run);
  state_.hovered.reset();
  state_.hits.clear();
  hit_ = -1;
  if (!run_ || !run_->feasible()) {
    state_.selected.reset();
    state_.area.reset();
  } else {
    state_.rank = std::clamp(state_.rank, 0, run_->ranks() - 1);
    if (!same_length && state_.t1 > static_cast<double>(run_->makespan())) state_.t0 = state_.t1 = 0;
    if (state_.selected) {
      const TimelineRow* row = find_row(*run_, state_, state_.selected->row);
      if (row == nullptr || state_.selected->index >= row->slices.size()) state_.selected.reset();
    }
    if (state_.area && state_.area->t1 > run_->makespan()) state_.area.reset();
  }
  emit selection_changed();
  changed();
}

void TimelineView::set_theme(Theme theme) {
  theme_ = theme;
  update();
}

void TimelineView::set_stale(bool stale) {
  stale_ = stale;
  update();
}

void TimelineView::set_state(TimelineState state) {
  state_ = std::move(state);
  if (run_ && run_->feasible()) state_.rank = std::clamp(state_.rank, 0, run_->ranks() - 1);
  emit selection_changed();
  changed();
}

Scene TimelineView::scene(double width, double height, const TextMetrics& text) const {
  return run_ ? timeline_scene(*run_, state_, width, height, text) : Scene{width, height, {}, {}};
}

TimelineGeometry TimelineView::shape() const {
  return run_ ? gui::geometry(*run_, state_, width(), height(), text_metrics(font())) : TimelineGeometry{};
}

AxisRange TimelineView::range() const {
  return run_ ? axis_range(*run_, state_) : AxisRange{};
}

void TimelineView::changed() {
  if (run_) {
    const TimelineGeometry g = shape();
    state_.scroll = clamped_scroll(g.lanes, state_.scroll, g.body.h);
    const int rows = static_cast<int>(g.lanes.rows.size());
    state_.current_row = std::clamp(state_.current_row, 0, std::max(0, rows - 1));
  }
  emit view_changed();
  update();
}

void TimelineView::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), QColor(QRgb(0xFF000000U | colour(theme_, Ink::kBackground))));
  if (run_) gui::paint(painter, scene(width(), height(), text_metrics(font())), theme_, font());
  const bool nothing = !run_ || !run_->feasible();
  if (nothing || stale_) {
    const QString words =
        nothing ? "Nothing to show: see Problems" : "stale: simulating, or the last edit was refused";
    const QFontMetrics metrics(font());
    const int w = metrics.horizontalAdvance(words) + 16;
    const QRect box(std::max(0, (width() - w) / 2), height() - metrics.height() - 14, w,
                    metrics.height() + 8);
    painter.fillRect(box, QColor(QRgb(0xFF000000U | colour(theme_, Ink::kBackground))));
    painter.setPen(QColor(QRgb(0xFF000000U | colour(theme_, Ink::kLimit))));
    painter.drawRect(box);
    painter.drawText(box, Qt::AlignCenter, words);
  }
  if (hasFocus()) {
    painter.setPen(QPen(QColor(QRgb(0xFF000000U | colour(theme_, Ink::kSelection))), 2));
    painter.drawRect(rect().adjusted(1, 1, -1, -1));
  }
}

void TimelineView::resizeEvent(QResizeEvent*) {
  changed();
}

void TimelineView::remember() {
  if (!past_.empty() && past_.back() == seen()) return;
  past_.push_back(seen());
  if (past_.size() > kMostHistory) past_.erase(past_.begin());
  future_.clear();
}

void TimelineView::restore(const Seen& view) {
  state_.level = view.level;
  state_.rank = view.rank;
  state_.t0 = view.t0;
  state_.t1 = view.t1;
  state_.scroll = view.scroll;
  changed();
}

bool TimelineView::back() {
  if (past_.empty()) return false;
  future_.push_back(seen());
  const Seen view = past_.back();
  past_.pop_back();
  restore(view);
  return true;
}

bool TimelineView::forward() {
  if (future_.empty()) return false;
  past_.push_back(seen());
  const Seen view = future_.back();
  future_.pop_back();
  restore(view);
  return true;
}

void TimelineView::set_axis(const TimeAxis& axis) {
  state_.t0 = axis.t0;
  state_.t1 = axis.t1;
  changed();
}

void TimelineView::show_range(double t0, double t1) {
  if (!run_) return;
  remember();
  set_axis(showing(shape().axis, t0, t1, range().high, range().low));
}

double TimelineView::zoom_pixel() const {
  const TimelineGeometry g = shape();
  const QPoint at = mapFromGlobal(QCursor::pos());
  const bool inside = underMouse() && at.x() >= g.body.x && at.x() < g.body.x + g.body.w;
  return inside ? at.x() : g.body.x + g.body.w / 2;
}

void TimelineView::zoom(double factor) {
  if (!run_) return;
  remember();
  set_axis(zoomed(shape().axis, factor, zoom_pixel(), range().high, range().low));
}

void TimelineView::pan(double share) {
  if (!run_) return;
  remember();
  const TimelineGeometry g = shape();
  set_axis(panned(g.axis, share * g.axis.width, range().high, range().low));
}

const TimelineRow* TimelineView::current() const {
  if (!run_) return nullptr;
  const TimelineGeometry g = shape();
  const auto i = static_cast<std::size_t>(std::max(0, state_.current_row));
  return i < g.lanes.rows.size() ? g.lanes.rows[i].row : nullptr;
}

void TimelineView::move_row(int by) {
  if (!run_) return;
  const TimelineGeometry g = shape();
  const int rows = static_cast<int>(g.lanes.rows.size());
  state_.current_row = std::clamp(state_.current_row + by, 0, std::max(0, rows - 1));
  if (rows > 0) {
    const RowBox& box = g.lanes.rows[static_cast<std::size_t>(state_.current_row)];
    if (!box.pinned && box.y < g.lanes.pinned_height) state_.scroll -= g.lanes.pinned_height - box.y;
    if (!box.pinned && box.y + box.h > g.body.h) state_.scroll += box.y + box.h - g.body.h;
  }
  changed();
}

void TimelineView::select(std::optional<SliceId> slice) {
  state_.selected = std::move(slice);
  if (state_.selected && run_) {
    const TimelineGeometry g = shape();
    for (std::size_t i = 0; i < g.lanes.rows.size(); ++i) {
      if (g.lanes.rows[i].row->name == state_.selected->row) state_.current_row = static_cast<int>(i);
    }
    setAccessibleDescription(QString::fromStdString(spoken(*run_, state_)));
  }
  emit selection_changed();
  changed();
}

void TimelineView::move_slice(int by) {
  const TimelineRow* row =
      state_.selected && run_ ? find_row(*run_, state_, state_.selected->row) : current();
  if (row == nullptr || row->slices.size() == 0) return;
  if (!state_.selected || state_.selected->row != row->name) {
    select_middle();
    return;
  }
  const auto last = static_cast<std::int64_t>(row->slices.size()) - 1;
  const std::int64_t to =
      std::clamp<std::int64_t>(static_cast<std::int64_t>(state_.selected->index) + by, 0, last);
  select(SliceId{row->name, static_cast<std::size_t>(to)});
  const TimelineGeometry g = shape();
  const auto begin = static_cast<double>(row->slices.begin[static_cast<std::size_t>(to)]);
  const auto end = static_cast<double>(row->slices.end[static_cast<std::size_t>(to)]);
  if (end < g.axis.t0 || begin > g.axis.t1) centre(false);
}

void TimelineView::follow_flow(bool ahead) {
  if (!run_ || !run_->feasible() || !state_.selected) return;
  const TimelineRow* row = find_row(*run_, state_, state_.selected->row);
  if (row == nullptr || row->kind != RowKind::kPipelineRank) return;
  const std::int32_t ref = row->slices.ref[state_.selected->index];
  if (ref < 0 || ref == kTailRef) return;
  const auto step = static_cast<std::size_t>(ref);
  const std::vector<std::size_t> next =
      ahead ? steps_after(run_->result(), step) : steps_before(run_->result(), step);
  if (next.empty()) return;
  const Stretch at = stretch_of(run_->result(), next.front());
  for (const auto& other : run_->pipeline().rows) {
    const std::int64_t slice = other->index.at((at.begin + at.end) / 2);
    if (slice < 0 ||
        other->slices.ref[static_cast<std::size_t>(slice)] != static_cast<std::int32_t>(next.front()))
      continue;
    select(SliceId{other->name, static_cast<std::size_t>(slice)});
    const TimelineGeometry g = shape();
    if (static_cast<double>(at.end) < g.axis.t0 || static_cast<double>(at.begin) > g.axis.t1) centre(false);
    return;
  }
}

void TimelineView::select_middle() {
  const TimelineRow* row = current();
  if (row == nullptr || row->slices.size() == 0) return;
  const TimelineGeometry g = shape();
  const std::size_t i = std::min(
      row->index.first_after(static_cast<std::int64_t>((g.axis.t0 + g.axis.t1) / 2)), row->slices.size() - 1);
  select(SliceId{row->name, i});
}

void TimelineView::centre(bool fit) {
  if (!run_) return;
  double t0 = 0;
  double t1 = 0;
  const TimelineRow* row = state_.selected ? find_row(*run_, state_, state_.selected->row) : nullptr;
  if (state_.area) {
    t0 = static_cast<double>(state_.area->t0);
    t1 = static_cast<double>(state_.area->t1);
  } else if (row != nullptr && state_.selected->index < row->slices.size()) {
    t0 = static_cast<double>(row->slices.begin[state_.selected->index]);
    t1 = static_cast<double>(row->slices.end[state_.selected->index]);
  } else {
    return;
  }
  const TimeAxis axis = shape().axis;
  const double margin = (t1 - t0) * 0.1;
  const double half = fit ? (t1 - t0) / 2 + margin : axis.span() / 2;
  show_range((t0 + t1) / 2 - half, (t0 + t1) / 2 + half);
}

void TimelineView::set_level(Level level, int rank) {
  if (!run_ || !run_->feasible()) return;
  if (level == state_.level && rank == state_.rank) return;
  remember();
  state_.level = level;
  state_.rank = std::clamp(rank, 0, run_->ranks() - 1);
  state_.scroll = 0;
  state_.hits.clear();
  hit_ = -1;
  changed();
}

void TimelineView::descend() {
  const TimelineRow* row = current();
  const int rank = row != nullptr && row->rank >= 0 ? row->rank : state_.rank;
  if (state_.level != Level::kOperators)
    set_level(static_cast<Level>(static_cast<int>(state_.level) + 1), rank);
}

void TimelineView::ascend() {
  if (state_.level != Level::kCluster)
    set_level(static_cast<Level>(static_cast<int>(state_.level) - 1), state_.rank);
}

void TimelineView::toggle_pin() {
  const TimelineRow* row = current();
  if (row == nullptr) return;
  const std::string name = row->name;
  const auto at = std::find(state_.pins.begin(), state_.pins.end(), name);
  if (at == state_.pins.end())
    state_.pins.push_back(name);
  else
    state_.pins.erase(at);
  go_to_row(name);
}

void TimelineView::go_to_row(const std::string& name) {
  const TimelineGeometry g = shape();
  for (std::size_t i = 0; i < g.lanes.rows.size(); ++i) {
    if (g.lanes.rows[i].row->name != name) continue;
    state_.current_row = static_cast<int>(i);
    move_row(0);
    return;
  }
  changed();
}

std::vector<std::string> TimelineView::row_names() const {
  std::vector<std::string> out;
  if (run_) {
    for (const TimelineRow* row : visible_rows(*run_, state_)) out.push_back(row->name);
  }
  return out;
}

void TimelineView::clear() {
  if (state_.area)
    state_.area.reset();
  else if (state_.selected)
    state_.selected.reset();
  else
    state_.hits.clear(), hit_ = -1;
  emit selection_changed();
  changed();
}

void TimelineView::range_from_slice() {
  if (!run_ || !state_.selected) return;
  const TimelineRow* row = find_row(*run_, state_, state_.selected->row);
  if (row == nullptr || state_.selected->index >= row->slices.size()) return;
  state_.area =
      Area{row->slices.begin[state_.selected->index], row->slices.end[state_.selected->index], {row->name}};
  emit selection_changed();
  changed();
}

void TimelineView::add_mark(const std::string& note) {
  if (!state_.area) range_from_slice();
  if (!state_.area) return;
  state_.marks.push_back({state_.area->t0, state_.area->t1, note});
  changed();
}

bool TimelineView::act(std::string_view id) {
  if (id == "zoom-in")
    zoom(1.5);
  else if (id == "zoom-out")
    zoom(1 / 1.5);
  else if (id == "pan-left")
    pan(-0.2);
  else if (id == "pan-right")
    pan(0.2);
  else if (id == "row-up")
    move_row(-1);
  else if (id == "row-down")
    move_row(1);
  else if (id == "fit-all")
    show_range(range().low, range().high);
  else if (id == "focus") {
    const Seen before = seen();
    centre(false);
    // Already in the middle: fit.
    if (std::abs(before.t0 - state_.t0) < (state_.t1 - state_.t0) * 1e-6) centre(true);
  } else if (id == "slice-to-range")
    range_from_slice();
  else if (id == "clear")
    clear();
  else if (id == "next-slice")
    move_slice(1);
  else if (id == "previous-slice")
    move_slice(-1);
  else if (id == "next-flow")
    follow_flow(true);
  else if (id == "previous-flow")
    follow_flow(false);
  else if (id == "select")
    select_middle();
  else if (id == "descend")
    descend();
  else if (id == "ascend")
    ascend();
  else if (id == "critical")
    state_.critical_only = !state_.critical_only, changed();
  else if (id == "flows")
    state_.flows = !state_.flows, changed();
  else if (id == "pin")
    toggle_pin();
  else if (id == "mark")
    add_mark("");
  else if (id == "unmark") {
    // The newest of those in view.
    const TimeAxis axis = shape().axis;
    for (std::size_t i = state_.marks.size(); i-- > 0;) {
      const Mark& mark = state_.marks[i];
      if (static_cast<double>(mark.t1) < axis.t0 || static_cast<double>(mark.t0) > axis.t1) continue;
      state_.marks.erase(state_.marks.begin() + static_cast<std::ptrdiff_t>(i));
      break;
    }
    changed();
  } else
    return false;
  return true;
}

}  // namespace orrery::gui
