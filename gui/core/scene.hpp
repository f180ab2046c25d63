#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "gui/core/ink.hpp"

namespace orrery::gui {

/// Width of a text in pixels of the scene's plain font; the scene itself knows no font.
using TextWidth = std::function<double(std::string_view)>;

struct Box {
  double x = 0, y = 0, w = 0, h = 0;
  bool operator==(const Box&) const = default;
  [[nodiscard]] bool holds(double px, double py) const {
    return px >= x && px < x + w && py >= y && py < y + h;
  }
};

struct SceneRect {
  Box box;
  Ink fill = Ink::kNone;
  Pattern pattern = Pattern::kPlain;
  Ink frame = Ink::kNone;
  std::uint8_t dim = 0;  ///< share of the background mixed in, 0 to 255
  float frame_width = 1;
};

enum class Align : std::uint8_t { kLeft, kCentre, kRight };

struct SceneText {
  Box box;  ///< the text is clipped to it and centred upright
  std::string text;
  Align align = Align::kLeft;
  Ink ink = Ink::kText;
  Ink on = Ink::kNone;  ///< where set, black or white by what stands out on it
  bool bold = false;
  bool small = false;
};

struct SceneLine {
  double x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  Ink ink = Ink::kGrid;
  float width = 1;
  bool arrow = false;
  bool dashed = false;
};

struct ScenePoint {
  double x = 0, y = 0;
};
struct SceneCurve {
  std::vector<ScenePoint> points;
  Ink ink = Ink::kCurve;
  float width = 1.5F;
};
struct SceneDot {
  double x = 0, y = 0, radius = 4;
  Ink ink = Ink::kForward;
  Ink frame = Ink::kNone;
};

/// Pixel columns of one row where slices are thinner than a pixel: what fills most of the column, and how
/// much of it is busy. A column with any waiting in it never looks full, one with any work never empty.
struct StripColumn {
  Ink ink = Ink::kIdle;
  std::uint8_t busy = 0;  ///< of 255
  bool operator==(const StripColumn&) const = default;
};
struct SceneStrip {
  double x = 0, y = 0, h = 0;  ///< one column is one pixel wide
  std::vector<StripColumn> columns;
};

/// Drawn in this order: rects, strips, curves, lines, dots, texts.
struct SceneLayer {
  Box clip;  ///< nothing is drawn outside; without width: no clip
  std::vector<SceneRect> rects;
  std::vector<SceneStrip> strips;
  std::vector<SceneCurve> curves;
  std::vector<SceneLine> lines;
  std::vector<SceneDot> dots;
  std::vector<SceneText> texts;
};

/// Something under the mouse: index of what the maker of the scene numbered, and what to say about it.
struct SceneHit {
  Box box;
  int id = 0;
  std::string tip;
};

/// A picture without pixels: the screen, PNG, SVG and PDF are painted from the same one.
struct Scene {
  double width = 0;
  double height = 0;
  std::vector<SceneLayer> layers;
  std::vector<SceneHit> hits;  ///< the last one that holds a point wins

  SceneLayer& layer() {
    if (layers.empty()) layers.emplace_back();
    return layers.back();
  }
  SceneLayer& new_layer(Box clip = {}) {
    layers.emplace_back();
    layers.back().clip = clip;
    return layers.back();
  }
  /// nullptr where there is nothing.
  [[nodiscard]] const SceneHit* hit(double x, double y) const {
    for (auto it = hits.rbegin(); it != hits.rend(); ++it) {
      if (it->box.holds(x, y)) return &*it;
    }
    return nullptr;
  }
};

}  // namespace orrery::gui
