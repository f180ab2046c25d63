#pragma once

#include <QWidget>
#include <memory>
#include <set>
#include <string>

#include "planner/report/document.hpp"

class QListWidget;
class QTextBrowser;

namespace orrery::gui {

/// The training-cost report as it would be written: sections to choose from on the left, with a button for
/// each format, the text on the right.
class ReportView : public QWidget {
  Q_OBJECT

 public:
  explicit ReportView(QWidget* parent = nullptr);
  /// Words instead of a report: what it waits for, or what the scenario lacks.
  void say(const QString& words);
  void show_document(std::shared_ptr<const Document> document);
  /// Keys of the sections that are not wanted; stays from one document to the next.
  [[nodiscard]] const std::set<std::string>& left_out() const { return left_out_; }
  [[nodiscard]] QListWidget* sections() { return sections_; }
  [[nodiscard]] QTextBrowser* text() { return text_; }

 signals:
  /// "html", "pdf", ...
  void export_wanted(const QString& ending);

 private:
  void refresh();

  QListWidget* sections_;
  QTextBrowser* text_;
  std::shared_ptr<const Document> document_;
  std::set<std::string> left_out_;
  bool filling_ = false;
};

}  // namespace orrery::gui
