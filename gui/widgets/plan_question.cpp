#include "gui/widgets/plan_question.hpp"

#include <QComboBox>
#include <QFormLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QSpinBox>
#include <QStackedWidget>
#include <QTableWidget>
#include <QVBoxLayout>
#include <array>

namespace orrery::gui {
namespace {

/// Where a grid begins.
constexpr std::array<std::pair<const char*, const char*>, 4> kFirstAxes{
    {{"layout.pp", "4, 8, 16"},
     {"layout.ep", "32, 64"},
     {"layout.schedule", "1f1b, zb-h1, dualpipe"},
     {"layout.recompute", "none, deepseek-v3, full"}}};

QTableWidget* list_table(const char* name, const char* key, int rows) {
  auto* table = new QTableWidget(rows, 2);
  table->setHorizontalHeaderLabels({key, "values, separated by commas"});
  table->horizontalHeader()->setStretchLastSection(true);
  table->verticalHeader()->hide();
  table->verticalHeader()->setMinimumSectionSize(table->fontMetrics().height() + 8);
  table->verticalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  table->setAccessibleName(name);
  return table;
}

std::string cell(const QTableWidget* table, int row, int column) {
  const QTableWidgetItem* item = table->item(row, column);
  return item == nullptr ? std::string() : item->text().trimmed().toStdString();
}

}  // namespace

PlanQuestionPanel::PlanQuestionPanel(QWidget* parent)
    : QWidget(parent),
      mode_(new QComboBox),
      pages_(new QStackedWidget),
      space_(list_table("Space of the search", "key", 0)),
      axes_(list_table("Axes of the grid", "key of the scenario", 8)),
      objective_(new QComboBox),
      limits_(new QLineEdit),
      front_(new QLineEdit("step, memory")),
      top_(new QSpinBox),
      run_(new QPushButton("Search")),
      pause_(new QPushButton("Pause")),
      progress_(new QProgressBar),
      words_(new QLabel("A double click on an answer opens it; the present run becomes B.")) {
  mode_->addItems({"Best layouts, proven (plan)", "Every combination (sweep)"});
  mode_->setAccessibleName("How layouts are looked for");
  for (const MetricInfo& info : metrics()) {
    // Carbon is energy in other words on one cluster; the number of GPUs is given.
    if (info.metric == Metric::kCarbon || info.metric == Metric::kGpus) continue;
    objective_->addItem(info.name);
    objective_->setItemData(objective_->count() - 1, QString(info.what), Qt::ToolTipRole);
  }
  objective_->setEditable(true);
  objective_->setCurrentText("step");
  objective_->setToolTip(
      "What is best: a metric, a sum such as usd+20000*days, or a row such as days:1%,memory");
  objective_->setAccessibleName("Objective");
  objective_->lineEdit()->setAccessibleName("Objective");
  limits_->setPlaceholderText("memory<=76GB, tp<=8");
  limits_->setToolTip("Conditions that every layout must meet, separated by commas");
  limits_->setAccessibleName("Limits");
  front_->setToolTip("Two or three metrics of a Pareto front; empty: none");
  front_->setAccessibleName("Metrics of the front");
  top_->setRange(1, 200);
  top_->setValue(20);
  top_->setAccessibleName("Number of best layouts");
  words_->setWordWrap(true);
  words_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  progress_->setAccessibleName("Progress of the search");

  auto* best = new QWidget;
  auto* column = new QVBoxLayout(best);
  column->setContentsMargins(0, 0, 0, 0);
  auto* form = new QFormLayout;
  form->addRow("objective", objective_);
  form->addRow("limits", limits_);
  form->addRow("front of", front_);
  form->addRow("best layouts", top_);
  column->addLayout(form);
  auto* fill = new QHBoxLayout;
  for (const auto& [text, whole] : {std::pair{"Around this layout", false}, {"Whole space", true}}) {
    auto* button = new QPushButton(text);
    fill->addWidget(button);
    connect(button, &QPushButton::clicked, this, [this, whole = whole] { emit space_wanted(whole); });
  }
  column->addLayout(fill);
  column->addWidget(space_, 1);
  pages_->addWidget(best);
  axes_->setColumnWidth(0, 150);
  for (std::size_t i = 0; i < kFirstAxes.size(); ++i) {
    axes_->setItem(static_cast<int>(i), 0, new QTableWidgetItem(kFirstAxes[i].first));
    axes_->setItem(static_cast<int>(i), 1, new QTableWidgetItem(kFirstAxes[i].second));
  }
  pages_->addWidget(axes_);

  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(mode_);
  layout->addWidget(pages_, 1);
  auto* buttons = new QHBoxLayout;
  buttons->addWidget(run_, 2);
  buttons->addWidget(pause_, 1);
  layout->addLayout(buttons);
  layout->addWidget(progress_);
  layout->addWidget(words_);
  connect(mode_, &QComboBox::currentIndexChanged, pages_, &QStackedWidget::setCurrentIndex);
  connect(run_, &QPushButton::clicked, this, &PlanQuestionPanel::run_wanted);
  pause_->setEnabled(false);
  pause_->setToolTip("Hold the search where it is, and go on from there");
  connect(pause_, &QPushButton::clicked, this, &PlanQuestionPanel::pause_wanted);
}

PlanMode PlanQuestionPanel::mode() const {
  return static_cast<PlanMode>(mode_->currentIndex());
}

void PlanQuestionPanel::set_mode(PlanMode mode) {
  mode_->setCurrentIndex(static_cast<int>(mode));
}

bool PlanQuestionPanel::has_space() const {
  return space_->rowCount() > 0;
}

void PlanQuestionPanel::fill_space(const Scenario& scenario, bool whole) {
  const auto rows = first_space(scenario, whole);
  space_->setRowCount(static_cast<int>(rows.size()));
  for (int r = 0; r < space_->rowCount(); ++r) {
    const auto& [key, values] = rows[static_cast<std::size_t>(r)];
    auto* name = new QTableWidgetItem(QString::fromStdString(key));
    name->setFlags(name->flags() & ~Qt::ItemIsEditable);
    space_->setItem(r, 0, name);
    auto* list = new QTableWidgetItem(QString::fromStdString(values));
    list->setToolTip(QString::fromStdString(values));
    space_->setItem(r, 1, list);
  }
}

PlanQuestion PlanQuestionPanel::question() const {
  PlanQuestion q;
  for (int r = 0; r < space_->rowCount(); ++r) q.space.emplace_back(cell(space_, r, 0), cell(space_, r, 1));
  q.objective = objective_->currentText().trimmed().toStdString();
  q.limits = limits_->text().toStdString();
  q.front = front_->text().toStdString();
  q.top = static_cast<std::size_t>(top_->value());
  return q;
}

std::vector<PlanAxis> PlanQuestionPanel::axes() const {
  std::vector<PlanAxis> out;
  for (int r = 0; r < axes_->rowCount(); ++r) {
    if (!cell(axes_, r, 0).empty()) out.push_back({cell(axes_, r, 0), split_values(cell(axes_, r, 1))});
  }
  return out;
}

void PlanQuestionPanel::vary(const std::string& key, const std::vector<std::string>& values) {
  set_mode(PlanMode::kGrid);
  bool untouched = true;
  for (std::size_t i = 0; i < kFirstAxes.size(); ++i) {
    const int r = static_cast<int>(i);
    untouched =
        untouched && cell(axes_, r, 0) == kFirstAxes[i].first && cell(axes_, r, 1) == kFirstAxes[i].second;
  }
  if (untouched) axes_->clearContents();
  int at = 0;
  while (at < axes_->rowCount() && !cell(axes_, at, 0).empty() && cell(axes_, at, 0) != key) ++at;
  if (at == axes_->rowCount()) axes_->insertRow(at);
  QString list;
  for (const std::string& value : values)
    list += (list.isEmpty() ? "" : ", ") + QString::fromStdString(value);
  axes_->setItem(at, 0, new QTableWidgetItem(QString::fromStdString(key)));
  axes_->setItem(at, 1, new QTableWidgetItem(list));
  axes_->setCurrentCell(at, 1);
  axes_->setFocus();
}

void PlanQuestionPanel::show_progress(bool running, double done, double total, const QString& format) {
  run_->setText(running ? "Cancel" : "Search");
  pause_->setEnabled(running);
  if (!running) show_paused(false);
  // The bar counts whole numbers of 32 bits; spaces are larger.
  progress_->setRange(0, running && total <= 0 ? 0 : 1000);
  progress_->setValue(total > 0 ? static_cast<int>(1000 * done / total) : 0);
  progress_->setFormat(format);
}

void PlanQuestionPanel::show_paused(bool paused) {
  pause_->setText(paused ? "Resume" : "Pause");
}

void PlanQuestionPanel::say(const QString& words) {
  words_->setText(words);
}

QString PlanQuestionPanel::words() const {
  return words_->text();
}

}  // namespace orrery::gui
