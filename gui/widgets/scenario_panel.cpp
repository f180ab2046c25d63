#include "gui/widgets/scenario_panel.hpp"

#include <fmt/format.h>

#include <QGridLayout>
#include <QGroupBox>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QSlider>
#include <QStyledItemDelegate>
#include <QTreeWidget>
#include <QUndoCommand>
#include <QUndoStack>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "gui/core/input_text.hpp"
#include "sim/scenario_keys.hpp"

namespace orrery::gui {
namespace {

constexpr int kKeyRole = Qt::UserRole + 1;
constexpr int kUnitRole = Qt::UserRole + 2;
constexpr int kSliderSteps = 100;

/// One edit of the scenario; edits of the same key by a slider that is still held merge into one.
class EditCommand : public QUndoCommand {
 public:
  EditCommand(Workbench& bench, std::vector<Override> before, std::vector<Override> after,
              const std::string& key)
      : bench_(bench), before_(std::move(before)), after_(std::move(after)) {
    setText(QString::fromStdString(key));
  }
  void undo() override { bench_.set_edits(before_); }
  void redo() override { bench_.set_edits(after_); }

 private:
  Workbench& bench_;
  std::vector<Override> before_, after_;
};

/// Only the value column opens an editor; a unit follows the value there, and is not edited.
class ValueDelegate : public QStyledItemDelegate {
 public:
  using QStyledItemDelegate::QStyledItemDelegate;
  QWidget* createEditor(QWidget* parent, const QStyleOptionViewItem& option,
                        const QModelIndex& index) const override {
    if (index.column() != 1) return nullptr;
    QWidget* editor = QStyledItemDelegate::createEditor(parent, option, index);
    if (editor != nullptr) editor->setAccessibleName("value");
    return editor;
  }

 protected:
  void initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const override {
    QStyledItemDelegate::initStyleOption(option, index);
    const QString unit = index.data(kUnitRole).toString();
    if (index.column() == 1 && !unit.isEmpty()) option->text += " " + unit;
  }
};

QString group_title(const std::string& group) {
  if (group == "economics") return "prices and energy";
  if (group == "stack") return "training";  // the program that trains
  if (group == "gpu") return "GPU profile (read only)";
  return QString::fromStdString(group);
}

}  // namespace

ScenarioPanel::ScenarioPanel(Workbench& bench, QUndoStack& undo, QWidget* parent)
    : QWidget(parent),
      bench_(bench),
      undo_(undo),
      filter_(new QLineEdit),
      tree_(new QTreeWidget),
      arithmetic_(new QLabel) {
  filter_->setPlaceholderText("filter inputs");
  filter_->setClearButtonEnabled(true);
  filter_->setAccessibleName("Filter inputs");
  tree_->setAccessibleName("Inputs of the scenario");
  tree_->setColumnCount(3);
  tree_->setHeaderLabels({"input", "value", "source"});
  tree_->setItemDelegate(new ValueDelegate(tree_));
  tree_->setEditTriggers(QAbstractItemView::DoubleClicked | QAbstractItemView::EditKeyPressed |
                         QAbstractItemView::AnyKeyPressed);
  tree_->setAlternatingRowColors(true);
  tree_->setUniformRowHeights(true);
  arithmetic_->setWordWrap(true);
  arithmetic_->setAccessibleName("Arithmetic of the layout");
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(4, 4, 4, 4);
  layout->addWidget(filter_);
  layout->addWidget(tree_, 1);
  layout->addWidget(arithmetic_);
  auto* group = new QGroupBox("What if");
  auto* grid = new QGridLayout(group);
  grid->setContentsMargins(6, 4, 6, 4);
  grid->setVerticalSpacing(2);
  layout->addWidget(group);
  add_slider("routing.max_over_mean", "busiest expert rank / mean", 1, 2, false);
  add_slider("training.global_batch_size", "sequences of a step", 1, 2, true);
  add_slider("layout.communication_sms", "SMs for communication", 0, 60, true);
  add_slider("cluster.oversubscription", "network oversubscription", 1, 8, false);
  add_slider("economics.usd_per_gpu_hour", "USD per GPU-hour", 0.5, 8, false);
  add_slider("economics.pue", "power usage effectiveness", 1, 2, false);
  connect(filter_, &QLineEdit::textChanged, this, [this] { refresh(); });
  connect(tree_, &QTreeWidget::itemChanged, this, [this](QTreeWidgetItem* item, int column) {
    if (!filling_ && column == 1) set_from_item(item);
  });
  connect(&bench_, &Workbench::run_changed, this, [this] { refresh(); });
  connect(&bench_, &Workbench::problems_changed, this, [this] { refresh(); });
}

void ScenarioPanel::add_slider(const char* key, const char* title, double low, double high, bool whole) {
  auto* grid = static_cast<QGridLayout*>(findChild<QGroupBox*>()->layout());
  const int row = grid->rowCount();
  auto* name = new QLabel(title);
  auto* slider = new QSlider(Qt::Horizontal);
  auto* label = new QLabel;
  slider->setRange(0, kSliderSteps);
  slider->setMinimumWidth(48);
  slider->setAccessibleName(title);
  name->setBuddy(slider);
  grid->addWidget(name, row, 0);
  grid->addWidget(slider, row, 1);
  grid->addWidget(label, row, 2);
  const std::size_t at = sliders_.size();
  sliders_.push_back({key, slider, label, low, high, whole});
  connect(slider, &QSlider::valueChanged, this, [this, at](int position) {
    if (filling_) return;
    const WhatIf& w = sliders_[at];
    const double share = static_cast<double>(position) / kSliderSteps;
    std::string text = fmt::format("{:.4g}", w.low + share * (w.high - w.low));
    if (w.whole) {
      // Whole multiples of the lower end keep batches divisible.
      const double unit = w.key == "training.global_batch_size" ? w.low : 1;
      text = fmt::format("{:.0f}", std::round((w.low + share * (w.high - w.low)) / unit) * unit);
    }
    if (w.key == "routing.max_over_mean") {
      std::vector<Override> edits;
      for (const Override& o : bench_.input().edits) {
        if (o.key != "routing.kind" && o.key != w.key) edits.push_back(o);
      }
      edits.push_back({"routing.kind", "skewed", "edit of routing.kind"});
      edits.push_back({w.key, text, "edit of " + w.key});
      undo_.push(new EditCommand(bench_, bench_.input().edits, edits, w.key));
      return;
    }
    edit(w.key, text);
  });
}

void ScenarioPanel::edit(const std::string& key, const std::string& value) {
  std::vector<Override> edits;
  for (const Override& o : bench_.input().edits) {
    if (o.key != key) edits.push_back(o);
  }
  if (!value.empty()) edits.push_back({.key = key, .value = value, .place = "edit of " + key});
  undo_.push(new EditCommand(bench_, bench_.input().edits, std::move(edits), key));
}

void ScenarioPanel::edit_all(const std::vector<Override>& changes, const std::string& what) {
  std::vector<Override> edits;
  for (const Override& o : bench_.input().edits) {
    const bool replaced =
        std::any_of(changes.begin(), changes.end(), [&](const Override& c) { return c.key == o.key; });
    if (!replaced) edits.push_back(o);
  }
  edits.insert(edits.end(), changes.begin(), changes.end());
  undo_.push(new EditCommand(bench_, bench_.input().edits, std::move(edits), what));
}

void ScenarioPanel::set_from_item(QTreeWidgetItem* item) {
  const std::string key = item->data(0, kKeyRole).toString().toStdString();
  if (!key.empty()) edit(key, item->text(1).trimmed().toStdString());
}

std::string ScenarioPanel::chosen_key() const {
  const QTreeWidgetItem* item = tree_->currentItem();
  return item == nullptr ? std::string() : item->data(0, kKeyRole).toString().toStdString();
}

void ScenarioPanel::fit_columns() {
  tree_->setIndentation(9);
  tree_->header()->setMinimumSectionSize(30);
  for (int column = 0; column < 3; ++column) {
    // What is longer is whole in the tooltip.
    int widest = 0;
    for (int i = 0; i < tree_->topLevelItemCount(); ++i) {
      const QTreeWidgetItem* top = tree_->topLevelItem(i);
      for (int c = 0; top->isExpanded() && c < top->childCount(); ++c) {
        const QTreeWidgetItem* item = top->child(c);
        const QString unit = column == 1 ? " " + item->data(1, kUnitRole).toString() : QString();
        widest = std::max(widest, fontMetrics().horizontalAdvance(item->text(column) + unit));
      }
    }
    tree_->setColumnWidth(column, std::min(widest + (column == 0 ? 28 : 10), fontMetrics().height() * 12));
  }
}

void ScenarioPanel::fill_sliders(const RunView& run) {
  const Scenario& s = run.scenario();
  for (WhatIf& w : sliders_) {
    double value = w.low;
    bool given = true;
    if (w.key == "routing.max_over_mean") value = s.routing.max_over_mean;
    if (w.key == "cluster.oversubscription") value = s.cluster.oversubscription.value;
    for (const auto& [key, field] : {std::pair{"economics.usd_per_gpu_hour", s.economics.usd_per_gpu_hour},
                                     {"economics.pue", s.economics.pue}}) {
      if (w.key != key) continue;
      value = field.value_or(w.low);
      given = field.has_value();
    }
    if (w.key == "layout.communication_sms") {
      for (const InputRow& row : run.inputs()) {
        if (row.key != w.key) continue;
        given = row.value != "not given";
        if (given) value = std::strtod(row.value.c_str(), nullptr);
      }
    }
    if (w.key == "training.global_batch_size") {
      // One microbatch a pipeline is the least; eight times the present batch the most.
      const std::int64_t pipelines = std::max<std::int64_t>(
          1, s.gpus / std::max<std::int64_t>(1, s.layout.tp * s.layout.cp * s.layout.pp));
      value = static_cast<double>(s.training.global_batch_size);
      if (w.high < 2.5 * w.low || value > w.high) {
        w.low = static_cast<double>(pipelines * s.layout.microbatch_size);
        w.high = value * 2;
      }
    }
    w.label->setText(QString::fromStdString(!given    ? (w.whole ? "auto" : "not given")
                                            : w.whole ? fmt::format("{:.0f}", value)
                                                      : fmt::format("{:.4g}", value)));
    if (w.slider->isSliderDown()) continue;
    w.slider->setValue(static_cast<int>(std::lround((value - w.low) / (w.high - w.low) * kSliderSteps)));
  }
}

void ScenarioPanel::refresh() {
  const auto run = bench_.run();
  if (!run) return;
  if (tree_->findChild<QLineEdit*>() != nullptr && tree_->findChild<QLineEdit*>()->hasFocus())
    return;  // being typed into
  filling_ = true;
  const QString kept = tree_->currentItem() ? tree_->currentItem()->text(0) : QString();
  std::vector<QString> closed;
  for (int i = 0; i < tree_->topLevelItemCount(); ++i) {
    if (!tree_->topLevelItem(i)->isExpanded()) closed.push_back(tree_->topLevelItem(i)->text(0));
  }
  const bool first = tree_->topLevelItemCount() == 0;
  tree_->clear();
  const QString wanted = filter_->text().trimmed();
  QTreeWidgetItem* group = nullptr;
  for (const InputRow& row : run->inputs()) {
    const std::string head = row.key.substr(0, row.key.find('.'));
    const bool editable = find_scenario_key(row.key) != nullptr;
    const QString title = group_title(head) + (editable || head == "gpu" ? ""
                                               : head == "model"         ? " shape (read only)"
                                                                         : " profile (read only)");
    if (!wanted.isEmpty() && !QString::fromStdString(row.key).contains(wanted, Qt::CaseInsensitive)) continue;
    if (group == nullptr || group->text(0) != title) {
      group = new QTreeWidgetItem(tree_, {title});
      group->setFirstColumnSpanned(true);
    }
    const std::string name =
        row.key == head ? row.key : row.key.substr(std::min(row.key.size(), head.size() + 1));
    auto* item = new QTreeWidgetItem(
        group, {QString::fromStdString(name), QString::fromStdString(short_value(row.value)),
                QString::fromStdString(source_badge(row))});
    item->setData(1, kUnitRole, QString::fromStdString(unit_after(row)));
    QString tip = QString::fromStdString(
        row.key + " = " + row.value + " " + row.unit +
        (row.bounds.empty() ? "" : "\nbounds: " + row.bounds + " " + row.unit) + "\nsource: " + row.source);
    if (const ScenarioKey* key = find_scenario_key(row.key))
      tip += "\n" + QString::fromUtf8(key->what.data(), static_cast<qsizetype>(key->what.size()));
    if (editable) {
      item->setFlags(item->flags() | Qt::ItemIsEditable);
      item->setData(0, kKeyRole, QString::fromStdString(row.key));
      if (const auto bad = bench_.refused(row.key)) {
        item->setText(1, QString::fromStdString(*bad));
        item->setText(2, "refused");
        item->setIcon(1, style()->standardIcon(QStyle::SP_MessageBoxWarning));
        QFont bold = font();
        bold.setBold(true);
        item->setFont(1, bold);
        tip += "\nrefused, see Problems; the result shown is of the value before";
      }
    }
    for (int c = 0; c < 3; ++c) item->setToolTip(c, tip);
    if (item->text(0) == kept) tree_->setCurrentItem(item);
  }
  for (int i = 0; i < tree_->topLevelItemCount(); ++i) {
    QTreeWidgetItem* top = tree_->topLevelItem(i);
    const bool profile = top->text(0).contains("read only");
    const bool was_closed = std::find(closed.begin(), closed.end(), top->text(0)) != closed.end();
    top->setExpanded(!wanted.isEmpty() || (first ? !profile : !was_closed));
  }
  if (first) fit_columns();
  const Scenario& s = run->scenario();
  const std::int64_t inner = s.layout.tp * s.layout.cp * s.layout.pp;
  arithmetic_->setText(
      QString::fromStdString(fmt::format("TP {} x CP {} x PP {} x DP {} = {} of {} GPUs", s.layout.tp,
                                         s.layout.cp, s.layout.pp, s.gpus / std::max<std::int64_t>(1, inner),
                                         inner * (s.gpus / std::max<std::int64_t>(1, inner)), s.gpus)));
  fill_sliders(*run);
  filling_ = false;
}

}  // namespace orrery::gui
