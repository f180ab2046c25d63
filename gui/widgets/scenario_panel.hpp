#pragma once

#include <QWidget>
#include <functional>
#include <string>
#include <vector>

#include "gui/core/workbench.hpp"

class QLabel;
class QLineEdit;
class QSlider;
class QTreeWidget;
class QTreeWidgetItem;
class QUndoStack;

namespace orrery::gui {

/// Every input of the present scenario with value, unit, bounds and source. Scenario keys are edited in
/// place; each edit is one step of undo. A refused value stays visible, marked by a sign and in words.
class ScenarioPanel : public QWidget {
  Q_OBJECT

 public:
  ScenarioPanel(Workbench& bench, QUndoStack& undo, QWidget* parent = nullptr);
  /// Edits a key through the undo stack, as typing into its field does. Empty: back to the file's value.
  void edit(const std::string& key, const std::string& value);
  /// Several keys in one step of undo.
  void edit_all(const std::vector<Override>& changes, const std::string& what);
  void refresh();
  /// The key of the current row; empty where it is none that can be edited.
  [[nodiscard]] std::string chosen_key() const;
  [[nodiscard]] QTreeWidget* tree() { return tree_; }
  [[nodiscard]] QLineEdit* filter() { return filter_; }
  struct WhatIf {
    std::string key;
    QSlider* slider;
    QLabel* label;
    double low, high;
    bool whole;
  };
  [[nodiscard]] const std::vector<WhatIf>& sliders() const { return sliders_; }

 private:
  void add_slider(const char* key, const char* title, double low, double high, bool whole);
  /// Wide enough for what is shown at first.
  void fit_columns();
  void fill_sliders(const RunView& run);
  void set_from_item(QTreeWidgetItem* item);

  Workbench& bench_;
  QUndoStack& undo_;
  QLineEdit* filter_;
  QTreeWidget* tree_;
  QLabel* arithmetic_;
  std::vector<WhatIf> sliders_;
  bool filling_ = false;
};

}  // namespace orrery::gui
