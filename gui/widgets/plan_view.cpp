#include "gui/widgets/plan_view.hpp"

#include <QComboBox>
#include <QHeaderView>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QSplitter>
#include <QTabWidget>
#include <QTableWidget>
#include <QVBoxLayout>

#include "gui/core/chart_parts.hpp"
#include "sim/base/check.hpp"

namespace orrery::gui {
namespace {

/// Where a search begins for a model without other wishes.
const std::vector<std::pair<const char*, const char*>> kFirstAxes{
    {"layout.pp", "4, 8, 16"},
    {"layout.ep", "32, 64"},
    {"layout.schedule", "1f1b, zb-h1, dualpipe"},
    {"layout.recompute", "none, deepseek-v3, full"}};

}  // namespace

PlanView::PlanView(Workbench& bench, QWidget* parent)
    : QWidget(parent),
      bench_(bench),
      search_(bench.profiles()),
      axes_(new QTableWidget(8, 2)),
      run_(new QPushButton("Search")),
      progress_(new QProgressBar),
      words_(new QLabel("Every combination is simulated. A double click on an answer opens it; the present "
                        "run becomes B.")),
      tabs_(new QTabWidget),
      x_(new QComboBox),
      y_(new QComboBox),
      table_(new ChartView("Layouts")),
      scatter_(new ChartView("Scatter of two figures")),
      heat_(new ChartView("Heat map")),
      parallel_(new ChartView("Parallel coordinates")),
      reasons_(new ChartView("Why not")) {
  axes_->setHorizontalHeaderLabels({"key of the scenario", "values, separated by commas"});
  axes_->horizontalHeader()->setStretchLastSection(true);
  axes_->setColumnWidth(0, 150);
  axes_->verticalHeader()->hide();
  axes_->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 8);
  axes_->setAccessibleName("Axes of the search");
  for (std::size_t i = 0; i < kFirstAxes.size(); ++i) {
    axes_->setItem(static_cast<int>(i), 0, new QTableWidgetItem(kFirstAxes[i].first));
    axes_->setItem(static_cast<int>(i), 1, new QTableWidgetItem(kFirstAxes[i].second));
  }
  words_->setWordWrap(true);
  progress_->setAccessibleName("Progress of the search");
  for (QComboBox* box : {x_, y_}) {
    for (const SweepMetric& m : sweep_metrics()) {
      if (m.better != 0)
        box->addItem(QString::fromUtf8(m.name.data(), static_cast<qsizetype>(m.name.size())));
    }
    connect(box, &QComboBox::currentIndexChanged, this, [this] { refresh(); });
  }
  x_->setAccessibleName("Figure across");
  y_->setAccessibleName("Figure up");
  x_->setCurrentText("step_time_s");
  y_->setCurrentText("peak_bytes");
  table_->table_only();
  auto* left = new QWidget;
  auto* column = new QVBoxLayout(left);
  column->addWidget(axes_, 1);
  column->addWidget(run_);
  column->addWidget(progress_);
  column->addWidget(words_);
  auto* pick = new QHBoxLayout;
  pick->addWidget(new QLabel("across"));
  pick->addWidget(x_, 1);
  pick->addWidget(new QLabel("up"));
  pick->addWidget(y_, 1);
  column->addLayout(pick);
  tabs_->addTab(table_, "Layouts");
  tabs_->addTab(scatter_, "Scatter");
  tabs_->addTab(heat_, "Heat map");
  tabs_->addTab(parallel_, "Parallel coordinates");
  tabs_->addTab(reasons_, "Why not");
  auto* split = new QSplitter;
  split->addWidget(left);
  split->addWidget(tabs_);
  split->setStretchFactor(1, 3);
  left->setMaximumWidth(430);
  split->setSizes({330, 900});
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(4, 4, 4, 4);
  layout->addWidget(split);
  connect(run_, &QPushButton::clicked, this, [this] {
    if (search_.running())
      search_.cancel();
    else
      start();
  });
  connect(&search_, &PlanSearch::advanced, this, [this](int done, int total) {
    progress_->setMaximum(total);
    progress_->setValue(done);
    if (done % 8 == 0) refresh();
  });
  connect(&search_, &PlanSearch::finished, this, [this] {
    run_->setText("Search");
    refresh();
  });
  for (ChartView* view : {table_, scatter_, parallel_, heat_}) {
    connect(view, &ChartView::picked, this, [this](int item) { select(item); });
    connect(view, &ChartView::opened, this, [this](int item) {
      if (item >= 0 && static_cast<std::size_t>(item) < items_.size()) emit open_wanted(item);
    });
  }
  refresh();
}

void PlanView::start() {
  const auto run = bench_.run();
  if (!run) return;
  std::vector<PlanAxis> axes;
  for (int r = 0; r < axes_->rowCount(); ++r) {
    const auto words = [&](int c) {
      return axes_->item(r, c) == nullptr ? std::string() : axes_->item(r, c)->text().trimmed().toStdString();
    };
    if (!words(0).empty()) axes.push_back({words(0), split_values(words(1))});
  }
  try {
    search_.start(run->scenario(), bench_.input().base, axes);
  } catch (const InputError& error) {
    bench_.report({"input", error.what(), {}});
    return;
  }
  keys_.clear();
  for (const PlanAxis& axis : axes) keys_.push_back(axis.key);
  run_->setText("Cancel");
  progress_->setMaximum(static_cast<int>(search_.total()));
  progress_->setValue(0);
  refresh();
}

void PlanView::show_items(PlanItems items, std::vector<std::string> keys) {
  search_.cancel();
  search_.wait();
  items_ = std::move(items);
  keys_ = std::move(keys);
  refresh();
}

void PlanView::select(int item) {
  for (ChartView* view : {table_, scatter_, parallel_}) view->select(item);
}

void PlanView::refresh() {
  if (search_.running() || search_.total() > 0) items_ = search_.items();
  const auto items = std::make_shared<const PlanItems>(items_);
  const auto keys = keys_;
  const auto x = static_cast<std::size_t>(std::max(0, metric_index(x_->currentText().toStdString())));
  const auto y = static_cast<std::size_t>(std::max(0, metric_index(y_->currentText().toStdString())));
  std::size_t fits = 0;
  for (const auto& item : items_) fits += item.row.status == "ok" ? 1 : 0;
  progress_->setFormat(QString("%v of %m, %1 fit").arg(fits));
  table_->set_maker([items, keys](double w, double h, const TextMetrics& t, int) {
    return Chart{start_chart(w, h, "", t), plan_table(*items, keys)};
  });
  scatter_->set_maker([items, x, y](double w, double h, const TextMetrics& t, int s) {
    return scatter_chart(*items, x, y, w, h, t, s);
  });
  parallel_->set_maker([items, keys](double w, double h, const TextMetrics& t, int s) {
    return parallel_chart(*items, keys, w, h, t, s);
  });
  reasons_->set_maker(
      [items](double w, double h, const TextMetrics& t, int) { return reasons_chart(*items, w, h, t); });
  const std::string first = keys.empty() ? "" : keys[0];
  const std::string second = keys.size() < 2 ? first : keys[1];
  heat_->set_maker([items, first, second, x](double w, double h, const TextMetrics& t, int) {
    return heat_chart(*items, first, second, x, w, h, t);
  });
}

void PlanView::set_theme(Theme theme) {
  for (ChartView* view : {table_, scatter_, heat_, parallel_, reasons_}) view->set_theme(theme);
}

}  // namespace orrery::gui
