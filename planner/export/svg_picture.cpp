#include "planner/export/svg_picture.hpp"

#include <fmt/format.h>

#include "sim/base/check.hpp"

namespace orrery {

PictureFormat picture_format(std::string_view file) {
  if (file.ends_with(".svg")) return PictureFormat::kSvg;
  if (file.ends_with(".png")) return PictureFormat::kPng;
  if (file.ends_with(".pdf")) return PictureFormat::kPdf;
  throw InputError(std::string(file), "the ending says no picture format; expected .svg, .png or .pdf");
}

}  // namespace orrery
