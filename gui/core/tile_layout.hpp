#pragma once

#include <array>
#include <functional>
#include <span>
#include <vector>

#include "gui/core/headline.hpp"
#include "gui/core/timeline_scene.hpp"

namespace orrery::gui {

/// How large the value of a tile is, of the plain font; smaller where the tile is narrow.
inline constexpr std::array<double, 5> kValueSizes{1.5, 1.4, 1.3, 1.2, 1.1};
/// Measures of the bold font that is so many times as large as the plain one.
using BoldMetrics = std::function<TextMetrics(double size)>;

/// A line of a tile where it stands, pixels from the tile's corner.
struct TileLine {
  Box box;
  std::string text;
  bool muted = false;
  double size = 1;  ///< of the plain font; above 1 it is bold
};

/// A tile's lines from top to bottom: title, value, range, what was published, change to B, badge. What is
/// wider than the tile goes on in the next line; nothing is shortened.
[[nodiscard]] std::vector<TileLine> tile_lines(const Tile& tile, double width, const TextMetrics& text,
                                               const BoldMetrics& bold);

/// Where each tile stands: all in one row, or in as many as leave each tile `kLeastTileEms` of width; the
/// tiles of a row are equally wide and as high as its highest.
inline constexpr double kLeastTileEms = 9.2;
[[nodiscard]] std::vector<Box> tile_boxes(std::span<const Tile> tiles, double width, const TextMetrics& text,
                                          const BoldMetrics& bold);

}  // namespace orrery::gui
