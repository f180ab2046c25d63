#include "gui/widgets/hint_strip.hpp"

#include <QHBoxLayout>
#include <QLabel>

namespace orrery::gui {

HintStrip::HintStrip(QWidget* parent) : QWidget(parent), close_(new QToolButton) {
  setObjectName("hint");
  setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
  auto* strip = new QHBoxLayout(this);
  strip->setContentsMargins(8, 0, 4, 0);
  strip->setSizeConstraint(QLayout::SetNoConstraint);
  strip->addWidget(new QLabel("Try:"));
  strip->addStretch();
  close_->setText("x");
  close_->setAccessibleName("Close the hints");
  close_->setAutoRaise(true);
  strip->addWidget(close_);
  connect(close_, &QToolButton::clicked, this, [this] { hide(); });
}

void HintStrip::add(const QString& words, const QString& keys, const std::function<void()>& run) {
  auto* button = new QToolButton;
  button->setAccessibleName(words);
  button->setToolTip(keys.isEmpty() ? words : words + " (" + keys + ")");
  button->setAutoRaise(true);
  auto* strip = static_cast<QHBoxLayout*>(layout());
  strip->insertWidget(strip->count() - 2, button);
  connect(button, &QToolButton::clicked, this, run);
  hints_.push_back({words, keys});
  buttons_.push_back(button);
  put(true, buttons_.size());
}

int HintStrip::put(bool keys, std::size_t count) {
  for (std::size_t i = 0; i < buttons_.size(); ++i) {
    const Hint& hint = hints_[i];
    buttons_[i]->setText(keys && !hint.keys.isEmpty() ? hint.words + " (" + hint.keys + ")" : hint.words);
    buttons_[i]->setVisible(i < count);
  }
  layout()->activate();
  return layout()->sizeHint().width();
}

void HintStrip::resizeEvent(QResizeEvent*) {
  std::size_t count = buttons_.size();
  if (put(true, count) <= width()) return;
  while (put(false, count) > width() && count > 0) --count;
}

}  // namespace orrery::gui
