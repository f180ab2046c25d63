#pragma once

#include "gui/core/scene.hpp"

namespace orrery::gui {

/// Puts `part` below what `scene` has, which grows by its height and to its width if that is more.
void append_below(Scene& scene, const Scene& part);

}  // namespace orrery::gui
