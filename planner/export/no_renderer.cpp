// In builds without librsvg: what rsvg_renderer.cpp would do.
#include "planner/export/svg_picture.hpp"
#include "sim/base/check.hpp"

namespace orrery {

bool can_render_pictures() {
  return false;
}

std::string render_picture(const std::string& svg, PictureFormat format) {
  if (format == PictureFormat::kSvg) return svg;
  throw InputError(
      format == PictureFormat::kPng ? "png" : "pdf",
      "this build draws SVG only; install librsvg (Debian and Ubuntu: librsvg2-dev) and build again");
}

}  // namespace orrery
