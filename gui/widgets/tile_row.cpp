#include "gui/widgets/tile_row.hpp"

#include <QHBoxLayout>
#include <QPainter>
#include <algorithm>

namespace orrery::gui {
namespace {

QColor tile_ink(Theme theme, Ink ink) {
  return QColor(QRgb(0xFF000000U | colour(theme, ink)));
}

}  // namespace

TileButton::TileButton(QWidget* parent) : QToolButton(parent) {
  setFocusPolicy(Qt::StrongFocus);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void TileButton::set_tile(const Tile& tile) {
  tile_ = tile;
  setText(QString::fromStdString(tile.title + ": " + tile.value));
  std::string rest;
  for (const std::string* line : {&tile.range, &tile.published, &tile.against}) {
    if (!line->empty()) rest += (rest.empty() ? "" : "; ") + *line;
  }
  setAccessibleName(QString::fromStdString(tile.title + ": " + tile.value));
  setAccessibleDescription(QString::fromStdString(rest + "; " + tile.badge));
  setToolTip(QString::fromStdString(tile.title + ": " + tile.value + "\n" + rest + "\n" + tile.badge +
                                    "\nClick: how it comes about"));
  updateGeometry();
  update();
}

void TileButton::set_theme(Theme theme) {
  theme_ = theme;
  update();
}

QSize TileButton::sizeHint() const {
  const QFontMetrics metrics(font());
  QFont big = font();
  big.setPointSizeF(font().pointSizeF() * 1.5);
  big.setBold(true);
  int w = QFontMetrics(big).horizontalAdvance(QString::fromStdString(tile_.value));
  for (const std::string* line : {&tile_.title, &tile_.range, &tile_.published, &tile_.badge, &tile_.against})
    w = std::max(w, metrics.horizontalAdvance(QString::fromStdString(*line)));
  return {w + 18, static_cast<int>(metrics.height() * (tile_.against.empty() ? 6.2 : 7.2))};
}

QSize TileButton::minimumSizeHint() const {
  return {60, sizeHint().height()};
}

void TileButton::paintEvent(QPaintEvent*) {
  QPainter p(this);
  p.fillRect(rect(), tile_ink(theme_, isDown() || underMouse() ? Ink::kRowStripe : Ink::kBackground));
  p.setPen(QPen(tile_ink(theme_, hasFocus() ? Ink::kSelection : Ink::kGrid), hasFocus() ? 2 : 1));
  p.drawRect(rect().adjusted(1, 1, -1, -1));
  const int line = fontMetrics().height();
  int y = line / 4;
  const auto put = [&](const std::string& words, Ink ink, const QFont& f, double lines) {
    p.setFont(f);
    p.setPen(tile_ink(theme_, ink));
    const QRect at(9, y, width() - 14, static_cast<int>(line * lines));
    p.drawText(at, Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine,
               QFontMetrics(f).elidedText(QString::fromStdString(words), Qt::ElideRight, at.width()));
    y += at.height();
  };
  QFont big = font();
  big.setPointSizeF(font().pointSizeF() * 1.5);
  big.setBold(true);
  put(tile_.title, Ink::kMutedText, font(), 1);
  put(tile_.value, isEnabled() ? Ink::kText : Ink::kMutedText, big, 1.5);
  for (const std::string* words : {&tile_.range, &tile_.published, &tile_.against}) {
    if (!words->empty()) put(*words, Ink::kText, font(), 1);
  }
  y = height() - line - line / 4;
  put(tile_.badge, Ink::kMutedText, font(), 1);
}

TileRow::TileRow(QWidget* parent) : QWidget(parent) {
  auto* layout = new QHBoxLayout(this);
  layout->setContentsMargins(4, 4, 4, 2);
  layout->setSpacing(4);
}

void TileRow::set_theme(Theme theme) {
  theme_ = theme;
  for (TileButton* b : buttons_) b->set_theme(theme);
}

void TileRow::set_tiles(std::vector<Tile> tiles, bool stale) {
  tiles_ = std::move(tiles);
  while (buttons_.size() < tiles_.size()) {
    auto* button = new TileButton(this);
    const int id = static_cast<int>(buttons_.size());
    connect(button, &QToolButton::clicked, this, [this, id] { emit derivation_wanted(id); });
    layout()->addWidget(button);
    button->set_theme(theme_);
    buttons_.push_back(button);
  }
  for (std::size_t i = 0; i < buttons_.size(); ++i) {
    buttons_[i]->setVisible(i < tiles_.size());
    if (i >= tiles_.size()) continue;
    Tile shown = tiles_[i];
    if (stale) shown.badge = "stale: " + shown.badge;
    buttons_[i]->set_tile(shown);
  }
}

}  // namespace orrery::gui
