#pragma once

#include <QToolButton>
#include <QWidget>
#include <vector>

#include "gui/core/headline.hpp"

namespace orrery::gui {

/// One headline figure as a button: title, value with unit, what was published, source badge.
class TileButton : public QToolButton {
  Q_OBJECT

 public:
  explicit TileButton(QWidget* parent = nullptr);
  void set_tile(const Tile& tile);
  void set_theme(Theme theme);
  [[nodiscard]] const Tile& tile() const { return tile_; }
  [[nodiscard]] QSize sizeHint() const override;
  [[nodiscard]] QSize minimumSizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  Tile tile_;
  Theme theme_ = Theme::kLight;
};

/// The figures of a run, left to right. A click shows how one comes about.
class TileRow : public QWidget {
  Q_OBJECT

 public:
  explicit TileRow(QWidget* parent = nullptr);
  void set_tiles(std::vector<Tile> tiles, bool stale);
  void set_theme(Theme theme);
  [[nodiscard]] const std::vector<Tile>& tiles() const { return tiles_; }
  [[nodiscard]] const std::vector<TileButton*>& buttons() const { return buttons_; }

 signals:
  void derivation_wanted(int tile);

 private:
  std::vector<Tile> tiles_;
  std::vector<TileButton*> buttons_;
  Theme theme_ = Theme::kLight;
};

}  // namespace orrery::gui
