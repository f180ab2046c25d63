#pragma once

#include <QToolButton>
#include <QWidget>
#include <functional>
#include <vector>

namespace orrery::gui {

/// The line for newcomers: things to try, each a button. Where the window is narrow, keys are left out, and
/// then the last ones.
class HintStrip : public QWidget {
  Q_OBJECT

 public:
  explicit HintStrip(QWidget* parent = nullptr);
  /// `keys` may be empty.
  void add(const QString& words, const QString& keys, const std::function<void()>& run);
  [[nodiscard]] const std::vector<QToolButton*>& buttons() const { return buttons_; }

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  struct Hint {
    QString words, keys;
  };
  /// Puts the texts and answers how wide that is.
  int put(bool keys, std::size_t count);

  std::vector<Hint> hints_;
  std::vector<QToolButton*> buttons_;
  QToolButton* close_;
};

}  // namespace orrery::gui
