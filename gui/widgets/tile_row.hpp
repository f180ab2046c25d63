#pragma once

#include <QToolButton>
#include <QWidget>
#include <vector>

#include "gui/core/headline.hpp"
#include "gui/core/tile_layout.hpp"

namespace orrery::gui {

/// One headline figure as a button: title, value with unit, what was published, source badge. Long lines
/// are wrapped, never shortened.
class TileButton : public QToolButton {
  Q_OBJECT

 public:
  explicit TileButton(QWidget* parent = nullptr);
  void set_tile(const Tile& tile);
  void set_theme(Theme theme);
  [[nodiscard]] const Tile& tile() const { return tile_; }
  /// What is painted, where, and in which font.
  [[nodiscard]] std::vector<TileLine> lines() const;
  [[nodiscard]] QFont font_of(const TileLine& line) const;
  [[nodiscard]] QSize minimumSizeHint() const override { return {60, 20}; }

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  Tile tile_;
  Theme theme_ = Theme::kLight;
};

/// The figures of a run, left to right, in more than one row where the window is narrow. A click shows how
/// one comes about.
class TileRow : public QWidget {
  Q_OBJECT

 public:
  explicit TileRow(QWidget* parent = nullptr);
  void set_tiles(std::vector<Tile> tiles, bool stale);
  void set_theme(Theme theme);
  [[nodiscard]] const std::vector<Tile>& tiles() const { return tiles_; }
  [[nodiscard]] const std::vector<TileButton*>& buttons() const { return buttons_; }
  [[nodiscard]] QSize sizeHint() const override;
  [[nodiscard]] QSize minimumSizeHint() const override;

 signals:
  void derivation_wanted(int tile);

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  /// For a width of the whole row.
  void place(int across);

  std::vector<Tile> tiles_, shown_;
  std::vector<TileButton*> buttons_;
  int height_ = 0;
  Theme theme_ = Theme::kLight;
};

}  // namespace orrery::gui
