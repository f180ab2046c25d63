#include "gui/widgets/compare_view.hpp"

#include <QComboBox>
#include <QLabel>
#include <QSplitter>
#include <QVBoxLayout>
#include <algorithm>

#include "gui/core/chart_parts.hpp"
#include "gui/core/compare_runs.hpp"
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
      title_a_(new QLabel),
      title_b_(new QLabel),
      align_(new QComboBox),
      busy_(new ChartCanvas),
      difference_(new ChartView("Difference by cause")),
      inputs_(new ChartView("Inputs that differ")),
      results_(new ChartView("Results of both")) {
  a_->setAccessibleName("Timeline of run A");
  b_->setAccessibleName("Timeline of run B");
  busy_->setAccessibleName("Busy ranks of A minus B");
  busy_->setFixedHeight(fontMetrics().height() * 3);
  // Long names do not make the window wide.
  for (QLabel* title : {title_a_, title_b_})
    title->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
  align_->addItems({"align by start of the step", "align by share of the step"});
  align_->setAccessibleName("Alignment of the two runs");
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(4, 4, 4, 4);
  auto* bar = new QHBoxLayout;
  bar->addWidget(title_a_, 1);
  bar->addWidget(align_);
  layout->addLayout(bar);
  layout->addWidget(a_, 3);
  layout->addWidget(busy_);
  layout->addWidget(title_b_);
  layout->addWidget(b_, 3);
  auto* split = new QSplitter;
  split->addWidget(results_);
  split->addWidget(difference_);
  split->addWidget(inputs_);
  split->setSizes({410, 410, 280});
  layout->addWidget(split, 3);
  inputs_->show_table(true);
  results_->show_table(true);
  connect(a_, &TimelineView::view_changed, this, [this] { couple(a_, b_); });
  connect(b_, &TimelineView::view_changed, this, [this] { couple(b_, a_); });
  connect(a_, &TimelineView::selection_changed, this, [this] { mirror_selection(a_, b_); });
  connect(b_, &TimelineView::selection_changed, this, [this] { mirror_selection(b_, a_); });
  connect(align_, &QComboBox::currentIndexChanged, this, [this] { set_runs(a_->run(), b_->run()); });
}

double CompareView::stretch() const {
  if (align_->currentIndex() == 0 || !a_->run() || !b_->run() || a_->run()->makespan() == 0) return 1;
  return static_cast<double>(b_->run()->makespan()) / static_cast<double>(a_->run()->makespan());
}

void CompareView::set_runs(std::shared_ptr<const RunView> a, std::shared_ptr<const RunView> b) {
  coupling_ = true;
  const double longest =
      std::max(a ? static_cast<double>(a->makespan()) : 0.0, b ? static_cast<double>(b->makespan()) : 0.0);
  for (TimelineView* view : {a_, b_}) {
    const auto run = view == a_ ? a : b;
    view->set_run(run);
    TimelineState state = view->state();
    state.horizon = align_->currentIndex() == 0 ? longest : 0;
    state.t0 = state.t1 = 0;
    view->set_state(std::move(state));
  }
  title_a_->setText(title_of("A", a.get()));
  title_b_->setText(title_of("B", b.get()));
  for (QLabel* title : {title_a_, title_b_}) title->setToolTip(title->text());
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
  refresh_charts();
}

void CompareView::refresh_charts() {
  const auto a = a_->run();
  const auto b = b_->run();
  const TimelineGeometry g = a_->shape();
  const bool normalised = align_->currentIndex() == 1;
  busy_->set_maker([a, b, g, normalised](double w, double h, const TextMetrics& text, int) {
    if (a && b) return busy_difference_chart(*a, *b, normalised, g.axis.t0, g.axis.t1, g.body.x, w, h, text);
    return Chart{sentence_chart(w, h, ""), {}};
  });
}

void CompareView::couple(TimelineView* from, TimelineView* to) {
  if (coupling_ || !to->run()) return;
  coupling_ = true;
  const double factor = from == a_ ? stretch() : 1 / stretch();
  TimelineState state = to->state();
  state.level = from->state().level;
  state.rank = from->state().rank;
  state.t0 = from->state().t0 * factor;
  state.t1 = from->state().t1 * factor;
  state.scroll = from->state().scroll;
  to->set_state(std::move(state));
  coupling_ = false;
  refresh_charts();
}

void CompareView::mirror_selection(TimelineView* from, TimelineView* to) {
  if (coupling_ || !from->run() || !to->run() || !from->run()->feasible() || !to->run()->feasible()) return;
  coupling_ = true;
  if (from->state().selected)
    to->select(same_work(*from->run(), *from->state().selected, *to->run()));
  else
    to->select(std::nullopt);
  coupling_ = false;
}

void CompareView::set_theme(Theme theme) {
  a_->set_theme(theme);
  b_->set_theme(theme);
  busy_->set_theme(theme);
  for (ChartView* view : {difference_, inputs_, results_}) view->set_theme(theme);
}

}  // namespace orrery::gui
