#include "gui/widgets/compare_view.hpp"

#include <QComboBox>
#include <QSpinBox>
#include <QSplitter>
#include <QTabWidget>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

#include "gui/core/chart_parts.hpp"
#include "gui/core/compare_runs.hpp"
#include "gui/core/difference_over_time.hpp"
#include "gui/core/scene_stack.hpp"
#include "sim/report/report_text.hpp"

namespace orrery::gui {
namespace {

QString title_of(const char* letter, const RunView* run) {
  if (run == nullptr)
    return QString("%1: none; keep a run as B with Ctrl+B, then edit the scenario").arg(letter);
  const std::string step = run->feasible() ? digits_text(run->metrics().step_time_s) + " s" : "does not fit";
  const std::string words = scenario_line(run->scenario());
  return QString("%1: %2, %3")
      .arg(letter, QString::fromStdString(words.substr(0, words.find('\n'))), QString::fromStdString(step));
}

}  // namespace

CompareView::CompareView(QWidget* parent)
    : QWidget(parent),
      a_(new TimelineView),
      b_(new TimelineView),
      title_a_(new ElidedLabel),
      title_b_(new ElidedLabel),
      align_(new QComboBox),
      microbatch_(new QSpinBox),
      over_time_(new ChartView("A minus B over time")),
      difference_(new ChartView("Difference by cause")),
      inputs_(new ChartView("Inputs that differ")),
      results_(new ChartView("Results of both")),
      microbatches_(new ChartView("Microbatches of both")),
      tables_(new QTabWidget) {
  a_->setAccessibleName("Timeline of run A");
  b_->setAccessibleName("Timeline of run B");
  over_time_->setFixedHeight(fontMetrics().height() * 6);
  for (int i = 0; i < kAlignmentCount; ++i) {
    const std::string_view name = alignment_name(static_cast<Alignment>(i));
    align_->addItem("align " + QString::fromUtf8(name.data(), static_cast<qsizetype>(name.size())));
  }
  align_->setAccessibleName("Alignment of the two runs");
  align_->setToolTip("Which times of A and B lie on one vertical line (L: the next one)");
  microbatch_->setAccessibleName("Microbatch that begins together");
  microbatch_->setToolTip("The microbatch whose entry lies on one line; a selected slice takes its place");
  microbatch_->setPrefix("microbatch ");
  microbatch_->setEnabled(false);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(4, 4, 4, 4);
  auto* bar = new QHBoxLayout;
  bar->addWidget(title_a_, 1);
  bar->addWidget(align_);
  bar->addWidget(microbatch_);
  layout->addLayout(bar);
  layout->addWidget(a_, 3);
  layout->addWidget(over_time_);
  auto* middle = new QHBoxLayout;
  middle->addWidget(title_b_, 1);
  middle->addWidget(over_time_->table_button());
  layout->addLayout(middle);
  layout->addWidget(b_, 3);
  tables_->setAccessibleName("Tables of the comparison");
  tables_->addTab(inputs_, "Inputs");
  tables_->addTab(microbatches_, "Microbatches");
  auto* split = new QSplitter;
  split->addWidget(results_);
  split->addWidget(difference_);
  split->addWidget(tables_);
  split->setSizes({420, 360, 290});
  layout->addWidget(split, 3);
  for (ChartView* view : {inputs_, results_, microbatches_}) view->table_only();
  connect(a_, &TimelineView::view_changed, this, [this] { couple(a_, b_); });
  connect(b_, &TimelineView::view_changed, this, [this] { couple(b_, a_); });
  connect(a_, &TimelineView::selection_changed, this, [this] { mirror_selection(a_, b_); });
  connect(b_, &TimelineView::selection_changed, this, [this] { mirror_selection(b_, a_); });
  connect(align_, &QComboBox::currentIndexChanged, this, [this] { realign(); });
  connect(microbatch_, &QSpinBox::valueChanged, this, [this](int m) {
    if (m != anchor_.microbatch) set_anchor({ActionKind::kForward, 0, m});
  });
}

Alignment CompareView::alignment() const {
  return static_cast<Alignment>(align_->currentIndex());
}

void CompareView::set_alignment(Alignment alignment) {
  align_->setCurrentIndex(static_cast<int>(alignment));
}

void CompareView::next_alignment() {
  align_->setCurrentIndex((align_->currentIndex() + 1) % kAlignmentCount);
}

void CompareView::set_anchor(const Work& work) {
  if (anchor_ == work) return;
  anchor_ = work;
  microbatch_->setValue(work.microbatch);
  if (alignment() == Alignment::kMicrobatch) realign();
}

TimeMap CompareView::map() const {
  return a_->run() && b_->run() ? time_map(*a_->run(), *b_->run(), alignment(), anchor_) : TimeMap{};
}

void CompareView::realign() {
  const auto a = a_->run();
  const auto b = b_->run();
  microbatch_->setEnabled(alignment() == Alignment::kMicrobatch);
  if (!a || !b) return refresh_charts();
  const TimeMap map = this->map();
  const AxisRange range = shared_range(*a, *b, map);
  coupling_ = true;
  TimelineState state = a_->state();
  TimelineState other = b_->state();
  const bool whole = state.t1 <= state.t0 || (state.t0 <= a_->range().low && state.t1 >= a_->range().high);
  state.origin = range.low;
  state.horizon = range.high;
  other.origin = map.to_b(range.low);
  other.horizon = map.to_b(range.high);
  if (whole) state.t0 = range.low, state.t1 = range.high;
  other.t0 = map.to_b(state.t0);
  other.t1 = map.to_b(state.t1);
  for (TimelineState* s : {&state, &other}) {
    s->anchor = {};
    const std::optional<Stretch> at = when(s == &state ? *a : *b, anchor_);
    if (at && alignment() == Alignment::kMicrobatch) s->anchor = {at->begin, at->begin, to_text(anchor_)};
  }
  a_->set_state(std::move(state));
  b_->set_state(std::move(other));
  coupling_ = false;
  refresh_charts();
}

void CompareView::set_runs(std::shared_ptr<const RunView> a, std::shared_ptr<const RunView> b) {
  coupling_ = true;
  for (TimelineView* view : {a_, b_}) {
    view->set_run(view == a_ ? a : b);
    TimelineState state = view->state();
    state.origin = state.horizon = state.t0 = state.t1 = 0;
    state.anchor = {};
    view->set_state(std::move(state));
  }
  if (a && b) {
    const int shared = shared_microbatches(*a, *b);
    microbatch_->setRange(0, std::max(0, shared - 1));
    if (!when(*a, anchor_) || !when(*b, anchor_)) anchor_ = {};
    microbatch_->setValue(anchor_.microbatch);
  }
  title_a_->set_text(title_of("A", a.get()));
  title_b_->set_text(title_of("B", b.get()));
  coupling_ = false;
  const auto table_of = [&](ChartView* view, auto make) {
    view->set_maker([a, b, make](double w, double h, const TextMetrics&, int) {
      Chart chart;
      chart.scene = sentence_chart(w, h, a && b ? "See the table." : "Keep a run as B first: Ctrl+B.");
      if (a && b) chart.table = make(*a, *b);
      return chart;
    });
  };
  table_of(inputs_, [](const RunView& x, const RunView& y) { return changed_inputs(x, y); });
  table_of(results_, [](const RunView& x, const RunView& y) { return changed_results(x, y); });
  difference_->set_maker([a, b](double w, double h, const TextMetrics& text, int selected) {
    if (a && b) return difference_chart(*a, *b, w, h, text, selected);
    return Chart{sentence_chart(w, h, "Keep a run as B first: Ctrl+B."), {}};
  });
  table_of(microbatches_, [](const RunView& x, const RunView& y) { return microbatch_table(x, y); });
  realign();
}

Scene CompareView::scene(double width, double height, const TextMetrics& text) const {
  const auto titled = [&](const QString& words) {
    return start_chart(width, text.em * 1.8, words.toStdString(), text);
  };
  const double middle = text.em * 6;
  const double rest = std::max(2.0, height - middle - 2 * text.em * 1.8);
  Scene out = titled(title_a_->text());
  append_below(out, a_->scene(width, rest / 2, text));
  append_below(out, over_time_->canvas()->scene(width, middle, text));
  append_below(out, titled(title_b_->text()));
  append_below(out, b_->scene(width, rest / 2, text));
  return out;
}

void CompareView::refresh_charts() {
  const auto a = a_->run();
  const auto b = b_->run();
  const TimelineGeometry g = a_->shape();
  over_time_->set_maker([a, b, g, map = map()](double w, double h, const TextMetrics& text, int) {
    if (a && b) return difference_over_time(*a, *b, map, g.axis.t0, g.axis.t1, g.body.x, w, h, text);
    return Chart{sentence_chart(w, h, ""), {}};
  });
}

void CompareView::couple(TimelineView* from, TimelineView* to) {
  if (coupling_ || !to->run() || !from->run()) return;
  coupling_ = true;
  const TimeMap map = this->map();
  const auto there = [&](double t) { return from == a_ ? map.to_b(t) : map.to_a(t); };
  TimelineState state = to->state();
  state.level = from->state().level;
  state.rank = from->state().rank;
  // The whole of one is the whole of the other.
  const bool whole = from->state().t1 <= from->state().t0;
  state.t0 = whole ? 0 : there(from->state().t0);
  state.t1 = whole ? 0 : there(from->state().t1);
  state.scroll = from->state().scroll;
  to->set_state(std::move(state));
  coupling_ = false;
  refresh_charts();
}

void CompareView::mirror_selection(TimelineView* from, TimelineView* to) {
  if (coupling_ || !from->run() || !to->run() || !from->run()->feasible() || !to->run()->feasible()) return;
  coupling_ = true;
  std::optional<SliceId> same;
  std::optional<Work> work;
  if (from->state().selected) {
    work = work_of(*from->run(), *from->state().selected);
    same = same_work(*from->run(), *from->state().selected, *to->run());
  }
  to->select(same);
  coupling_ = false;
  // Work of both becomes what they are aligned with.
  if (work && same) set_anchor(*work);
}

void CompareView::set_theme(Theme theme) {
  a_->set_theme(theme);
  b_->set_theme(theme);
  for (ChartView* view : {over_time_, difference_, inputs_, results_, microbatches_}) view->set_theme(theme);
}

}  // namespace orrery::gui
