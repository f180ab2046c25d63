#pragma once

#include <QWidget>
#include <string>
#include <vector>

#include "gui/core/layout_search.hpp"
#include "gui/core/plan_search.hpp"

class QComboBox;
class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QSpinBox;
class QStackedWidget;
class QTableWidget;

namespace orrery::gui {

/// How layouts are looked for: the best ones with proof, or every combination of a grid.
enum class PlanMode : std::uint8_t { kBest, kGrid };

/// What the plan perspective is asked: mode, objective, limits, front and the lists of values.
class PlanQuestionPanel : public QWidget {
  Q_OBJECT

 public:
  explicit PlanQuestionPanel(QWidget* parent = nullptr);

  [[nodiscard]] PlanMode mode() const;
  void set_mode(PlanMode mode);
  /// Fills the lists of the space around a scenario's layout, or with all that is searched by default.
  void fill_space(const Scenario& scenario, bool whole);
  [[nodiscard]] bool has_space() const;
  [[nodiscard]] PlanQuestion question() const;
  [[nodiscard]] std::vector<PlanAxis> axes() const;
  /// Makes the key an axis of the grid, beside those that were asked for before; the first time it takes the
  /// place of the ones a grid begins with.
  void vary(const std::string& key, const std::vector<std::string>& values);
  /// The button that pauses a running search; it resumes one that is paused.
  void show_paused(bool paused);
  [[nodiscard]] QPushButton* pause_button() { return pause_; }
  /// `done` of `total`; total 0: nothing was begun.
  void show_progress(bool running, double done, double total, const QString& format);
  void say(const QString& words);
  [[nodiscard]] QTableWidget* axes_table() { return axes_; }
  [[nodiscard]] QTableWidget* space_table() { return space_; }
  [[nodiscard]] QPushButton* run_button() { return run_; }
  [[nodiscard]] QLineEdit* limits() { return limits_; }
  [[nodiscard]] QComboBox* objective() { return objective_; }
  [[nodiscard]] QString words() const;

 signals:
  void run_wanted();
  void pause_wanted();
  void space_wanted(bool whole);

 private:
  QComboBox* mode_;
  QStackedWidget* pages_;
  QTableWidget* space_;
  QTableWidget* axes_;
  QComboBox* objective_;
  QLineEdit* limits_;
  QLineEdit* front_;
  QSpinBox* top_;
  QPushButton* run_;
  QPushButton* pause_;
  QProgressBar* progress_;
  QLabel* words_;
};

}  // namespace orrery::gui
