#include "gui/widgets/dialogs.hpp"

#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>
#include <QTextBrowser>
#include <QVBoxLayout>

#include "gui/core/actions.hpp"

namespace orrery::gui {

Picker::Picker(const QString& title, std::vector<Entry> entries, QWidget* parent)
    : QDialog(parent), entries_(std::move(entries)), line_(new QLineEdit), list_(new QListWidget) {
  setWindowTitle(title);
  setObjectName("picker");
  setAttribute(Qt::WA_DeleteOnClose);
  line_->setAccessibleName(title);
  line_->setPlaceholderText("type a part of the name");
  list_->setAccessibleName("Matches");
  list_->setFocusPolicy(Qt::NoFocus);
  auto* layout = new QVBoxLayout(this);
  layout->addWidget(line_);
  layout->addWidget(list_);
  resize(520, 380);
  line_->installEventFilter(this);
  connect(line_, &QLineEdit::textChanged, this, [this] { filter(); });
  connect(list_, &QListWidget::itemActivated, this, [this] { take(); });
  filter();
}

void Picker::filter() {
  list_->clear();
  const std::string typed = line_->text().toStdString();
  for (const Entry& entry : entries_) {
    if (!fuzzy_match(typed, entry.text)) continue;
    auto* item = new QListWidgetItem(
        QString::fromStdString(entry.text + (entry.note.empty() ? "" : "    " + entry.note)), list_);
    item->setData(Qt::UserRole, QString::fromStdString(entry.id));
  }
  list_->setCurrentRow(0);
}

void Picker::take() {
  if (list_->currentItem() == nullptr) return;
  const QString id = list_->currentItem()->data(Qt::UserRole).toString();
  accept();
  emit chosen(id);
}

bool Picker::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::KeyPress) {
    const int key = static_cast<QKeyEvent*>(event)->key();
    const int row = list_->currentRow();
    if (key == Qt::Key_Down) return list_->setCurrentRow(std::min(row + 1, list_->count() - 1)), true;
    if (key == Qt::Key_Up) return list_->setCurrentRow(std::max(row - 1, 0)), true;
    if (key == Qt::Key_Return || key == Qt::Key_Enter) return take(), true;
  }
  return QDialog::eventFilter(watched, event);
}

HelpOverlay::HelpOverlay(QWidget* parent) : QDialog(parent) {
  setWindowTitle("Keys and gestures");
  setObjectName("help");
  setAttribute(Qt::WA_DeleteOnClose);
  auto* text = new QTextBrowser;
  text->setAccessibleName("Keys and gestures");
  text->setHtml(QString::fromStdString(actions_html()));
  auto* layout = new QVBoxLayout(this);
  layout->addWidget(text);
  text_ = text;
  resize(860, 620);
}

void HelpOverlay::show_whole() {
  constexpr int kEdges = 24;
  text_->document()->setTextWidth(width() - 2 * kEdges);
  resize(width(), static_cast<int>(text_->document()->size().height()) + 2 * kEdges);
}

}  // namespace orrery::gui
