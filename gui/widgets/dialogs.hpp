#pragma once

#include <QDialog>
#include <functional>
#include <string>
#include <vector>

class QLineEdit;
class QListWidget;
class QTextBrowser;

namespace orrery::gui {

/// A line to type in and the entries that match it; Return takes the current one. Serves the command palette
/// and the row finder.
class Picker : public QDialog {
  Q_OBJECT

 public:
  struct Entry {
    std::string id, text, note;
  };
  Picker(const QString& title, std::vector<Entry> entries, QWidget* parent);
  [[nodiscard]] QLineEdit* line() { return line_; }
  [[nodiscard]] QListWidget* list() { return list_; }

 signals:
  void chosen(const QString& id);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void filter();
  void take();

  std::vector<Entry> entries_;
  QLineEdit* line_;
  QListWidget* list_;
};

/// The key table, made from the table of actions.
class HelpOverlay : public QDialog {
  Q_OBJECT

 public:
  explicit HelpOverlay(QWidget* parent);
  /// As high as its table: for pictures.
  void show_whole();

 private:
  QTextBrowser* text_;
};

}  // namespace orrery::gui
