#include "gui/widgets/tile_row.hpp"

#include <QPainter>
#include <algorithm>
#include <cmath>

#include "gui/widgets/scene_painter.hpp"

namespace orrery::gui {
namespace {

QColor tile_ink(Theme theme, Ink ink) {
  return QColor(QRgb(0xFF000000U | colour(theme, ink)));
}

QFont bold(QFont font, double size) {
  font.setBold(true);
  font.setPointSizeF(font.pointSizeF() * size);
  return font;
}

BoldMetrics bold_metrics(const QFont& font) {
  return [font](double size) { return text_metrics(bold(font, size)); };
}

}  // namespace

TileButton::TileButton(QWidget* parent) : QToolButton(parent) {
  setFocusPolicy(Qt::StrongFocus);
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
  update();
}

void TileButton::set_theme(Theme theme) {
  theme_ = theme;
  update();
}

std::vector<TileLine> TileButton::lines() const {
  return tile_lines(tile_, width(), text_metrics(font()), bold_metrics(font()));
}

QFont TileButton::font_of(const TileLine& line) const {
  return line.size > 1 ? bold(font(), line.size) : font();
}

void TileButton::paintEvent(QPaintEvent*) {
  QPainter p(this);
  p.fillRect(rect(), tile_ink(theme_, isDown() || underMouse() ? Ink::kRowStripe : Ink::kBackground));
  p.setPen(QPen(tile_ink(theme_, hasFocus() ? Ink::kSelection : Ink::kGrid), hasFocus() ? 2 : 1));
  p.drawRect(rect().adjusted(1, 1, -1, -1));
  for (const TileLine& line : lines()) {
    p.setFont(font_of(line));
    p.setPen(tile_ink(theme_, line.muted || !isEnabled() ? Ink::kMutedText : Ink::kText));
    p.drawText(QRectF(line.box.x, line.box.y, line.box.w, line.box.h),
               Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine, QString::fromStdString(line.text));
  }
}

TileRow::TileRow(QWidget* parent) : QWidget(parent) {
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

QSize TileRow::sizeHint() const {
  return {900, height_};
}

QSize TileRow::minimumSizeHint() const {
  return {200, height_};
}

void TileRow::place(int across) {
  const std::vector<Box> boxes = tile_boxes(shown_, across, text_metrics(font()), bold_metrics(font()));
  int bottom = 0;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const Box& b = boxes[i];
    buttons_[i]->setGeometry(static_cast<int>(b.x), static_cast<int>(b.y), static_cast<int>(b.w),
                             static_cast<int>(std::ceil(b.h)));
    bottom = std::max(bottom, static_cast<int>(std::ceil(b.y + b.h)) + 2);
  }
  if (bottom == height_) return;
  height_ = bottom;
  updateGeometry();
}

void TileRow::resizeEvent(QResizeEvent*) {
  place(width());
}

void TileRow::set_theme(Theme theme) {
  theme_ = theme;
  for (TileButton* b : buttons_) b->set_theme(theme);
}

void TileRow::set_tiles(std::vector<Tile> tiles, bool stale) {
  tiles_ = std::move(tiles);
  shown_ = tiles_;
  while (buttons_.size() < tiles_.size()) {
    auto* button = new TileButton(this);
    const int id = static_cast<int>(buttons_.size());
    connect(button, &QToolButton::clicked, this, [this, id] { emit derivation_wanted(id); });
    button->set_theme(theme_);
    buttons_.push_back(button);
  }
  for (std::size_t i = 0; i < buttons_.size(); ++i) {
    buttons_[i]->setVisible(i < tiles_.size());
    if (i >= tiles_.size()) continue;
    if (stale) shown_[i].badge = "stale: " + shown_[i].badge;
    buttons_[i]->set_tile(shown_[i]);
  }
  // Before it is shown it has no width of its own yet.
  place(isVisible() ? width() : window()->width());
}

}  // namespace orrery::gui
