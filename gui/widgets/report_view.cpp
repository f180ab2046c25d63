#include "gui/widgets/report_view.hpp"

#include <QHBoxLayout>
#include <QLabel>
#include <QListWidget>
#include <QPushButton>
#include <QScrollBar>
#include <QTextBrowser>

#include "gui/core/report_file.hpp"
#include "gui/core/report_sections.hpp"
#include "planner/report/writers.hpp"

namespace orrery::gui {

ReportView::ReportView(QWidget* parent)
    : QWidget(parent), sections_(new QListWidget), text_(new QTextBrowser) {
  text_->setAccessibleName("Report");
  sections_->setAccessibleName("Sections of the report");
  sections_->setToolTip("Space takes a section in or out, here and in what is exported");
  auto* left = new QVBoxLayout;
  left->addWidget(new QLabel("Sections"));
  left->addWidget(sections_, 1);
  left->addWidget(new QLabel("Export"));
  auto* buttons = new QHBoxLayout;
  for (const std::string& ending : report_endings()) {
    const QString name = QString::fromStdString(ending);
    auto* button = new QPushButton(name.toUpper());
    button->setAccessibleName("Export the report as " + name.toUpper());
    button->setMinimumWidth(20);
    if (ending == "pdf" && !can_write_pdf()) {
      button->setEnabled(false);
      button->setToolTip("This build writes no PDF");
    }
    buttons->addWidget(button);
    connect(button, &QPushButton::clicked, this, [this, name] { emit export_wanted(name); });
  }
  left->addLayout(buttons);
  auto* side = new QWidget;
  side->setLayout(left);
  side->setFixedWidth(fontMetrics().height() * 22);
  left->setContentsMargins(0, 0, 0, 0);
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(4, 4, 4, 4);
  layout->addWidget(side);
  layout->addWidget(text_, 1);
  connect(sections_, &QListWidget::itemChanged, this, [this](QListWidgetItem* item) {
    if (filling_) return;
    const std::string key = item->data(Qt::UserRole).toString().toStdString();
    if (item->checkState() == Qt::Checked)
      left_out_.erase(key);
    else
      left_out_.insert(key);
    refresh();
  });
}

void ReportView::say(const QString& words) {
  document_.reset();
  text_->setPlainText(words);
}

void ReportView::show_document(std::shared_ptr<const Document> document) {
  document_ = std::move(document);
  filling_ = true;
  const int row = sections_->currentRow();
  sections_->clear();
  for (const Section& section : document_->sections) {
    auto* item = new QListWidgetItem(QString::fromStdString(section.title), sections_);
    item->setData(Qt::UserRole, QString::fromStdString(section.key));
    item->setFlags(item->flags() | Qt::ItemIsUserCheckable);
    item->setCheckState(left_out_.count(section.key) == 0 ? Qt::Checked : Qt::Unchecked);
  }
  sections_->setCurrentRow(std::max(0, row));
  filling_ = false;
  refresh();
}

void ReportView::refresh() {
  if (!document_) return;
  const int at = text_->verticalScrollBar()->value();
  text_->setMarkdown(QString::fromStdString(markdown_report(without_sections(*document_, left_out_))));
  text_->verticalScrollBar()->setValue(at);
}

}  // namespace orrery::gui
