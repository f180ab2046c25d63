#include "gui/widgets/chart_view.hpp"

#include <QHeaderView>
#include <QHelpEvent>
#include <QItemSelectionModel>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QSortFilterProxyModel>
#include <QStackedLayout>
#include <QTableView>
#include <QToolButton>
#include <QToolTip>
#include <QVBoxLayout>
#include <algorithm>

#include "gui/widgets/scene_painter.hpp"

namespace orrery::gui {

ChartCanvas::ChartCanvas(QWidget* parent) : QWidget(parent) {
  setFocusPolicy(Qt::StrongFocus);
  setMouseTracking(true);
  setMinimumSize(60, 40);
}

void ChartCanvas::set_maker(ChartMaker maker) {
  maker_ = std::move(maker);
  refresh();
}

void ChartCanvas::set_theme(Theme theme) {
  theme_ = theme;
  update();
}

void ChartCanvas::select(int id) {
  if (selected_ == id) return;
  selected_ = id;
  refresh();
}

Scene ChartCanvas::scene(double width, double height, const TextMetrics& text) const {
  return maker_ ? maker_(width, height, text, selected_).scene : Scene{};
}

void ChartCanvas::refresh() {
  chart_ = maker_ ? maker_(width(), height(), text_metrics(font()), selected_) : Chart{};
  setAccessibleDescription(QString::fromStdString(chart_.table.title));
  emit made();
  update();
}

void ChartCanvas::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), QColor(QRgb(0xFF000000U | colour(theme_, Ink::kBackground))));
  gui::paint(painter, chart_.scene, theme_, font());
  if (!hasFocus()) return;
  painter.setPen(QPen(QColor(QRgb(0xFF000000U | colour(theme_, Ink::kSelection))), 2));
  painter.drawRect(rect().adjusted(1, 1, -1, -1));
}

void ChartCanvas::resizeEvent(QResizeEvent*) {
  refresh();
}

void ChartCanvas::mousePressEvent(QMouseEvent* event) {
  const SceneHit* hit = chart_.scene.hit(event->position().x(), event->position().y());
  select(hit == nullptr ? -1 : hit->id);
  emit picked(selected_);
}

void ChartCanvas::mouseDoubleClickEvent(QMouseEvent* event) {
  if (const SceneHit* hit = chart_.scene.hit(event->position().x(), event->position().y()))
    emit opened(hit->id);
}

void ChartCanvas::keyPressEvent(QKeyEvent* event) {
  const int rows = static_cast<int>(chart_.table.rows.size());
  const bool next = event->key() == Qt::Key_Right || event->key() == Qt::Key_Down;
  const bool previous = event->key() == Qt::Key_Left || event->key() == Qt::Key_Up;
  if (rows > 0 && (next || previous)) {
    select(std::clamp(selected_ + (next ? 1 : -1), 0, rows - 1));
    emit picked(selected_);
  } else if (event->key() == Qt::Key_Return && selected_ >= 0) {
    emit opened(selected_);
  } else if (event->key() == Qt::Key_Escape) {
    select(-1);
    emit picked(-1);
  } else {
    QWidget::keyPressEvent(event);
  }
}

bool ChartCanvas::event(QEvent* event) {
  if (event->type() == QEvent::ToolTip) {
    const auto* help = static_cast<QHelpEvent*>(event);
    const SceneHit* hit = chart_.scene.hit(help->pos().x(), help->pos().y());
    QToolTip::showText(help->globalPos(), hit == nullptr ? QString() : QString::fromStdString(hit->tip),
                       this);
    return true;
  }
  return QWidget::event(event);
}

ChartView::ChartView(const QString& name, QWidget* parent)
    : QWidget(parent),
      canvas_(new ChartCanvas),
      table_(new QTableView),
      stack_(new QStackedLayout),
      button_(new QToolButton),
      sorted_(new QSortFilterProxyModel(this)) {
  setObjectName(name);
  canvas_->setAccessibleName(name);
  table_->setAccessibleName(name + " as a table");
  button_->setText("Table");
  button_->setCheckable(true);
  button_->setAccessibleName(name + ": show as table");
  button_->setToolTip("Show the numbers of this chart as a table");
  sorted_->setSourceModel(&model_);
  sorted_->setSortRole(Qt::UserRole);
  table_->setModel(sorted_);
  table_->setSortingEnabled(true);
  table_->sortByColumn(-1, Qt::AscendingOrder);
  table_->setSelectionBehavior(QAbstractItemView::SelectRows);
  table_->setSelectionMode(QAbstractItemView::SingleSelection);
  table_->verticalHeader()->hide();
  table_->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 5);
  table_->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
  table_->horizontalHeader()->setMinimumSectionSize(24);
  table_->setWordWrap(false);
  stack_->addWidget(canvas_);
  stack_->addWidget(table_);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  auto* bar = new QHBoxLayout;
  bar->addStretch();
  bar->addWidget(button_);
  layout->addLayout(bar);
  layout->addLayout(stack_, 1);
  connect(button_, &QToolButton::toggled, this, [this](bool on) { show_table(on); });
  connect(canvas_, &ChartCanvas::picked, this, [this](int id) {
    select(id);
    emit picked(id);
  });
  connect(canvas_, &ChartCanvas::opened, this, &ChartView::opened);
  connect(canvas_, &ChartCanvas::made, this, [this] {
    const Table& now = canvas_->chart().table;
    const Table& old = model_.table();
    const bool same =
        now.title == old.title && now.rows.size() == old.rows.size() &&
        std::equal(now.rows.begin(), now.rows.end(), old.rows.begin(), [](const auto& a, const auto& b) {
          return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                            [](const Cell& x, const Cell& y) { return x.text == y.text; });
        });
    if (same) return;
    model_.set_table(now);
    table_->resizeColumnsToContents();
  });
  // A double click, or Return.
  connect(table_, &QTableView::activated, this,
          [this](const QModelIndex& index) { emit opened(sorted_->mapToSource(index).row()); });
  connect(table_->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
          [this](const QModelIndex& index) {
            if (!index.isValid() || !table_->hasFocus() || !parts_are_rows_) return;
            const int id = sorted_->mapToSource(index).row();
            canvas_->select(id);
            emit picked(id);
          });
}

void ChartView::set_maker(ChartMaker maker) {
  canvas_->set_maker(std::move(maker));
}

void ChartView::set_theme(Theme theme) {
  canvas_->set_theme(theme);
}

void ChartView::select(int id) {
  canvas_->select(id);
  if (!parts_are_rows_) return;
  const QModelIndex row = sorted_->mapFromSource(model_.index(id, 0));
  if (row == table_->currentIndex().siblingAtColumn(0)) return;
  if (row.isValid())
    table_->setCurrentIndex(row);
  else
    table_->clearSelection();
}

void ChartView::table_only() {
  show_table(true);
  button_->hide();
}

void ChartView::show_table(bool table) {
  button_->setChecked(table);
  stack_->setCurrentIndex(table ? 1 : 0);
}

}  // namespace orrery::gui
