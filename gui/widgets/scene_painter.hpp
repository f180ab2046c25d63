#pragma once

#include <QString>
#include <functional>

#include "gui/core/scene.hpp"
#include "gui/core/timeline_scene.hpp"

class QFont;
class QPainter;

namespace orrery::gui {

/// Measures of a font for makers of scenes.
[[nodiscard]] TextMetrics text_metrics(const QFont& font);

/// Paints a scene from its upper left corner on; the one way from a scene to pixels, vectors and paper.
/// `vectors`: patterns and columns are drawn as lines and rectangles instead of images.
void paint(QPainter& painter, const Scene& scene, Theme theme, const QFont& font, bool vectors = false);

/// Makes the scene again for the size of the file.
using SceneMaker = std::function<Scene(double width, double height, const TextMetrics& text)>;

/// Writes PNG, SVG or PDF by the ending of `path`. InputError at the path for another ending or when it
/// cannot be written; then no file is left behind.
void save_picture(const QString& path, const SceneMaker& maker, double width, double height, Theme theme,
                  const QFont& font, const QString& title);

}  // namespace orrery::gui
