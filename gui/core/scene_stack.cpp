#include "gui/core/scene_stack.hpp"

#include <algorithm>

namespace orrery::gui {

void append_below(Scene& scene, const Scene& part) {
  const double by = scene.height;
  for (SceneLayer layer : part.layers) {
    if (layer.clip.w > 0) layer.clip.y += by;
    for (SceneRect& r : layer.rects) r.box.y += by;
    for (SceneStrip& s : layer.strips) s.y += by;
    for (SceneCurve& c : layer.curves) {
      for (ScenePoint& p : c.points) p.y += by;
    }
    for (SceneLine& l : layer.lines) l.y1 += by, l.y2 += by;
    for (SceneDot& d : layer.dots) d.y += by;
    for (SceneText& t : layer.texts) t.box.y += by;
    scene.layers.push_back(std::move(layer));
  }
  for (SceneHit hit : part.hits) {
    hit.box.y += by;
    scene.hits.push_back(std::move(hit));
  }
  scene.height += part.height;
  scene.width = std::max(scene.width, part.width);
}

}  // namespace orrery::gui
