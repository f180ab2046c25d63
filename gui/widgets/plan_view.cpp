#include "gui/widgets/plan_view.hpp"

#include <fmt/format.h>

#include <QCheckBox>
#include <QComboBox>
#include <QFontDatabase>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSplitter>
#include <QTabWidget>
#include <QVBoxLayout>

#include "gui/core/chart_parts.hpp"
#include "sim/base/check.hpp"
#include "sim/base/units_text.hpp"

namespace orrery::gui {

PlanView::PlanView(Workbench& bench, QWidget* parent)
    : QWidget(parent),
      bench_(bench),
      grid_(bench.profiles()),
      best_(bench.profiles()),
      question_(new PlanQuestionPanel),
      filter_(new QLineEdit),
      filter_words_(new QLabel),
      strict_(new QCheckBox("strict")),
      tabs_(new QTabWidget),
      x_(new QComboBox),
      y_(new QComboBox),
      table_(new ChartView("Layouts")),
      scatter_(new ChartView("Scatter of two figures")),
      heat_(new ChartView("Heat map")),
      parallel_(new ChartView("Parallel coordinates")),
      reasons_(new ChartView("Why not")),
      words_(new QPlainTextEdit),
      kept_(new ChartView("Kept layouts")),
      keep_(new QPushButton("&Keep")),
      kept_bar_(new QHBoxLayout) {
  for (QComboBox* box : {x_, y_}) {
    for (std::size_t m = 0; m < sweep_metrics().size(); ++m) {
      if (sweep_metrics()[m].better != 0)
        box->addItem(QString::fromStdString(metric_label(m)), static_cast<int>(m));
    }
    connect(box, &QComboBox::currentIndexChanged, this, [this] { refresh(); });
  }
  x_->setAccessibleName("Figure across");
  y_->setAccessibleName("Figure up");
  x_->setCurrentIndex(x_->findData(metric_index("step_time_s")));
  y_->setCurrentIndex(y_->findData(metric_index("peak_bytes")));
  table_->table_only();
  words_->setReadOnly(true);
  words_->setAccessibleName("Answer in words");
  words_->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
  words_->setLineWrapMode(QPlainTextEdit::NoWrap);
  auto* left = new QWidget;
  auto* column = new QVBoxLayout(left);
  column->setContentsMargins(0, 0, 0, 0);
  column->addWidget(question_, 1);
  auto* pick = new QHBoxLayout;
  pick->addWidget(new QLabel("across"));
  pick->addWidget(x_, 1);
  pick->addWidget(new QLabel("up"));
  pick->addWidget(y_, 1);
  column->addLayout(pick);
  tabs_->setAccessibleName("Answers");
  tabs_->addTab(table_, "Layouts");
  tabs_->addTab(scatter_, "Scatter");
  tabs_->addTab(heat_, "Heat map");
  tabs_->addTab(parallel_, "Parallel coordinates");
  tabs_->addTab(reasons_, "Why not");
  tabs_->addTab(words_, "In words");
  kept_->table_only();
  auto* kept_page = new QWidget;
  auto* kept_column = new QVBoxLayout(kept_page);
  kept_column->setContentsMargins(4, 4, 4, 4);
  kept_column->addLayout(kept_bar_);
  kept_column->addWidget(kept_, 1);
  tabs_->addTab(kept_page, "Kept");
  keep_->setToolTip("Put the selected layout aside, at most four, to see them side by side");
  connect(keep_, &QPushButton::clicked, this, [this] { keep_selected(); });
  filter_->setPlaceholderText("filter: tp:1 schedule:dualpipe gb<80 step<19");
  filter_->setAccessibleName("Filter of the answers");
  filter_->setClearButtonEnabled(true);
  QString tip = "<table>";
  for (const auto& [word, meaning] : filter_words())
    tip += "<tr><td><b>" + QString::fromStdString(word).toHtmlEscaped() + "</b></td><td>" +
           QString::fromStdString(meaning).toHtmlEscaped() + "</td></tr>";
  filter_->setToolTip(tip + "</table>");
  connect(filter_, &QLineEdit::textChanged, this, [this](const QString& text) { set_filter(text); });
  auto* right = new QWidget;
  auto* answers = new QVBoxLayout(right);
  answers->setContentsMargins(0, 0, 0, 0);
  auto* bar = new QHBoxLayout;
  bar->addWidget(filter_, 3);
  bar->addWidget(filter_words_, 2);
  strict_->setToolTip("Leave out of the scatter what does not meet the filter; else it is shown hollow");
  connect(strict_, &QCheckBox::toggled, this, [this] { refresh(); });
  bar->addWidget(strict_);
  bar->addWidget(keep_);
  answers->addLayout(bar);
  answers->addWidget(tabs_, 1);
  auto* split = new QSplitter;
  split->addWidget(left);
  split->addWidget(right);
  split->setStretchFactor(1, 3);
  left->setMaximumWidth(460);
  split->setSizes({360, 900});
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(4, 4, 4, 4);
  layout->addWidget(split);
  connect(question_, &PlanQuestionPanel::run_wanted, this, [this] { running() ? cancel() : start(); });
  connect(question_, &PlanQuestionPanel::pause_wanted, this, [this] { pause_or_resume(); });
  connect(question_, &PlanQuestionPanel::space_wanted, this, [this](bool whole) {
    if (const auto run = bench_.run()) question_->fill_space(run->scenario(), whole);
  });
  connect(&grid_, &PlanSearch::advanced, this, [this](int done, int total) {
    question_->show_progress(grid_.running(), done, total, QString("%1 of %2").arg(done).arg(total));
    show_time_left();
    if (done % 8 == 0) show_answer();
  });
  connect(&grid_, &PlanSearch::finished, this, [this] { show_answer(); });
  connect(&best_, &LayoutSearch::advanced, this, [this] {
    const SearchProgress p = best_.progress();
    QString words = QString("%1 of %2 layouts decided")
                        .arg(QString::fromStdString(count_text(static_cast<double>(p.decided))).trimmed(),
                             QString::fromStdString(count_text(static_cast<double>(p.candidates))).trimmed());
    if (p.best) words += QString(", best %1").arg(*p.best, 0, 'g', 5);
    question_->show_progress(best_.running(), static_cast<double>(p.decided),
                             static_cast<double>(p.candidates), words);
    show_time_left();
  });
  connect(&best_, &LayoutSearch::finished, this, [this] { show_answer(); });
  const auto open = [this](int item) {
    if (item >= 0 && static_cast<std::size_t>(item) < shown_.size())
      emit open_wanted(shown_[static_cast<std::size_t>(item)].overrides);
  };
  for (ChartView* view : {table_, scatter_, parallel_}) {
    connect(view, &ChartView::picked, this, [this](int item) { select(item); });
    connect(view, &ChartView::opened, this, open);
  }
  // Rows of the heat map's table are values of a key, not layouts.
  heat_->parts_are_no_rows();
  connect(heat_->canvas(), &ChartCanvas::picked, this, [this](int item) { select(item); });
  connect(heat_->canvas(), &ChartCanvas::opened, this, open);
  show_kept();
  refresh();
}

void PlanView::prepare() {
  const auto run = bench_.run();
  if (run && !question_->has_space()) question_->fill_space(run->scenario(), false);
}

void PlanView::refuse(const std::string& words) {
  question_->say(QString::fromStdString(words));
  question_->show_progress(false, 0, 0, "refused");
  bench_.report({"input", words, {}});
}

void PlanView::start() {
  const auto run = bench_.run();
  if (!run) return;
  prepare();
  cancel();
  asked_ = question_->mode();
  try {
    if (asked_ == PlanMode::kBest)
      best_.start(run->scenario(), question_->question());
    else
      grid_.start(run->scenario(), bench_.input().base, question_->axes());
  } catch (const InputError& error) {
    return refuse(error.what());
  }
  items_.clear();
  fates_.clear();
  words_->clear();
  keys_.clear();
  if (asked_ == PlanMode::kGrid) {
    for (const PlanAxis& axis : grid_.axes()) keys_.push_back(axis.key);
  }
  question_->say("Searching. Answers already found stay when it is cancelled.");
  question_->show_progress(true, 0, 0, "begins");
  refresh();
}

void PlanView::cancel() {
  grid_.cancel();
  best_.cancel();
}

void PlanView::pause_or_resume() {
  if (!running()) return;
  const bool hold = !paused();
  // Only the one that runs can be held.
  hold ? grid_.pause() : grid_.resume();
  hold ? best_.pause() : best_.resume();
  question_->show_paused(hold);
  if (hold)
    question_->say("Paused. Resume goes on from here, Cancel keeps the answers found.");
  else
    show_time_left();
}

void PlanView::show_time_left() {
  if (!running() || paused()) return;
  std::string left;
  QString what = "Searching";
  if (grid_.running()) {
    left = left_text(static_cast<double>(grid_.done()), static_cast<double>(grid_.total()), grid_.seconds());
  } else {
    const SearchProgress p = best_.progress();
    left = left_text(static_cast<double>(p.decided), static_cast<double>(p.candidates), best_.seconds());
    if (best_.phase() > 0) what = QString("Searching, part %1").arg(best_.phase() + 1);
  }
  question_->say(what + (left.empty() ? "" : ", " + QString::fromStdString(left)) +
                 ". Answers already found stay when it is cancelled.");
}

void PlanView::set_filter(const QString& text) {
  if (filter_->text() != text) return filter_->setText(text);  // comes back here
  try {
    conditions_ = parse_filter(text.toStdString());
  } catch (const InputError& error) {
    filter_words_->setText("\u26a0 " + QString::fromStdString(error.what()));
    filter_words_->setToolTip(filter_words_->text());
    return;
  }
  select(-1);
  refresh();
}

void PlanView::apply_filter() {
  shown_ = conditions_.empty() ? items_ : filtered(items_, conditions_);
  const QString words = items_.empty() ? QString()
                        : conditions_.empty()
                            ? QString("all %1 shown").arg(items_.size())
                            : QString("%1 of %2 shown").arg(shown_.size()).arg(items_.size());
  filter_words_->setText(words);
  filter_words_->setToolTip({});
}

void PlanView::wait() {
  grid_.resume();
  best_.resume();
  grid_.wait();
  best_.wait();
  show_answer();
}

void PlanView::show_items(PlanItems items, std::vector<std::string> keys) {
  cancel();
  wait();
  items_ = std::move(items);
  fates_ = fates_of(items_);
  total_ = static_cast<double>(items_.size());
  keys_ = std::move(keys);
  question_->say("Rows of a file.");
  words_->clear();
  refresh();
}

void PlanView::show_answer() {
  std::size_t fits = 0;
  if (asked_ == PlanMode::kGrid && grid_.total() > 0) {
    items_ = grid_.items();
    // While it runs, answers stay where they are.
    if (!grid_.running()) put_best_first(items_);
    fates_ = fates_of(items_);
    total_ = static_cast<double>(items_.size());
    for (const PlanItem& item : items_) fits += item.row.status == "ok" ? 1 : 0;
    if (!grid_.running()) {
      question_->show_progress(false, total_, static_cast<double>(grid_.total()),
                               QString("%1 of %2, %3 fit").arg(items_.size()).arg(grid_.total()).arg(fits));
      question_->say(
          "What fits comes first, the shortest step on top. A double click opens an answer; the present run "
          "becomes B.");
    }
  } else if (const auto answer = best_.answer(); asked_ == PlanMode::kBest && !best_.running()) {
    if (!best_.problem().empty()) return refuse(best_.problem());
    if (!answer) return;
    items_ = answer->items;
    fates_ = answer->fates;
    total_ = answer->candidates;
    keys_ = varying_keys(items_);
    words_->setPlainText(QString::fromStdString(answer->words));
    question_->show_progress(false, answer->complete ? 1 : 0, 1,
                             answer->complete ? "all layouts decided" : "stopped early");
    question_->say(items_.empty() ? "No layout of the space can run: see Why not and In words."
                   : answer->complete
                       ? "Proven best of the space: see In words. A double click opens a layout; "
                         "the present run becomes B."
                       : "Stopped early: the best so far, not proven. A double click opens one.");
  }
  refresh();
}

void PlanView::select(int item) {
  for (ChartView* view : {table_, scatter_, parallel_}) view->select(item);
}

void PlanView::keep_selected() {
  const int item = table_->canvas()->selected();
  if (item < 0 || static_cast<std::size_t>(item) >= shown_.size()) {
    question_->say("Select a layout first, then keep it.");
    return;
  }
  if (!cart_.add(shown_[static_cast<std::size_t>(item)])) {
    question_->say(cart_.full() ? "Four layouts are kept, that is the most: remove one on the page Kept."
                                : "This layout is kept already.");
    return;
  }
  show_kept();
}

void PlanView::remove_kept(std::size_t index) {
  cart_.remove(index);
  show_kept();
}

void PlanView::show_kept() {
  while (QLayoutItem* item = kept_bar_->takeAt(0)) {
    if (item->widget() != nullptr) item->widget()->deleteLater();
    delete item;
  }
  if (cart_.items().empty())
    kept_bar_->addWidget(new QLabel("Nothing is kept: select an answer and press Keep."));
  for (std::size_t i = 0; i < cart_.items().size(); ++i) {
    const QString n = QString::number(i + 1);
    auto* open = new QPushButton("Open " + n);
    auto* remove = new QPushButton("Remove " + n);
    connect(open, &QPushButton::clicked, this, [this, i] { emit open_wanted(cart_.items()[i].overrides); });
    connect(remove, &QPushButton::clicked, this, [this, i] { remove_kept(i); });
    kept_bar_->addWidget(open);
    kept_bar_->addWidget(remove);
  }
  kept_bar_->addStretch();
  kept_->set_maker([table = cart_.table()](double w, double h, const TextMetrics& t, int) {
    return Chart{start_chart(w, h, "", t), table};
  });
  const auto n = cart_.items().size();
  tabs_->setTabText(tabs_->count() - 1, n == 0 ? QString("Kept") : QString("Kept (%1)").arg(n));
}

ChartView* PlanView::open_chart() {
  for (ChartView* view : {scatter_, heat_, parallel_, reasons_}) {
    if (tabs_->currentWidget() == view) return view;
  }
  return scatter_;
}

void PlanView::refresh() {
  apply_filter();
  const auto items = std::make_shared<const PlanItems>(shown_);
  const auto keys = keys_;
  const auto x = static_cast<std::size_t>(x_->currentData().toInt());
  const auto y = static_cast<std::size_t>(y_->currentData().toInt());
  reasons_->set_maker([fates = fates_, total = total_](double w, double h, const TextMetrics& t, int) {
    return reasons_chart(fates, total, w, h, t);
  });
  if (shown_.empty() && !items_.empty()) {
    // Said where a picture would be; the table is empty.
    const ChartMaker none = [](double w, double h, const TextMetrics&, int) {
      return Chart{sentence_chart(w, h, "No answer meets the filter."), {"none", "No answer", {}, {}, {}}};
    };
    for (ChartView* view : {table_, scatter_, parallel_, heat_}) view->set_maker(none);
    return;
  }
  table_->set_maker([items, keys](double w, double h, const TextMetrics& t, int) {
    return Chart{start_chart(w, h, "", t), plan_table(*items, keys)};
  });
  const bool leave_out = conditions_.empty() || strict_->isChecked();
  scatter_->set_maker([items, x, y, others = leave_out ? PlanItems{} : filtered(items_, conditions_, false)](
                          double w, double h, const TextMetrics& t, int s) {
    return scatter_chart(*items, x, y, w, h, t, s, others);
  });
  parallel_->set_maker([items, keys](double w, double h, const TextMetrics& t, int s) {
    return parallel_chart(*items, keys, w, h, t, s);
  });
  const std::string first = keys.empty() ? "" : keys[0];
  const std::string second = keys.size() < 2 ? first : keys[1];
  heat_->set_maker([items, first, second, x](double w, double h, const TextMetrics& t, int) {
    return heat_chart(*items, first, second, x, w, h, t);
  });
}

void PlanView::set_theme(Theme theme) {
  for (ChartView* view : {table_, scatter_, heat_, parallel_, reasons_, kept_}) view->set_theme(theme);
}

}  // namespace orrery::gui
