#pragma once

#include <QLabel>
#include <QPainter>

namespace orrery::gui {

/// A line of text that ends in dots where it does not fit; the tooltip has all of it. Never makes its window
/// wider.
class ElidedLabel : public QLabel {
 public:
  ElidedLabel() { setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred); }
  void set_text(const QString& text) {
    setText(text);
    setToolTip(text);
  }

 protected:
  void paintEvent(QPaintEvent*) override {
    QPainter painter(this);
    painter.setPen(palette().color(foregroundRole()));
    painter.drawText(contentsRect(), Qt::AlignLeft | Qt::AlignVCenter,
                     fontMetrics().elidedText(text(), Qt::ElideRight, contentsRect().width()));
  }
};

}  // namespace orrery::gui
